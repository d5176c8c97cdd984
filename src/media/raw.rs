//! Audio without a container, as telephony sends it: 16-bit PCM in either byte order and G.711 mu-law.

use serde::{Deserialize, Serialize};

use super::downmix::Downmix;
use super::{Audio, MediaError, MediaLimits};

/// How bytes without a container are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RawFormat {
    /// Signed 16-bit samples, the low byte first, channels interleaved.
    PcmS16le {
        /// The sample rate, in Hz.
        sample_rate_hz: u32,
        /// How many channels are interleaved.
        channels: u16,
    },
    /// The same with the high byte first: L16 of RTP and some telephone exchanges.
    PcmS16be {
        /// The sample rate, in Hz.
        sample_rate_hz: u32,
        /// How many channels are interleaved.
        channels: u16,
    },
    /// G.711 mu-law, one byte a sample, channels interleaved.
    MuLaw {
        /// The sample rate, in Hz; 8000 in telephony.
        sample_rate_hz: u32,
        /// How many channels are interleaved.
        channels: u16,
    },
}

impl RawFormat {
    /// The sample rate in Hz and the number of channels.
    pub(super) fn signal(self) -> (u32, u16) {
        match self {
            Self::PcmS16le { sample_rate_hz, channels }
            | Self::PcmS16be { sample_rate_hz, channels }
            | Self::MuLaw { sample_rate_hz, channels } => (sample_rate_hz, channels),
        }
    }

    /// The bytes of one sample of all channels.
    pub(super) fn frame_bytes(self) -> usize {
        let sample_bytes = if matches!(self, Self::MuLaw { .. }) { 1 } else { 2 };
        usize::from(self.signal().1) * sample_bytes
    }

    /// Reads whole samples to the end of `samples`.
    pub(super) fn read(self, bytes: &[u8], samples: &mut Vec<f32>) {
        let pairs = || bytes.as_chunks().0.iter().copied();
        match self {
            Self::PcmS16le { .. } => samples.extend(pairs().map(|pair| s16(i16::from_le_bytes(pair)))),
            Self::PcmS16be { .. } => samples.extend(pairs().map(|pair| s16(i16::from_be_bytes(pair)))),
            Self::MuLaw { .. } => samples.extend(bytes.iter().map(|byte| mu_law(*byte))),
        }
    }
}

/// How many samples are decoded at a time; keeps the working memory small beside the result.
const BLOCK_SAMPLES: usize = 1 << 14;

/// Decodes audio without a container. Bytes that end within a sample of all channels are an error: the sender has
/// lost count, and channels may be swapped from there on.
pub(super) fn decode(bytes: &[u8], format: RawFormat, limits: &MediaLimits) -> Result<Audio, MediaError> {
    let (sample_rate_hz, channels) = format.signal();
    let mut downmix = Downmix::new(sample_rate_hz, usize::from(channels), limits)?;
    let frame_bytes = format.frame_bytes();
    if !bytes.len().is_multiple_of(frame_bytes) {
        let reason = format!("{} bytes are not a whole number of {frame_bytes}-byte frames", bytes.len());
        return Err(MediaError::Truncated(reason));
    }
    downmix.expect_frames((bytes.len() / frame_bytes) as u64)?;
    let mut samples = Vec::with_capacity(BLOCK_SAMPLES.min(bytes.len()));
    for block in bytes.chunks(BLOCK_SAMPLES / usize::from(channels) * frame_bytes) {
        samples.clear();
        format.read(block, &mut samples);
        downmix.push(&samples)?;
    }
    downmix.finish()
}

fn s16(sample: i16) -> f32 {
    f32::from(sample) / 32_768.0
}

