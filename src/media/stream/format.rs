//! How the pieces of an audio stream are to be read.

use serde::{Deserialize, Serialize};

use crate::media::RawFormat;

/// The format of an audio stream; in JSON an object with `encoding` and the fields of that encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "encoding", rename_all = "snake_case", deny_unknown_fields)]
pub enum StreamFormat {
    /// Signed 16-bit samples, the low byte first, channels interleaved.
    PcmS16le {
        /// The sample rate, in Hz.
        sample_rate_hz: u32,
        /// How many channels are interleaved.
        #[serde(default = "one")]
        channels: u16,
    },
    /// The same with the high byte first, as L16 has it.
    PcmS16be {
        /// The sample rate, in Hz.
        sample_rate_hz: u32,
        /// How many channels are interleaved.
        #[serde(default = "one")]
        channels: u16,
    },
    /// G.711 mu-law, one byte a sample.
    MuLaw {
        /// The sample rate, in Hz; 8000 in telephony.
        #[serde(default = "telephone_rate_hz")]
        sample_rate_hz: u32,
        /// How many channels are interleaved.
        #[serde(default = "one")]
        channels: u16,
    },
    /// Raw Opus packets, one a piece, without a container; their clock runs at 48 kHz.
    Opus {
        /// How many channels are decoded and averaged: 1 or 2. Two cost nearly twice as much.
        #[serde(default = "one")]
        channels: u16,
    },
    /// Each piece is a whole file that says itself what it holds: WAV, FLAC, MP3, Ogg Vorbis, M4A or AAC.
    Container,
}

impl StreamFormat {
    /// The same as a format of bare samples; none where it is not one.
    pub(super) fn raw(self) -> Option<RawFormat> {
        match self {
            Self::PcmS16le { sample_rate_hz, channels } => {
                Some(RawFormat::PcmS16le { sample_rate_hz, channels })
            }
            Self::PcmS16be { sample_rate_hz, channels } => {
                Some(RawFormat::PcmS16be { sample_rate_hz, channels })
            }
            Self::MuLaw { sample_rate_hz, channels } => Some(RawFormat::MuLaw { sample_rate_hz, channels }),
            Self::Opus { .. } | Self::Container => None,
        }
    }
}

fn one() -> u16 {
    1
}

fn telephone_rate_hz() -> u32 {
    8_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_read_as_they_are_written() {
        let read = |json: &str| serde_json::from_str::<StreamFormat>(json);
        assert_eq!(read(r#"{"encoding":"container"}"#).unwrap(), StreamFormat::Container);
        assert_eq!(read(r#"{"encoding":"opus"}"#).unwrap(), StreamFormat::Opus { channels: 1 });
        let telephone = StreamFormat::MuLaw { sample_rate_hz: 8_000, channels: 1 };
        assert_eq!(read(r#"{"encoding":"mu_law"}"#).unwrap(), telephone);
        let pcm = StreamFormat::PcmS16be { sample_rate_hz: 48_000, channels: 2 };
        assert_eq!(read(&serde_json::to_string(&pcm).unwrap()).unwrap(), pcm);
        assert!(read(r#"{"encoding":"pcm_s16le"}"#).is_err(), "a rate must be said");
        assert!(read(r#"{"encoding":"opus","bits":16}"#).is_err());
    }
}
