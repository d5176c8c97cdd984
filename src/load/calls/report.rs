//! What a measurement of live calls says.

use std::collections::BTreeMap;

use serde::Serialize;

use super::player::Played;
use crate::load::Latency;

/// The most of the frames that may go unread because the server is too slow.
const FRAMES_DROPPED_SHARE: f64 = 0.05;

/// One measurement.
#[derive(Debug, Clone, Serialize)]
pub struct CallsReport {
    /// Calls at the same time.
    pub calls: usize,
    /// How long each of them lasted, in seconds.
    pub duration_s: f64,
    /// The longest latency that 95 in 100 readings may have, in milliseconds.
    pub bound_ms: f64,
    /// Whether the server held these calls: the bound, and no audio lost.
    pub held: bool,
    /// The latency of all readings, in milliseconds; none where there were none.
    pub latency_ms: Option<Latency>,
    /// The same by modality.
    pub by_modality: BTreeMap<String, Latency>,
    /// Readings that were counted.
    pub readings: usize,
    /// Frames that were sent.
    pub frames_sent: u64,
    /// Frames that were read.
    pub frames_read: u64,
    /// Frames that were not read because the server was too slow.
    pub frames_dropped: u64,
    /// Windows of speech that were not read.
    pub windows_skipped: u64,
    /// Bytes of audio that were skipped.
    pub audio_skipped_bytes: u64,
    /// Events that came too fast for the generator.
    pub events_missed: u64,
    /// Calls that ended before their time, and why the first did.
    pub failed: usize,
    /// Why the first one failed.
    pub example_failure: Option<String>,
    /// How much later than planned the generator sent, at worst, in milliseconds.
    pub lag_ms: f64,
    /// Where the server's time went, in seconds of work a second.
    pub stages: Vec<StageShare>,
    /// Memory of the server that these calls took, in bytes a call.
    pub memory_bytes_a_call: Option<u64>,
}

/// One stage's part of the server's time.
#[derive(Debug, Clone, Serialize)]
pub struct StageShare {
    /// The stage.
    pub stage: &'static str,
    /// Seconds of work a second: 1 is a core where the stage computes on one.
    pub busy: f64,
}

/// A search for the most calls that a server holds.
#[derive(Debug, Clone, Serialize)]
pub struct CallsSearch {
    /// The most calls that held; none where not even one did.
    pub calls: Option<usize>,
    /// Every number that was tried, in order.
    pub trials: Vec<CallsReport>,
}

impl CallsReport {
    pub(super) fn new(
        played: &[Played],
        failures: &[String],
        calls: usize,
        duration_s: f64,
        bound_ms: f64,
    ) -> Self {
        let sum = |count: fn(&Played) -> u64| played.iter().map(count).sum();
        let mut by_modality: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for call in played {
            for (modality, latencies) in &call.latencies_ms {
                by_modality.entry(modality).or_default().extend(latencies);
            }
        }
        let mut all: Vec<f64> = by_modality.values().flatten().copied().collect();
        let latency_ms = Latency::of(&mut all);
        let frames_sent: u64 = sum(|call| call.frames_sent);
        let frames_dropped: u64 = sum(|call| call.frames_dropped);
        let windows_skipped = sum(|call| call.windows_skipped);
        let audio_skipped_bytes = sum(|call| call.audio_skipped_bytes);
        let held = failures.is_empty()
            && latency_ms.is_some_and(|latency| latency.p95 <= bound_ms)
            && windows_skipped == 0
            && audio_skipped_bytes == 0
            && frames_dropped as f64 <= FRAMES_DROPPED_SHARE * frames_sent as f64;
        let each = by_modality.into_iter().filter_map(|(modality, mut latencies)| {
            Some((modality.to_owned(), Latency::of(&mut latencies)?))
        });
        Self {
            calls,
            duration_s,
            bound_ms,
            held,
            latency_ms,
            readings: all.len(),
            by_modality: each.collect(),
            frames_sent,
            frames_read: sum(|call| call.frames_read),
            frames_dropped,
            windows_skipped,
            audio_skipped_bytes,
            events_missed: sum(|call| call.events_missed),
            failed: failures.len(),
            example_failure: failures.first().cloned(),
            lag_ms: played.iter().map(|call| call.lag_ms).fold(0.0, f64::max),
            stages: Vec::new(),
            memory_bytes_a_call: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(latency_ms: f64) -> Played {
        Played {
            latencies_ms: BTreeMap::from([("face", vec![latency_ms; 20])]),
            frames_sent: 20,
            frames_read: 20,
            ..Played::default()
        }
    }

    #[test]
    fn what_is_lost_late_or_failed_does_not_hold() {
        let held =
            |played: Played, failures: &[String]| CallsReport::new(&[played], failures, 1, 10.0, 500.0).held;
        assert!(held(played(100.0), &[]));
        assert!(!held(played(501.0), &[]));
        assert!(!held(Played { windows_skipped: 1, ..played(1.0) }, &[]));
        assert!(!held(Played { audio_skipped_bytes: 1, ..played(1.0) }, &[]));
        assert!(!held(Played { frames_dropped: 2, ..played(1.0) }, &[]));
        assert!(!held(played(1.0), &["lost".to_owned()]));
        assert!(!held(Played::default(), &[]), "nothing read is nothing held");
    }
}
