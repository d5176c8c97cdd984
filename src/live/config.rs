//! The limits and habits of live calls, each with its default.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What live calls may cost and how they are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LiveConfig {
    /// Calls at the same time.
    pub max_sessions: usize,
    /// Tracks of one call.
    pub max_tracks: usize,
    /// The largest message of a live connection, in bytes.
    pub max_message_bytes: usize,
    /// Undecoded audio of one call that may wait, in bytes; a sender waits for room before audio is skipped.
    pub max_audio_backlog_bytes: usize,
    /// How long a sender of audio waits for room before the piece is skipped, in milliseconds.
    pub audio_patience_ms: u64,
    /// Windows of speech of one call that may wait for the model; beyond it the oldest is skipped.
    pub max_waiting_windows: usize,
    /// Utterances of one call that are remembered for the customer's concern.
    pub max_utterances: usize,
    /// Characters of one utterance.
    pub max_text_characters: usize,
    /// Events of one call that are kept for readers who come back.
    pub max_kept_events: usize,
    /// The same in bytes.
    pub max_kept_bytes: usize,
    /// Faulty messages after which a call is ended.
    pub max_faults: u64,
    /// How long a call waits for its client to come back, in milliseconds.
    pub resume_ms: u64,
    /// How long a call goes on without any media or message, in milliseconds.
    pub idle_timeout_ms: u64,
    /// The longest call, in milliseconds.
    pub max_duration_ms: u64,
    /// From one emotion vector to the next where the client does not say, in milliseconds of media time.
    pub emotion_interval_ms: u64,
    /// From one ranking to the next at least, in milliseconds of media time.
    pub ranking_interval_ms: u64,
    /// How much a score must change for a ranking to be sent, where the client does not say.
    pub ranking_min_change: f32,
    /// Frames a second that are read while the customer speaks.
    pub speaking_frames_per_second: f32,
    /// Frames a second that are read in silence.
    pub silent_frames_per_second: f32,
    /// Faces of a frame that are read, the largest first.
    pub max_faces: usize,
    /// Of so many frames read, one is searched as a whole; the others only around the faces known.
    pub detect_every: u32,
    /// How long a face that left keeps its number, in milliseconds of media time.
    pub forget_face_ms: u64,
    /// How far a timestamp may be off before it counts as a gap or an overlap, in milliseconds.
    pub time_tolerance_ms: u64,
    /// The longest gap in a track's timestamps; a longer one is taken for a new clock, in milliseconds.
    pub max_gap_ms: u64,
    /// The folder of recordings; none: calls are not recorded.
    pub record_folder: Option<PathBuf>,
    /// Whether the words are in a recording; otherwise only what follows from them.
    pub record_words: bool,
    /// The largest recording, in bytes.
    pub record_max_bytes: u64,
}

impl Default for LiveConfig {
    fn default() -> Self {
        Self {
            max_sessions: 256,
            max_tracks: 8,
            max_message_bytes: 4 << 20,
            max_audio_backlog_bytes: 1 << 20,
            audio_patience_ms: 5_000,
            max_waiting_windows: 8,
            max_utterances: 400,
            max_text_characters: 4_000,
            max_kept_events: 256,
            max_kept_bytes: 128 << 10,
            max_faults: 100,
            resume_ms: 30_000,
            idle_timeout_ms: 60_000,
            max_duration_ms: 4 * 3_600_000,
            emotion_interval_ms: 1_000,
            ranking_interval_ms: 2_000,
            ranking_min_change: 0.03,
            speaking_frames_per_second: 2.0,
            silent_frames_per_second: 0.5,
            max_faces: 4,
            detect_every: 4,
            forget_face_ms: 2_000,
            time_tolerance_ms: 60,
            max_gap_ms: 60_000,
            record_folder: None,
            record_words: false,
            record_max_bytes: 16 << 20,
        }
    }
}

impl LiveConfig {
    /// What is wrong with these values, as pairs of key and problem.
    #[must_use]
    pub fn validate(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let counts = [
            ("max_sessions", self.max_sessions as u64, 1..=100_000),
            ("max_tracks", self.max_tracks as u64, 1..=64),
            ("max_message_bytes", self.max_message_bytes as u64, 1 << 12..=1 << 26),
            ("max_audio_backlog_bytes", self.max_audio_backlog_bytes as u64, 1 << 14..=1 << 28),
            ("audio_patience_ms", self.audio_patience_ms, 0..=60_000),
            ("max_waiting_windows", self.max_waiting_windows as u64, 1..=1_000),
            ("max_utterances", self.max_utterances as u64, 1..=10_000),
            ("max_text_characters", self.max_text_characters as u64, 1..=100_000),
            ("max_kept_events", self.max_kept_events as u64, 8..=100_000),
            ("max_kept_bytes", self.max_kept_bytes as u64, 1 << 12..=1 << 28),
            ("max_faults", self.max_faults, 1..=1_000_000),
            ("resume_ms", self.resume_ms, 0..=3_600_000),
            ("idle_timeout_ms", self.idle_timeout_ms, 100..=86_400_000),
            ("max_duration_ms", self.max_duration_ms, 1_000..=86_400_000),
            ("emotion_interval_ms", self.emotion_interval_ms, 100..=60_000),
            ("ranking_interval_ms", self.ranking_interval_ms, 100..=600_000),
            ("max_faces", self.max_faces as u64, 1..=64),
            ("detect_every", u64::from(self.detect_every), 1..=1_000),
            ("forget_face_ms", self.forget_face_ms, 0..=60_000),
            ("time_tolerance_ms", self.time_tolerance_ms, 1..=1_000),
            ("max_gap_ms", self.max_gap_ms, 1_000..=3_600_000),
            ("record_max_bytes", self.record_max_bytes, 1 << 16..=1 << 34),
        ];
        for (key, value, range) in counts {
            if !range.contains(&value) {
                let problem = format!("{value} is not within {} to {}", range.start(), range.end());
                faults.push((key.to_owned(), problem));
            }
        }
        let decimals = [
            ("ranking_min_change", self.ranking_min_change, 0.0..=1.0),
            ("speaking_frames_per_second", self.speaking_frames_per_second, 0.01..=30.0),
            ("silent_frames_per_second", self.silent_frames_per_second, 0.01..=30.0),
        ];
        for (key, value, range) in decimals {
            if !range.contains(&value) {
                let problem = format!("{value} is not within {} to {}", range.start(), range.end());
                faults.push((key.to_owned(), problem));
            }
        }
        faults
    }

    /// How long a call waits for its client to come back.
    #[must_use]
    pub const fn resume_time(&self) -> Duration {
        Duration::from_millis(self.resume_ms)
    }

    /// How long a call goes on without any media or message.
    #[must_use]
    pub const fn idle_timeout(&self) -> Duration {
        Duration::from_millis(self.idle_timeout_ms)
    }

    /// How long a sender of audio waits for room.
    #[must_use]
    pub const fn audio_patience(&self) -> Duration {
        Duration::from_millis(self.audio_patience_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_have_no_fault_and_every_fault_is_named() {
        assert_eq!(LiveConfig::default().validate(), []);
        let config = LiveConfig {
            max_sessions: 0,
            silent_frames_per_second: f32::NAN,
            max_gap_ms: 1,
            ..LiveConfig::default()
        };
        let keys: Vec<_> = config.validate().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["max_sessions", "max_gap_ms", "silent_frames_per_second"]);
    }
}
