//! What the formats of telephone sound are called, and the one format that is rewritten here.

use axum::body::Bytes;

use super::message::Start;

/// How samples are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// ITU-T G.711 mu-law, as in North America and Japan.
    MuLaw,
    /// ITU-T G.711 A-law, as in the rest of the world.
    ALaw,
    /// 16-bit samples, the low byte first.
    LittleEndian,
    /// 16-bit samples, the high byte first, as RTP has them.
    BigEndian,
}

/// The format of a stream's sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// How samples are encoded.
    pub encoding: Encoding,
    /// Samples a second of one channel.
    pub sample_rate_hz: u32,
    /// Channels, interleaved.
    pub channels: u16,
}

/// Why a stream's sound cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// The encoding is none of those that are known.
    #[error("the encoding \"{0}\" is not one that can be read; see docs/telephony.md")]
    Encoding(String),
    /// The sample rate is out of range.
    #[error("a sample rate of {0} Hz is not within 4000 to 48000")]
    SampleRate(u64),
    /// The number of channels is out of range.
    #[error("{0} channels are not 1 or 2")]
    Channels(u64),
}

/// The rate that telephony has where nothing else is said, in Hz.
const TELEPHONE_HZ: u64 = 8_000;

/// The format that a start names. `is_big_endian` is what the application said about the order of bytes, if anything:
/// it outranks the custom of the dialect, because names alone do not settle it.
///
/// # Errors
/// [`FormatError`] where there is no such format.
pub fn format_of(start: &Start, is_big_endian: Option<bool>) -> Result<Format, FormatError> {
    let name = start.encoding.as_deref().unwrap_or("audio/x-mulaw");
    let linear = |by_custom: bool| match is_big_endian.unwrap_or(by_custom) {
        true => Encoding::BigEndian,
        false => Encoding::LittleEndian,
    };
    let encoding = match name.trim().to_ascii_lowercase().as_str() {
        "audio/x-mulaw" | "audio/mulaw" | "audio/pcmu" | "audio/basic" | "mulaw" | "ulaw" | "pcmu"
        | "g711_ulaw" => Encoding::MuLaw,
        "audio/x-alaw" | "audio/alaw" | "audio/pcma" | "alaw" | "pcma" | "g711_alaw" => Encoding::ALaw,
        // One dialect calls its 16-bit samples after the wrapping that they come in.
        "audio/x-raw" | "audio/raw" | "raw/slin" | "slin" | "linear16" | "base64" => linear(false),
        // The content type is defined with the high byte first, but those who send it here send the low one.
        "audio/l16" | "audio/x-l16" => linear(false),
        // The codec's bare name is RTP's, and so is the order.
        "l16" => linear(true),
        _ => return Err(FormatError::Encoding(name.chars().take(64).collect())),
    };
    let rate = start.sample_rate_hz.unwrap_or(TELEPHONE_HZ);
    let channels = start.channels.unwrap_or(1);
    Ok(Format {
        encoding,
        sample_rate_hz: match u32::try_from(rate) {
            Ok(rate @ 4_000..=48_000) => rate,
            _ => return Err(FormatError::SampleRate(rate)),
        },
        channels: match u16::try_from(channels) {
            Ok(channels @ 1..=2) => channels,
            _ => return Err(FormatError::Channels(channels)),
        },
    })
}

impl Format {
    /// How long so many bytes last, in milliseconds, rounded down.
    #[must_use]
    pub fn duration_ms(&self, bytes: usize) -> u64 {
        let sample_bytes = match self.encoding {
            Encoding::MuLaw | Encoding::ALaw => 1,
            Encoding::LittleEndian | Encoding::BigEndian => 2,
        };
        let frame_bytes = sample_bytes * u64::from(self.channels);
        bytes as u64 * 1_000 / (frame_bytes * u64::from(self.sample_rate_hz)).max(1)
    }

    /// The bytes as a live session takes them: A-law becomes 16-bit samples, the low byte first.
    #[must_use]
    pub fn readable(&self, bytes: Bytes) -> Bytes {
        match self.encoding {
            Encoding::ALaw => bytes.iter().flat_map(|byte| a_law(*byte).to_le_bytes()).collect(),
            _ => bytes,
        }
    }
}

