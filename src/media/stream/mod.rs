//! Audio that comes in pieces.

use super::{MediaError, MediaLimits, SpeechWindow, WindowConfig};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
/// How pieces are written.
pub enum StreamFormat {
    /// PCM
    PcmS16le {
        /// rate
        sample_rate_hz: u32,
        /// channels
        channels: u16,
    },
    /// PCM
    PcmS16be {
        /// rate
        sample_rate_hz: u32,
        /// channels
        channels: u16,
    },
    /// mu-law
    MuLaw {
        /// rate
        sample_rate_hz: u32,
        /// channels
        channels: u16,
    },
    /// Opus
    Opus {
        /// channels
        channels: u16,
    },
    /// container
    Container,
}
/// Audio.
pub struct AudioStream(u64);
impl AudioStream {
    /// New.
    pub fn new(_: StreamFormat, _: &MediaLimits) -> Result<Self, MediaError> {
        Ok(Self(0))
    }
    /// Push.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<f32>) -> Result<(), MediaError> {
        out.extend(
            bytes.as_chunks::<2>().0.iter().map(|pair| f32::from(i16::from_le_bytes(*pair)) / 32768.0),
        );
        self.0 += bytes.len() as u64 / 2;
        Ok(())
    }
    /// Finish.
    pub fn finish(&mut self, _: &mut Vec<f32>) -> Result<(), MediaError> {
        self.0 = 0;
        Ok(())
    }
    /// Damaged.
    pub fn damaged_packets(&self) -> u64 {
        0
    }
    /// Taken.
    pub fn taken_samples(&self) -> u64 {
        self.0
    }
}
/// Event.
pub enum SpeechEvent {
    /// Started.
    Started {
        /// at
        at_ms: u64,
    },
    /// Ended.
    Ended {
        /// start
        start_ms: u64,
        /// end
        end_ms: u64,
    },
    /// Window.
    Window(SpeechWindow),
}
/// Speech.
pub struct SpeechStream;
impl SpeechStream {
    /// New.
    pub fn new(_: WindowConfig) -> Self {
        Self
    }
    /// Push.
    pub fn push(&mut self, _: &[f32]) -> Vec<SpeechEvent> {
        Vec::new()
    }
    /// Skip.
    pub fn skip_to(&mut self, _: u64) -> Vec<SpeechEvent> {
        Vec::new()
    }
    /// Finish.
    pub fn finish(&mut self) -> Vec<SpeechEvent> {
        Vec::new()
    }
    /// Speaking.
    pub fn is_speaking(&self) -> bool {
        false
    }
}
