//! Audio as the rest of the house sees it, and the front door for encoded audio.

use std::path::Path;

use super::raw::RawFormat;
use super::{MediaError, MediaLimits, container, file, raw};

/// The rate of all decoded audio, in Hz; the voice model's.
pub const SAMPLE_RATE_HZ: u32 = 16_000;

/// Decoded audio: one channel at 16 kHz.
#[derive(Debug, Clone, PartialEq)]
pub struct Audio {
    /// Samples between -1 and 1, at [`SAMPLE_RATE_HZ`].
    pub samples: Vec<f32>,
    /// The rate of what was decoded, in Hz.
    pub source_rate_hz: u32,
    /// How many channels were averaged.
    pub source_channels: u16,
}

impl Audio {
    /// The length, in whole milliseconds.
    #[must_use]
    pub fn duration_ms(&self) -> u64 {
        samples_to_ms(self.samples.len())
    }
}

/// The moment of a sample, in whole milliseconds.
pub(super) fn samples_to_ms(samples: usize) -> u64 {
    samples as u64 * 1_000 / u64::from(SAMPLE_RATE_HZ)
}

/// How the bytes of some audio are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AudioFormat {
    /// A container that says itself what it holds: WAV, FLAC, MP3, Ogg Vorbis, M4A or AAC.
    #[default]
    Auto,
    /// Bare samples.
    Raw(RawFormat),
}

/// Decodes audio to one channel at 16 kHz.
///
/// Files that are cut off: WAV, FLAC and M4A state their length, so less than they state is
/// [`MediaError::Truncated`]. MP3, AAC and Ogg are streams of independent packets; what there is of them is decoded.
/// Single bad packets in between become silence; more than one in twenty is [`MediaError::Damaged`].
///
/// # Errors
/// Whatever is wrong with the bytes, see [`MediaError`].
pub fn decode_audio(bytes: &[u8], format: AudioFormat, limits: &MediaLimits) -> Result<Audio, MediaError> {
    if bytes.is_empty() {
        return Err(MediaError::Empty { what: "audio" });
    }
    file::check_bytes(bytes, limits.max_audio_bytes)?;
    match format {
        AudioFormat::Auto => container::decode(bytes, limits),
        AudioFormat::Raw(format) => raw::decode(bytes, format, limits),
    }
}

/// Reads and decodes an audio file that says itself what it holds.
///
/// # Errors
/// [`MediaError::Unreadable`], or as [`decode_audio`].
pub fn read_audio(path: &Path, limits: &MediaLimits) -> Result<Audio, MediaError> {
    decode_audio(&file::read(path, limits.max_audio_bytes)?, AudioFormat::Auto, limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_too_much_and_nonsense_are_told_apart() {
        let limits = MediaLimits { max_audio_bytes: 100, ..MediaLimits::default() };
        let code = |bytes: &[u8]| decode_audio(bytes, AudioFormat::Auto, &limits).unwrap_err().code();
        assert_eq!(code(b""), "media_empty");
        assert_eq!(code(&[0; 101]), "media_too_many_bytes");
        assert_eq!(code(b"this is not audio at all"), "media_unknown_format");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read_audio(Path::new("nowhere/speech.flac"), &MediaLimits::default()).unwrap_err();
        assert_eq!(error.code(), "media_unreadable");
        assert!(error.to_string().contains("nowhere/speech.flac"));
    }

    #[test]
    fn durations_are_whole_milliseconds() {
        let audio = Audio { samples: vec![0.0; 24_015], source_rate_hz: 16_000, source_channels: 1 };
        assert_eq!(audio.duration_ms(), 1_500);
    }
}