/// Expands one A-law byte (ITU-T G.711): every other bit is inverted on the wire; sign, three bits of exponent, four
/// of mantissa, and half a step added so that the value lies in the middle of its step.
fn a_law(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let exponent = (byte >> 4) & 0x07;
    let step = (i16::from(byte & 0x0f) << 4) + 8;
    let magnitude = match exponent {
        0 => step,
        exponent => (step + 0x100) << (exponent - 1),
    };
    if byte & 0x80 == 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(encoding: &str, rate: u64) -> Start {
        Start { encoding: Some(encoding.to_owned()), sample_rate_hz: Some(rate), ..Start::default() }
    }

    #[test]
    fn every_published_name_is_known() {
        for (name, encoding) in [
            ("audio/x-mulaw", Encoding::MuLaw),
            ("PCMU", Encoding::MuLaw),
            ("PCMA", Encoding::ALaw),
            ("audio/x-raw", Encoding::LittleEndian),
            ("base64", Encoding::LittleEndian),
            ("audio/l16", Encoding::LittleEndian),
            ("audio/x-l16", Encoding::LittleEndian),
            ("L16", Encoding::BigEndian),
        ] {
            for rate in [8_000, 16_000, 24_000] {
                let format = format_of(&start(name, rate), None).unwrap();
                assert_eq!((format.encoding, u64::from(format.sample_rate_hz)), (encoding, rate), "{name}");
            }
        }
    }

    #[test]
    fn what_is_not_said_is_a_telephone() {
        let format = format_of(&Start::default(), None).unwrap();
        assert_eq!(format, Format { encoding: Encoding::MuLaw, sample_rate_hz: 8_000, channels: 1 });
    }

    #[test]
    fn the_application_has_the_last_word_on_the_order_of_bytes() {
        assert_eq!(format_of(&start("L16", 16_000), Some(false)).unwrap().encoding, Encoding::LittleEndian);
        assert_eq!(format_of(&start("audio/l16", 16_000), Some(true)).unwrap().encoding, Encoding::BigEndian);
        assert_eq!(format_of(&start("PCMU", 8_000), Some(true)).unwrap().encoding, Encoding::MuLaw);
    }

    #[test]
    fn formats_that_cannot_be_read_are_refused() {
        assert_eq!(
            format_of(&start("AMR-WB", 16_000), None),
            Err(FormatError::Encoding("AMR-WB".to_owned()))
        );
        assert_eq!(format_of(&start("PCMU", 0), None), Err(FormatError::SampleRate(0)));
        assert_eq!(format_of(&start("PCMU", u64::MAX), None), Err(FormatError::SampleRate(u64::MAX)));
        let start = Start { channels: Some(9), ..Start::default() };
        assert_eq!(format_of(&start, None), Err(FormatError::Channels(9)));
        let Err(FormatError::Encoding(name)) = format_of(&self::start(&"x".repeat(5_000), 8_000), None)
        else {
            panic!("the name is not known");
        };
        assert_eq!(name.len(), 64);
    }

    #[test]
    fn lengths_are_those_of_practice() {
        let of = |encoding, sample_rate_hz, channels| Format { encoding, sample_rate_hz, channels };
        assert_eq!(of(Encoding::MuLaw, 8_000, 1).duration_ms(160), 20);
        assert_eq!(of(Encoding::LittleEndian, 16_000, 1).duration_ms(640), 20);
        assert_eq!(of(Encoding::BigEndian, 24_000, 2).duration_ms(9_600), 100);
        assert_eq!(of(Encoding::ALaw, 8_000, 1).duration_ms(0), 0);
    }

    #[test]
    fn a_law_meets_the_reference_values() {
        // The ends and the smallest steps of the table in G.711, at 16 bits.
        for (byte, expected) in
            [(0x55, -8), (0xd5, 8), (0x2a, -32_256), (0xaa, 32_256), (0x54, -24), (0x5a, -248)]
        {
            assert_eq!(a_law(byte), expected, "{byte:#x}");
        }
        let format = Format { encoding: Encoding::ALaw, sample_rate_hz: 8_000, channels: 1 };
        assert_eq!(&format.readable(Bytes::from_static(&[0xd5, 0x55]))[..], &[8, 0, 0xf8, 0xff]);
    }
}
