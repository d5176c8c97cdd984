//! WAV files written by hand, so that their headers can lie.

use heartline::media::{AudioFormat, MediaError, MediaLimits, decode_audio};

/// A WAV header and its data. The declared length is free to disagree with the data.
pub(crate) struct Wav {
    pub(crate) channels: u16,
    pub(crate) sample_rate_hz: u32,
    pub(crate) declared_bytes: u32,
    pub(crate) data: Vec<u8>,
}

impl Wav {
    pub(crate) fn new(sample_rate_hz: u32, channels: u16, samples: &[i16]) -> Self {
        let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        Self { channels, sample_rate_hz, declared_bytes: data.len() as u32, data }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let frame_bytes = self.channels.wrapping_mul(2);
        let mut bytes = b"RIFF".to_vec();
        bytes.extend_from_slice(&self.declared_bytes.saturating_add(36).to_le_bytes());
        bytes.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0");
        bytes.extend_from_slice(&self.channels.to_le_bytes());
        bytes.extend_from_slice(&self.sample_rate_hz.to_le_bytes());
        let rate_bytes = self.sample_rate_hz.wrapping_mul(u32::from(frame_bytes));
        bytes.extend_from_slice(&rate_bytes.to_le_bytes());
        bytes.extend_from_slice(&frame_bytes.to_le_bytes());
        bytes.extend_from_slice(b"\x10\0data");
        bytes.extend_from_slice(&self.declared_bytes.to_le_bytes());
        bytes.extend_from_slice(&self.data);
        bytes
    }
}

fn code(wav: &Wav, limits: &MediaLimits) -> &'static str {
    decode_audio(&wav.bytes(), AudioFormat::Auto, limits).unwrap_err().code()
}

#[test]
fn samples_arrive_as_they_were_written() {
    let samples: Vec<i16> = (0..16_000).map(|index| (index * 7 % 20_000 - 10_000) as i16).collect();
    let wav = Wav::new(16_000, 1, &samples).bytes();
    let audio = decode_audio(&wav, AudioFormat::Auto, &MediaLimits::default()).unwrap();
    assert_eq!((audio.source_rate_hz, audio.source_channels, audio.duration_ms()), (16_000, 1, 1_000));
    for (found, expected) in audio.samples.iter().zip(&samples) {
        assert_eq!((found * 32_768.0).round() as i16, *expected);
    }
}

#[test]
fn two_channels_are_averaged() {
    let samples: Vec<i16> = (0..3_200).map(|index| if index % 2 == 0 { 8_192 } else { -4_096 }).collect();
    let wav = Wav::new(16_000, 2, &samples).bytes();
    let audio = decode_audio(&wav, AudioFormat::Auto, &MediaLimits::default()).unwrap();
    assert_eq!((audio.samples.len(), audio.source_channels), (1_600, 2));
    assert!(audio.samples.iter().all(|sample| *sample == 0.0625));
}

#[test]
fn a_header_that_promises_too_much_is_refused_before_decoding() {
    let limits = MediaLimits::default();
    let mut wav = Wav::new(16_000, 1, &[0; 100]);
    wav.declared_bytes = 0x7fff_fff0;
    assert_eq!(code(&wav, &limits), "audio_too_long");
    let mut wav = Wav::new(16_000, 1, &[0; 100]);
    wav.channels = 9;
    assert_eq!(code(&wav, &limits), "audio_too_many_channels");
    for sample_rate_hz in [0, 1, 3_999, 192_001, u32::MAX] {
        let wav = Wav { sample_rate_hz, ..Wav::new(16_000, 1, &[0; 100]) };
        assert_eq!(code(&wav, &limits), "audio_sample_rate", "{sample_rate_hz}");
    }
    let wav = Wav { channels: 0, ..Wav::new(16_000, 1, &[0; 100]) };
    assert!(decode_audio(&wav.bytes(), AudioFormat::Auto, &limits).is_err());
}

#[test]
fn a_file_that_holds_less_than_it_states_is_cut_off() {
    let mut wav = Wav::new(16_000, 1, &[100; 16_000]);
    wav.declared_bytes *= 2;
    let error = decode_audio(&wav.bytes(), AudioFormat::Auto, &MediaLimits::default()).unwrap_err();
    assert_eq!(error.code(), "media_truncated");
    assert!(error.to_string().contains("states 2000 ms of audio and holds 1000 ms"), "{error}");
}

#[test]
fn a_stream_without_a_length_is_read_to_its_end() {
    let mut wav = Wav::new(16_000, 1, &[100; 16_000]);
    wav.declared_bytes = u32::MAX;
    let audio = decode_audio(&wav.bytes(), AudioFormat::Auto, &MediaLimits::default()).unwrap();
    assert_eq!(audio.duration_ms(), 1_000);
    let limits = MediaLimits { max_audio_seconds: 1, ..MediaLimits::default() };
    wav.data.extend_from_slice(&[0; 2]);
    assert_eq!(code(&wav, &limits), "audio_too_long");
}

#[test]
fn a_file_without_samples_is_empty() {
    assert_eq!(code(&Wav::new(16_000, 1, &[]), &MediaLimits::default()), "media_empty");
}

#[test]
fn a_header_that_stops_is_cut_off() {
    let bytes = Wav::new(16_000, 1, &[100; 100]).bytes();
    for length in [12, 16, 30, 40] {
        let error = decode_audio(&bytes[..length], AudioFormat::Auto, &MediaLimits::default()).unwrap_err();
        assert!(matches!(error, MediaError::Truncated(_) | MediaError::Unsupported(_)), "{length}: {error}");
    }
}
