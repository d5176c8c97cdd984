//! Audio that comes in pieces: [`AudioStream`] makes 16 kHz samples of each piece as soon as it is there, and
//! [`SpeechStream`] finds the windows of speech in them while the call goes on.
//!
//! Nothing here knows of clocks or connections: who feeds a stream says what is lost and where time jumps.

mod format;
mod heard;
mod opus;
mod raw;
mod speech;

pub use format::StreamFormat;
pub use speech::{SpeechEvent, SpeechStream};

use self::opus::OpusStream;
use self::raw::RawStream;
use super::{AudioFormat, MediaError, MediaLimits, SAMPLE_RATE_HZ, decode_audio, file};

/// One track of audio, decoded piece by piece to one channel at 16 kHz.
///
/// Any way of cutting the bytes of [`StreamFormat`]'s bare samples gives the same samples as
/// [`decode_audio`] gives for all of them at once: N source samples give exactly
/// ceil(N * 16000 / rate) in the end. Sources that are not at 16 kHz come out up to 130 ms late, because the filter
/// looks ahead; the moment of sample 0 stays the moment of sample 0.
pub struct AudioStream {
    source: Source,
    limits: MediaLimits,
    /// How many samples came out since the stream began.
    given: u64,
}

enum Source {
    Raw(Box<RawStream>),
    Opus(Box<OpusStream>),
    Container,
}

impl AudioStream {
    /// A stream of this format.
    ///
    /// # Errors
    /// A rate or a number of channels that is not taken, see [`MediaError`].
    pub fn new(format: StreamFormat, limits: &MediaLimits) -> Result<Self, MediaError> {
        let source = match (format.raw(), format) {
            (Some(raw), _) => Source::Raw(Box::new(RawStream::new(raw, limits)?)),
            (None, StreamFormat::Opus { channels }) => {
                Source::Opus(Box::new(OpusStream::new(channels, limits)?))
            }
            (None, _) => Source::Container,
        };
        let mut limits = limits.clone();
        limits.max_audio_seconds = limits.max_audio_seconds.min(limits.max_chunk_seconds);
        Ok(Self { source, limits, given: 0 })
    }