/// Expands one mu-law byte (ITU-T G.711): the bits are inverted on the wire; sign, three bits of exponent, four of
/// mantissa, and a bias of 132 that makes the steps meet at zero.
fn mu_law(byte: u8) -> f32 {
    const BIAS: i32 = 0x84;
    let byte = !byte;
    let exponent = (byte >> 4) & 0x07;
    let mantissa = i32::from(byte & 0x0f);
    let magnitude = (((mantissa << 3) + BIAS) << exponent) - BIAS;
    let value = if byte & 0x80 == 0 { magnitude } else { -magnitude };
    value as f32 / 32_768.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pcm(sample_rate_hz: u32, channels: u16) -> RawFormat {
        RawFormat::PcmS16le { sample_rate_hz, channels }
    }

    #[test]
    fn mu_law_meets_the_reference_values() {
        // The ends and the zeros of the table in G.711.
        for (byte, expected) in
            [(0x00, -32_124), (0x80, 32_124), (0xff, 0), (0x7f, 0), (0xf0, 120), (0x70, -120)]
        {
            assert_eq!((mu_law(byte) * 32_768.0) as i32, expected, "{byte:#x}");
        }
    }

    #[test]
    fn channels_are_averaged_and_the_rate_kept() {
        let mut bytes = Vec::new();
        for _ in 0..1_600 {
            bytes.extend_from_slice(&16_384_i16.to_le_bytes());
            bytes.extend_from_slice(&0_i16.to_le_bytes());
        }
        let audio = decode(&bytes, pcm(16_000, 2), &MediaLimits::default()).unwrap();
        assert_eq!((audio.samples.len(), audio.source_rate_hz, audio.source_channels), (1_600, 16_000, 2));
        assert!(audio.samples.iter().all(|sample| *sample == 0.25));
    }

    #[test]
    fn the_byte_order_is_honoured() {
        let bytes = [0x01, 0x00, 0x80, 0x00];
        let le = decode(&bytes, pcm(16_000, 1), &MediaLimits::default()).unwrap();
        assert_eq!(le.samples, [1.0 / 32_768.0, 128.0 / 32_768.0]);
        let format = RawFormat::PcmS16be { sample_rate_hz: 16_000, channels: 1 };
        assert_eq!(decode(&bytes, format, &MediaLimits::default()).unwrap().samples, [1.0 / 128.0, -1.0]);
    }

    #[test]
    fn long_input_is_joined_without_a_seam() {
        let count = BLOCK_SAMPLES + 321;
        let bytes: Vec<u8> = (0..count).flat_map(|index| (index as i16).to_le_bytes()).collect();
        let audio = decode(&bytes, pcm(16_000, 1), &MediaLimits::default()).unwrap();
        assert_eq!(audio.samples.len(), count);
        for (index, sample) in audio.samples.iter().enumerate() {
            assert_eq!((sample * 32_768.0) as i16, index as i16);
        }
    }

    #[test]
    fn a_telephone_second_is_a_second() {
        let format = RawFormat::MuLaw { sample_rate_hz: 8_000, channels: 1 };
        let audio = decode(&[0xff; 8_000], format, &MediaLimits::default()).unwrap();
        assert_eq!(audio.duration_ms(), 1_000);
    }

    #[test]
    fn nonsense_is_refused() {
        let limits = MediaLimits { max_audio_seconds: 1, ..MediaLimits::default() };
        let code = |bytes: &[u8], format| decode(bytes, format, &limits).unwrap_err().code();
        assert_eq!(code(&[0; 3], pcm(16_000, 1)), "media_truncated");
        assert_eq!(code(&[0; 6], pcm(16_000, 2)), "media_truncated");
        assert_eq!(code(&[0; 4], pcm(16_000, 0)), "audio_no_channels");
        assert_eq!(code(&[0; 18], pcm(16_000, 9)), "audio_too_many_channels");
        assert_eq!(code(&[0; 4], pcm(0, 1)), "audio_sample_rate");
        assert_eq!(code(&[0; 4], pcm(1_000_000, 1)), "audio_sample_rate");
        assert_eq!(code(&[0; 32_002], pcm(16_000, 1)), "audio_too_long");
    }
}
