//! Real containers: whole, cut off and damaged.

use std::f32::consts::TAU;

use heartline::media::{AudioFormat, MediaError, MediaLimits, WindowConfig, decode_audio, speech_windows};

pub(crate) const FLAC: &[u8] = include_bytes!("fixtures/tone.flac");
pub(crate) const MP3: &[u8] = include_bytes!("fixtures/tone.mp3");
pub(crate) const OGG: &[u8] = include_bytes!("fixtures/tone.ogg");
pub(crate) const M4A: &[u8] = include_bytes!("fixtures/tone.m4a");
pub(crate) const AAC: &[u8] = include_bytes!("fixtures/tone.aac");
pub(crate) const ALL: [(&str, &[u8]); 5] =
    [("flac", FLAC), ("mp3", MP3), ("ogg", OGG), ("m4a", M4A), ("aac", AAC)];

fn code(bytes: &[u8], limits: &MediaLimits) -> &'static str {
    decode_audio(bytes, AudioFormat::Auto, limits).unwrap_err().code()
}

/// How much of the power of some samples is at 440 Hz, 0 to 1.
fn share_of_tone(samples: &[f32]) -> f32 {
    let (mut sine, mut cosine, mut power) = (0.0, 0.0, 0.0);
    for (index, sample) in samples.iter().enumerate() {
        let phase = TAU * 440.0 * index as f32 / 16_000.0;
        sine += sample * phase.sin();
        cosine += sample * phase.cos();
        power += sample * sample;
    }
    2.0 * (sine * sine + cosine * cosine) / (power * samples.len() as f32)
}

#[test]
fn every_container_gives_the_tone() {
    let expected =
        [("flac", 44_100, 2), ("mp3", 22_050, 1), ("ogg", 16_000, 1), ("m4a", 48_000, 1), ("aac", 48_000, 1)];
    for ((name, bytes), (_, rate, channels)) in ALL.iter().zip(expected) {
        let audio = decode_audio(bytes, AudioFormat::Auto, &MediaLimits::default()).unwrap();
        assert_eq!((audio.source_rate_hz, audio.source_channels), (rate, channels), "{name}");
        // Codecs round up to whole packets where the container does not tell the padding.
        assert!((1_000..1_060).contains(&audio.duration_ms()), "{name}: {} ms", audio.duration_ms());
        let share = share_of_tone(&audio.samples[4_000..12_000]);
        assert!(share > 0.99, "{name}: {share}");
    }
}

#[test]
fn lossless_lengths_are_exact() {
    let audio = decode_audio(FLAC, AudioFormat::Auto, &MediaLimits::default()).unwrap();
    assert_eq!(audio.samples.len(), 16_000);
}

#[test]
fn containers_that_state_their_length_may_not_be_cut() {
    for (name, bytes) in [("flac", FLAC), ("m4a", M4A)] {
        for share in [2, 4, 6] {
            let cut = &bytes[..bytes.len() * share / 10];
            assert_eq!(code(cut, &MediaLimits::default()), "media_truncated", "{name} {share}");
        }
    }
}

#[test]
fn streams_of_packets_may_be_cut_anywhere() {
    for (name, bytes) in [("mp3", MP3), ("aac", AAC)] {
        let cut = &bytes[..bytes.len() * 6 / 10];
        let audio = decode_audio(cut, AudioFormat::Auto, &MediaLimits::default()).unwrap();
        assert!((400..800).contains(&audio.duration_ms()), "{name}: {} ms", audio.duration_ms());
        assert!(share_of_tone(&audio.samples[2_000..6_000]) > 0.99, "{name}");
    }
}

#[test]
fn headers_alone_are_cut_off() {
    for (name, bytes) in ALL {
        for length in [12, 20, 40, 60] {
            let error =
                decode_audio(&bytes[..length], AudioFormat::Auto, &MediaLimits::default()).unwrap_err();
            let is_right = matches!(
                error,
                MediaError::Truncated(_)
                    | MediaError::UnknownFormat { .. }
                    | MediaError::Unsupported(_)
                    | MediaError::Damaged(_)
            );
            assert!(is_right, "{name} {length}: {error:?}");
        }
    }
}

#[test]
fn the_length_is_limited_however_it_is_stated() {
    let limits = MediaLimits { max_audio_seconds: 1, ..MediaLimits::default() };
    // The tones of the lossy codecs are a little longer than a second, the lossless one is not.
    assert!(decode_audio(FLAC, AudioFormat::Auto, &limits).is_ok());
    assert_eq!(code(AAC, &limits), "audio_too_long");
    assert_eq!(code(include_bytes!("fixtures/spoken.ogg"), &limits), "audio_too_long");
}

#[test]
fn a_declared_length_is_checked_before_decoding() {
    let mut bytes = FLAC.to_vec();
    // The 36 bits of the total number of samples, at the end of the stream's description.
    bytes[21] |= 0x0f;
    assert_eq!(code(&bytes, &MediaLimits::default()), "audio_too_long");
}

#[test]
fn damage_throughout_is_refused_and_a_bad_packet_is_not() {
    let mut bytes = MP3.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4].fill(0x55);
    assert!(decode_audio(&bytes, AudioFormat::Auto, &MediaLimits::default()).is_ok());
    let mut bytes = FLAC.to_vec();
    let start = bytes.len() / 4;
    for index in (start..bytes.len()).step_by(64) {
        bytes[index] ^= 0x5a;
    }
    let code = code(&bytes, &MediaLimits::default());
    assert!(["media_damaged", "media_truncated"].contains(&code), "{code}");
}

#[test]
fn other_formats_are_unknown() {
    for bytes in [&b"\x89PNG\r\n\x1a\n........"[..], b"\xff\xd8\xff\xe0....", b"%PDF-1.7", b"{\"audio\": 1}"]
    {
        assert_eq!(code(bytes, &MediaLimits::default()), "media_unknown_format");
    }
}

#[test]
fn speech_is_found_and_a_tone_is_not_speech() {
    let config = WindowConfig::default();
    let decode = |bytes| decode_audio(bytes, AudioFormat::Auto, &MediaLimits::default()).unwrap();
    assert!(speech_windows(&decode(FLAC), &config).is_empty());
    let audio = decode(include_bytes!("fixtures/spoken.ogg"));
    let windows = speech_windows(&audio, &config);
    assert!(!windows.is_empty());
    let mut covered_until = 0;
    for window in &windows {
        assert!(window.end_ms <= audio.duration_ms() && window.start_ms < window.end_ms);
        assert!(window.end_ms - window.start_ms <= 5_008, "{} ms", window.end_ms - window.start_ms);
        assert!(window.speech_share > 0.5, "{}", window.speech_share);
        assert_eq!(window.samples.len() as u64, (window.end_ms - window.start_ms) * 16);
        covered_until = covered_until.max(window.end_ms);
    }
    assert!(covered_until > audio.duration_ms() * 8 / 10);
}

#[test]
fn a_word_alone_is_too_short() {
    let mut audio =
        decode_audio(include_bytes!("fixtures/spoken.ogg"), AudioFormat::Auto, &MediaLimits::default())
            .unwrap();
    let windows = speech_windows(&audio, &WindowConfig::default());
    let start = windows[0].start_ms as usize * 16;
    audio.samples = audio.samples[start..start + 4_000].to_vec();
    audio.samples.resize(48_000, 0.0);
    assert!(speech_windows(&audio, &WindowConfig::default()).is_empty());
}