    /// Takes a piece and appends the samples that are ready to `out`. A piece of bare samples may end anywhere, a
    /// piece of Opus is one packet, a piece of container is one whole file. An empty piece says nothing.
    ///
    /// A damaged Opus packet is no error: it is concealed and counted, see [`Self::damaged_packets`].
    ///
    /// # Errors
    /// A piece that is too large or too long, or a file that cannot be decoded, see [`MediaError`]. The piece is left
    /// out and the stream goes on with the next one.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<f32>) -> Result<(), MediaError> {
        if bytes.is_empty() {
            return Ok(());
        }
        file::check_bytes(bytes, self.limits.max_chunk_bytes)?;
        let before = out.len();
        let pushed = match &mut self.source {
            Source::Raw(stream) => stream.push(bytes, self.limits.max_chunk_seconds, out),
            Source::Opus(stream) => stream.push(bytes, out),
            Source::Container => {
                decode_audio(bytes, AudioFormat::Auto, &self.limits).map(|audio| out.extend(audio.samples))
            }
        };
        self.given += (out.len() - before) as u64;
        pushed
    }

    /// How many samples everything that was pushed amounts to, whether they came out already or not.
    #[must_use]
    pub fn taken_samples(&self) -> u64 {
        match &self.source {
            Source::Raw(stream) => stream.taken_samples(),
            Source::Opus(_) | Source::Container => self.given,
        }
    }

    /// Fills the place of something that never came: concealment for Opus, silence for everything else.
    ///
    /// # Errors
    /// [`MediaError::TooLong`] above `max_chunk_seconds`: that is a jump in time, not a loss.
    pub fn lost_packet(&mut self, duration_ms: u64, out: &mut Vec<f32>) -> Result<(), MediaError> {
        let limit_seconds = self.limits.max_chunk_seconds;
        if duration_ms > u64::from(limit_seconds) * 1_000 {
            return Err(MediaError::TooLong { limit_seconds, found_seconds: duration_ms.div_ceil(1_000) });
        }
        let before = out.len();
        let filled = match &mut self.source {
            Source::Raw(stream) => stream.lose(duration_ms, out),
            Source::Opus(stream) => stream.lose(duration_ms, out),
            Source::Container => {
                let samples = duration_ms * u64::from(SAMPLE_RATE_HZ) / 1_000;
                out.resize(out.len() + samples as usize, 0.0);
                Ok(())
            }
        };
        self.given += (out.len() - before) as u64;
        filled
    }

    /// Ends the stream: appends what the filter still holds. Bytes of a sample that never became whole are dropped.
    /// What is pushed after it is a new stream of the same format.
    ///
    /// # Errors
    /// [`MediaError::Resampling`].
    pub fn finish(&mut self, out: &mut Vec<f32>) -> Result<(), MediaError> {
        self.given = 0;
        match &mut self.source {
            Source::Raw(stream) => stream.finish(out),
            Source::Opus(_) | Source::Container => Ok(()),
        }
    }

    /// How many Opus packets could not be decoded so far.
    #[must_use]
    pub fn damaged_packets(&self) -> u64 {
        match &self.source {
            Source::Opus(stream) => stream.damaged_packets(),
            Source::Raw(_) | Source::Container => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAC: &[u8] = include_bytes!("../../../tests/media/fixtures/tone.flac");

    fn code(result: Result<(), MediaError>) -> &'static str {
        result.unwrap_err().code()
    }

    #[test]
    fn a_file_a_push_is_a_stream() {
        let limits = MediaLimits::default();
        let mut stream = AudioStream::new(StreamFormat::Container, &limits).unwrap();
        let once = decode_audio(FLAC, AudioFormat::Auto, &limits).unwrap().samples;
        let mut out = Vec::new();
        stream.push(FLAC, &mut out).unwrap();
        assert_eq!(code(stream.push(b"nonsense", &mut out)), "media_unknown_format");
        stream.push(FLAC, &mut out).unwrap();
        stream.lost_packet(20, &mut out).unwrap();
        assert_eq!(stream.taken_samples(), out.len() as u64);
        stream.finish(&mut out).unwrap();
        assert_eq!(out.len(), 2 * once.len() + 320);
        assert_eq!(out[once.len()..2 * once.len()], once);
    }

    #[test]
    fn pieces_have_limits() {
        let limits = MediaLimits { max_chunk_bytes: 40_000, max_chunk_seconds: 1, ..MediaLimits::default() };
        let mut out = Vec::new();
        let format = StreamFormat::MuLaw { sample_rate_hz: 8_000, channels: 1 };
        let mut stream = AudioStream::new(format, &limits).unwrap();
        assert_eq!(code(stream.push(&[0; 40_001], &mut out)), "media_too_many_bytes");
        assert_eq!(code(stream.push(&[0; 8_001], &mut out)), "audio_too_long");
        assert_eq!(code(stream.lost_packet(1_001, &mut out)), "audio_too_long");
        assert_eq!(code(stream.lost_packet(u64::MAX, &mut out)), "audio_too_long");
        assert!(out.is_empty());
        for _ in 0..3 {
            stream.push(&[0xff; 8_000], &mut out).unwrap();
        }
        assert!(out.len() < 3 * 16_000, "the filter still holds some");
        assert_eq!(stream.taken_samples(), 3 * 16_000);
        stream.finish(&mut out).unwrap();
        assert_eq!(stream.taken_samples(), 0);
        assert_eq!(out.len(), 3 * 16_000, "a stream has no length of its own");
    }

    #[test]
    fn signals_that_are_not_taken_are_refused_at_once() {
        let limits = MediaLimits::default();
        let new = |format| AudioStream::new(format, &limits).err().unwrap().code();
        assert_eq!(new(StreamFormat::PcmS16le { sample_rate_hz: 1, channels: 1 }), "audio_sample_rate");
        assert_eq!(new(StreamFormat::PcmS16be { sample_rate_hz: 8_000, channels: 0 }), "audio_no_channels");
        assert_eq!(
            new(StreamFormat::MuLaw { sample_rate_hz: 8_000, channels: 9 }),
            "audio_too_many_channels"
        );
        assert_eq!(new(StreamFormat::Opus { channels: 0 }), "audio_no_channels");
        assert_eq!(new(StreamFormat::Opus { channels: 3 }), "audio_too_many_channels");
    }
}
