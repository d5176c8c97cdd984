//! Media time: what senders write on their media becomes one time line of the call that never runs backwards.
//!
//! A sender may count from zero or from the epoch, may start again in the middle, and may leave the time out. When
//! something arrived plays no part, so a call that is fed faster than it was spoken reads the same.

/// From here on a first timestamp is taken for a time of day or of the epoch, in milliseconds: a day.
const ORIGIN_FROM_MS: u64 = 86_400_000;
/// How far a track's timestamps may run backwards before its clock is taken for a new one, in milliseconds.
const BACKWARD_LIMIT_MS: u64 = 10_000;

/// The clocks of a call's tracks.
#[derive(Debug, Clone, Default)]
pub(super) struct Clock {
    /// What the first timestamp of the call is counted from.
    origin_ms: Option<u64>,
    tracks: Vec<TrackClock>,
    max_gap_ms: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct TrackClock {
    newest_ms: Option<u64>,
    shift_ms: i64,
}

/// Where a timestamp lies on the call's time line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mapped {
    /// In milliseconds of media time.
    pub(super) at_ms: u64,
    /// Whether the track's clock began anew.
    pub(super) is_reset: bool,
}

impl Clock {
    pub(super) fn new(tracks: usize, max_gap_ms: u64) -> Self {
        Self { origin_ms: None, tracks: vec![TrackClock::default(); tracks], max_gap_ms }
    }

    /// Maps a timestamp of a track. Where its clock has begun anew, media go on at `follow_ms`.
    pub(super) fn map(&mut self, track: usize, stamp_ms: u64, follow_ms: u64) -> Mapped {
        let origin_ms = *self.origin_ms.get_or_insert(if stamp_ms >= ORIGIN_FROM_MS { stamp_ms } else { 0 });
        let Some(clock) = self.tracks.get_mut(track) else {
            return Mapped { at_ms: follow_ms, is_reset: false };
        };
        let counted_ms = signed(stamp_ms) - signed(origin_ms);
        let is_reset = match clock.newest_ms {
            Some(newest_ms) => {
                stamp_ms.saturating_add(BACKWARD_LIMIT_MS) < newest_ms
                    || stamp_ms > newest_ms.saturating_add(self.max_gap_ms)
            }
            // A track of its own count, beside others of the epoch or the other way round.
            None => counted_ms < -signed(BACKWARD_LIMIT_MS) || counted_ms.unsigned_abs() >= ORIGIN_FROM_MS,
        };
        if is_reset {
            clock.shift_ms = signed(follow_ms) - counted_ms;
            clock.newest_ms = Some(stamp_ms);
        } else {
            clock.newest_ms = clock.newest_ms.max(Some(stamp_ms));
        }
        let at_ms = counted_ms.saturating_add(clock.shift_ms);
        Mapped { at_ms: u64::try_from(at_ms).unwrap_or(0), is_reset }
    }
}

fn signed(value_ms: u64) -> i64 {
    i64::try_from(value_ms).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(clock: &mut Clock, track: usize, stamp_ms: u64, follow_ms: u64) -> (u64, bool) {
        let mapped = clock.map(track, stamp_ms, follow_ms);
        (mapped.at_ms, mapped.is_reset)
    }

    #[test]
    fn small_counts_stay_and_the_epoch_is_taken_off_for_all_tracks_alike() {
        let mut counted = Clock::new(2, 60_000);
        assert_eq!(at(&mut counted, 0, 500, 0), (500, false));
        assert_eq!(at(&mut counted, 1, 40, 0), (40, false));
        let mut dated = Clock::new(2, 60_000);
        assert_eq!(at(&mut dated, 0, 1_790_000_000_000, 0), (0, false));
        assert_eq!(at(&mut dated, 1, 1_790_000_000_250, 0), (250, false));
        // A little before the first is the beginning.
        assert_eq!(at(&mut dated, 1, 1_789_999_999_900, 0), (0, false));
    }

    #[test]
    fn a_clock_that_starts_again_goes_on() {
        let mut clock = Clock::new(1, 60_000);
        at(&mut clock, 0, 100_000, 0);
        assert_eq!(at(&mut clock, 0, 0, 100_020), (100_020, true));
        assert_eq!(at(&mut clock, 0, 20, 0), (100_040, false));
    }

    #[test]
    fn a_jump_ahead_is_a_new_clock_and_a_pause_is_not() {
        let mut clock = Clock::new(1, 60_000);
        at(&mut clock, 0, 0, 0);
        assert_eq!(at(&mut clock, 0, 50_000, 20), (50_000, false));
        assert_eq!(at(&mut clock, 0, u64::MAX, 50_020), (50_020, true));
        assert_eq!(at(&mut clock, 0, 7, 50_040), (50_040, true));
    }

    #[test]
    fn tracks_of_different_counts_meet() {
        let mut clock = Clock::new(2, 60_000);
        at(&mut clock, 0, 3_000, 0);
        assert_eq!(at(&mut clock, 1, 1_790_000_000_000, 3_100), (3_100, true));
        let mut other = Clock::new(2, 60_000);
        at(&mut other, 0, 1_790_000_000_000, 0);
        assert_eq!(at(&mut other, 1, 20, 900), (900, true));
    }

    #[test]
    fn an_older_piece_keeps_its_place() {
        let mut clock = Clock::new(1, 60_000);
        at(&mut clock, 0, 5_000, 0);
        assert_eq!(at(&mut clock, 0, 4_000, 5_020), (4_000, false));
        assert_eq!(at(&mut clock, 0, 5_020, 5_020), (5_020, false));
    }
}
