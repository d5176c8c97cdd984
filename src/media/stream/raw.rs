//! A stream of bare samples, cut anywhere.

use crate::media::downmix::{Downmix, check_length};
use crate::media::{MediaError, MediaLimits, RawFormat, SAMPLE_RATE_HZ};

/// How many frames (samples of all channels) are decoded at a time: a live stream comes in less, and a large piece
/// must not leave large buffers behind.
const BLOCK_FRAMES: usize = 1_024;

/// Bare samples on their way to 16 kHz.
pub(super) struct RawStream {
    format: RawFormat,
    downmix: Downmix,
    /// The first bytes of a frame whose last ones have not come yet.
    begun: Vec<u8>,
    samples: Vec<f32>,
    /// What whole frames leave of losses so far, in thousandths of a frame.
    lost_thousandths: u64,
}

impl RawStream {
    pub(super) fn new(format: RawFormat, limits: &MediaLimits) -> Result<Self, MediaError> {
        let (sample_rate_hz, channels) = format.signal();
        let downmix = Downmix::endless(sample_rate_hz, usize::from(channels), limits)?;
        Ok(Self { format, downmix, begun: Vec::new(), samples: Vec::new(), lost_thousandths: 0 })
    }

    pub(super) fn push(
        &mut self,
        mut bytes: &[u8],
        limit_seconds: u32,
        out: &mut Vec<f32>,
    ) -> Result<(), MediaError> {
        let frame_bytes = self.format.frame_bytes();
        check_length((bytes.len() / frame_bytes) as u64, self.format.signal().0, limit_seconds)?;
        if !self.begun.is_empty() {
            let (head, tail) = bytes.split_at(bytes.len().min(frame_bytes - self.begun.len()));
            self.begun.extend_from_slice(head);
            bytes = tail;
            if self.begun.len() < frame_bytes {
                return Ok(());
            }
            let begun = std::mem::take(&mut self.begun);
            self.decode(&begun, out)?;
        }
        let (whole, begun) = bytes.split_at(bytes.len() - bytes.len() % frame_bytes);
        self.begun.extend_from_slice(begun);
        whole.chunks(BLOCK_FRAMES * frame_bytes).try_for_each(|block| self.decode(block, out))
    }

    /// Silence for something that never came. A frame that had begun lost its rest with it.
    pub(super) fn lose(&mut self, duration_ms: u64, out: &mut Vec<f32>) -> Result<(), MediaError> {
        self.begun.clear();
        let thousandths = duration_ms * u64::from(self.format.signal().0) + self.lost_thousandths;
        self.lost_thousandths = thousandths % 1_000;
        let mut frames = thousandths / 1_000;
        while frames > 0 {
            let block = frames.min(BLOCK_FRAMES as u64);
            self.downmix.push_silence(block)?;
            self.downmix.take(out);
            frames -= block;
        }
        Ok(())
    }

    /// How many samples at 16 kHz the frames so far amount to.
    pub(super) fn taken_samples(&self) -> u64 {
        (self.downmix.frames() * u64::from(SAMPLE_RATE_HZ)).div_ceil(u64::from(self.format.signal().0))
    }

    pub(super) fn finish(&mut self, out: &mut Vec<f32>) -> Result<(), MediaError> {
        self.begun.clear();
        self.lost_thousandths = 0;
        self.downmix.flush(out)
    }

    fn decode(&mut self, frames: &[u8], out: &mut Vec<f32>) -> Result<(), MediaError> {
        self.samples.clear();
        self.format.read(frames, &mut self.samples);
        self.downmix.push(&self.samples)?;
        self.downmix.take(out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{ProptestConfig, any, prop_assert_eq, prop_oneof, proptest};

    use super::*;
    use crate::media::{AudioFormat, decode_audio};

    /// Noise, so that every sample tells where it came from.
    fn noise(count: usize) -> Vec<u8> {
        let mut state = 7_u32;
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..count).map(next).collect()
    }

    fn format(kind: u8, sample_rate_hz: u32, channels: u16) -> RawFormat {
        match kind % 3 {
            0 => RawFormat::PcmS16le { sample_rate_hz, channels },
            1 => RawFormat::PcmS16be { sample_rate_hz, channels },
            _ => RawFormat::MuLaw { sample_rate_hz, channels },
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_cutting_gives_the_same_samples(
            kind in any::<u8>(),
            rate_hz in prop_oneof![4_000_u32..50_000, proptest::sample::select(&[8_000_u32, 16_000, 44_100, 48_000][..])],
            channels in 1_u16..4,
            frames in 1_usize..9_000,
            cuts in vec(1_usize..4_000, 1..40),
        ) {
            let limits = MediaLimits::default();
            let format = format(kind, rate_hz, channels);
            let bytes = noise(frames * format.frame_bytes());
            let whole = decode_audio(&bytes, AudioFormat::Raw(format), &limits).unwrap().samples;
            let mut stream = RawStream::new(format, &limits).unwrap();
            let mut out = Vec::new();
            let (mut rest, mut cuts) = (&bytes[..], cuts.iter().cycle());
            while !rest.is_empty() {
                let (piece, tail) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                stream.push(piece, limits.max_chunk_seconds, &mut out).unwrap();
                rest = tail;
            }
            stream.finish(&mut out).unwrap();
            prop_assert_eq!(out.len(), (frames * 16_000).div_ceil(rate_hz as usize));
            prop_assert_eq!(out, whole);
        }
    }

    #[test]
    fn bytes_one_by_one_are_enough() {
        let format = format(0, 8_000, 2);
        let bytes = noise(4 * 3_000);
        let limits = MediaLimits::default();
        let mut stream = RawStream::new(format, &limits).unwrap();
        let mut out = Vec::new();
        for byte in &bytes {
            stream.push(&[*byte], 60, &mut out).unwrap();
        }
        stream.finish(&mut out).unwrap();
        assert_eq!(out, decode_audio(&bytes, AudioFormat::Raw(format), &limits).unwrap().samples);
    }

    #[test]
    fn losses_keep_the_time_though_frames_are_whole() {
        // 20 ms are 220.5 frames at 11025 Hz.
        let mut stream = RawStream::new(format(0, 11_025, 1), &MediaLimits::default()).unwrap();
        let mut out = Vec::new();
        for _ in 0..100 {
            stream.lose(20, &mut out).unwrap();
        }
        stream.finish(&mut out).unwrap();
        assert_eq!(out.len(), 2 * 16_000);
        assert!(out.iter().all(|sample| *sample == 0.0));
    }

    #[test]
    fn a_loss_ends_the_sample_that_had_begun() {
        let mut stream = RawStream::new(format(0, 16_000, 1), &MediaLimits::default()).unwrap();
        let mut out = Vec::new();
        stream.push(&[0, 64, 9], 60, &mut out).unwrap();
        stream.lose(1, &mut out).unwrap();
        stream.push(&[0, 64], 60, &mut out).unwrap();
        stream.finish(&mut out).unwrap();
        let expected: Vec<f32> = [0.5].into_iter().chain([0.0; 16]).chain([0.5]).collect();
        assert_eq!(out, expected);
    }
}
