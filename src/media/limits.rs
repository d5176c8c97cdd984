//! Every limit of the media room, with its default. Nothing here decodes.

use serde::{Deserialize, Serialize};

/// What the media room accepts. Declared sizes are checked before memory is taken, actual sizes while decoding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MediaLimits {
    /// The largest audio file or body, in bytes.
    pub max_audio_bytes: usize,
    /// The longest audio, in seconds.
    pub max_audio_seconds: u32,
    /// The largest piece of an audio stream, in bytes.
    pub max_chunk_bytes: usize,
    /// The longest piece of an audio stream, and the longest loss that is filled within one, in seconds.
    pub max_chunk_seconds: u32,
    /// The most channels of an audio track; they are averaged into one.
    pub max_channels: u16,
    /// The lowest sample rate, in Hz.
    pub min_sample_rate_hz: u32,
    /// The highest sample rate, in Hz.
    pub max_sample_rate_hz: u32,
    /// The largest encoded image, in bytes.
    pub max_image_bytes: usize,
    /// The most pixels of one image.
    pub max_image_pixels: u64,
    /// The longest side of one image, in pixels.
    pub max_image_side: u32,
    /// The most frames of one call.
    pub max_frames: usize,
    /// The most pixels of all frames of one call together.
    pub max_frames_pixels: u64,
    /// The time between frames whose names say no time, in milliseconds.
    pub frame_interval_ms: u64,
    /// The largest transcript, in bytes.
    pub max_transcript_bytes: usize,
    /// The most lines of a transcript that say something.
    pub max_transcript_lines: usize,
    /// The longest line of a transcript, in characters.
    pub max_line_characters: usize,
}

impl Default for MediaLimits {
    fn default() -> Self {
        Self {
            max_audio_bytes: 64 << 20,
            max_audio_seconds: 1_800,
            max_chunk_bytes: 1 << 20,
            max_chunk_seconds: 60,
            max_channels: 8,
            min_sample_rate_hz: 4_000,
            max_sample_rate_hz: 192_000,
            max_image_bytes: 16 << 20,
            max_image_pixels: 1 << 24,
            max_image_side: 8_192,
            max_frames: 600,
            max_frames_pixels: 1 << 28,
            frame_interval_ms: 1_000,
            max_transcript_bytes: 1 << 20,
            max_transcript_lines: 5_000,
            max_line_characters: 4_000,
        }
    }
}

impl MediaLimits {
    /// What is wrong with these limits as a configuration, one sentence a fault, each opening with the field's name.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let must_be_positive = [
            ("max_audio_bytes", self.max_audio_bytes == 0),
            ("max_audio_seconds", self.max_audio_seconds == 0),
            ("max_chunk_bytes", self.max_chunk_bytes == 0),
            ("max_chunk_seconds", self.max_chunk_seconds == 0),
            ("max_channels", self.max_channels == 0),
            ("min_sample_rate_hz", self.min_sample_rate_hz == 0),
            ("max_image_bytes", self.max_image_bytes == 0),
            ("max_image_pixels", self.max_image_pixels == 0),
            ("max_image_side", self.max_image_side == 0),
            ("max_frames", self.max_frames == 0),
            ("max_frames_pixels", self.max_frames_pixels == 0),
            ("frame_interval_ms", self.frame_interval_ms == 0),
            ("max_transcript_bytes", self.max_transcript_bytes == 0),
            ("max_transcript_lines", self.max_transcript_lines == 0),
            ("max_line_characters", self.max_line_characters == 0),
        ];
        let mut faults: Vec<String> = must_be_positive
            .iter()
            .filter(|(_, is_zero)| *is_zero)
            .map(|(name, _)| format!("{name} must not be zero"))
            .collect();
        if self.min_sample_rate_hz > self.max_sample_rate_hz {
            faults.push(format!(
                "min_sample_rate_hz ({}) must not be above max_sample_rate_hz ({})",
                self.min_sample_rate_hz, self.max_sample_rate_hz
            ));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_have_no_fault() {
        assert_eq!(MediaLimits::default().faults(), Vec::<String>::new());
    }

    #[test]
    fn every_fault_is_named() {
        let limits = MediaLimits { max_channels: 0, max_sample_rate_hz: 10, ..MediaLimits::default() };
        let faults = limits.faults();
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].starts_with("max_channels"));
        assert!(faults[1].starts_with("min_sample_rate_hz"));
    }

    #[test]
    fn missing_fields_take_their_defaults_and_unknown_ones_are_refused() {
        let limits: MediaLimits = toml::from_str("max_frames = 3").unwrap();
        assert_eq!(limits, MediaLimits { max_frames: 3, ..MediaLimits::default() });
        let error = toml::from_str::<MediaLimits>("max_frame = 3").unwrap_err().to_string();
        assert!(error.contains("max_frames"), "{error}");
    }
}
