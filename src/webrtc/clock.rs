//! From RTP timestamps to media time: milliseconds since the first packet of the publication, the same for all tracks.
//!
//! A track's timestamps begin at a random number. Its first packet is placed by the moment of its arrival; from then on
//! only timestamps count, so that jitter of the network does not become jitter of the media. When the sender has
//! reported the wall clock of both tracks, the video is placed beside the audio by it, which is exact.

use std::time::{Duration, Instant, SystemTime};

/// The tracks of a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Track {
    /// The sound.
    Audio,
    /// The pictures.
    Video,
}

/// How far timestamps and arrival may differ before the track is placed anew: the sender has begun another count then.
const MAX_DRIFT_MS: i64 = 10_000;
/// How far a wall-clock report may move the video. A report that asks for more is not believed.
const MAX_SHIFT_MS: i64 = 2_000;

/// The media clock of one publication.
#[derive(Debug, Default)]
pub(super) struct MediaClock {
    start: Option<Instant>,
    audio: Option<TrackClock>,
    video: Option<TrackClock>,
}

/// Where one track's timestamps lie in media time.
#[derive(Debug)]
struct TrackClock {
    ticks_per_second: u32,
    /// A timestamp and its media time.
    anchor_ticks: u64,
    anchor_ms: i64,
    /// The latest timestamp.
    latest_ticks: u64,
    /// A timestamp and its moment by the sender's wall clock.
    report: Option<(u64, SystemTime)>,
}

impl TrackClock {
    fn at_ms(&self, ticks: u64) -> i64 {
        let ahead = i128::from(ticks) - i128::from(self.anchor_ticks);
        let milliseconds = ahead * 1_000 / i128::from(self.ticks_per_second.max(1));
        self.anchor_ms.saturating_add(i64::try_from(milliseconds).unwrap_or(i64::MAX))
    }
}

impl MediaClock {
    /// The media time of a packet in milliseconds. The ticks are extended beyond the 32 bits of the packet, so that they
    /// do not wrap around.
    pub(super) fn at_ms(&mut self, track: Track, ticks: u64, ticks_per_second: u32, arrival: Instant) -> u64 {
        let start = *self.start.get_or_insert(arrival);
        let arrival_ms = milliseconds(arrival.saturating_duration_since(start));
        let place = match track {
            Track::Audio => &mut self.audio,
            Track::Video => &mut self.video,
        };
        let clock = place.get_or_insert(TrackClock {
            ticks_per_second,
            anchor_ticks: ticks,
            anchor_ms: arrival_ms,
            latest_ticks: ticks,
            report: None,
        });
        clock.latest_ticks = ticks;
        if clock.at_ms(ticks).abs_diff(arrival_ms) > MAX_DRIFT_MS.unsigned_abs() {
            clock.anchor_ticks = ticks;
            clock.anchor_ms = arrival_ms;
            // What was reported belongs to the old count.
            clock.report = None;
        }
        u64::try_from(clock.at_ms(ticks)).unwrap_or(0)
    }

    /// Takes the sender's word on the wall-clock time of a timestamp, of which only the lower 32 bits count.
    pub(super) fn report(&mut self, track: Track, ticks: u64, wall_clock: SystemTime) {
        let place = match track {
            Track::Audio => &mut self.audio,
            Track::Video => &mut self.video,
        };
        let Some(clock) = place else { return };
        clock.report = Some((near(ticks, clock.latest_ticks), wall_clock));
        self.align();
    }

    /// Places the video beside the audio, where both wall clocks are known.
    fn align(&mut self) {
        let (Some(audio), Some(video)) = (&self.audio, &mut self.video) else { return };
        let (Some((audio_ticks, audio_wall)), Some((video_ticks, video_wall))) = (audio.report, video.report)
        else {
            return;
        };
        let behind_ms = match video_wall.duration_since(audio_wall) {
            Ok(ahead) => milliseconds(ahead),
            Err(error) => -milliseconds(error.duration()),
        };
        let expected_ms = audio.at_ms(audio_ticks).saturating_add(behind_ms);
        let shift_ms = expected_ms.saturating_sub(video.at_ms(video_ticks));
        if shift_ms.unsigned_abs() <= MAX_SHIFT_MS.unsigned_abs() {
            video.anchor_ms += shift_ms;
        }
    }
}

/// The count nearest to another one that has the same lower 32 bits.
fn near(ticks: u64, other: u64) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "the lower bits are what is meant")]
    let ahead = (ticks as u32).wrapping_sub(other as u32).cast_signed();
    other.saturating_add_signed(i64::from(ahead))
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUDIO: u32 = 48_000;
    const VIDEO: u32 = 90_000;

    fn after(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn timestamps_count_and_jitter_does_not() {
        let (mut clock, start) = (MediaClock::default(), Instant::now());
        let mut at = |ticks, ms| clock.at_ms(Track::Audio, ticks, AUDIO, after(start, ms));
        assert_eq!(at(5_000_000, 0), 0);
        assert_eq!(at(5_000_960, 90), 20);
        assert_eq!(at(5_001_920, 91), 40);
        // Three packets are lost: the gap stays.
        assert_eq!(at(5_005_760, 120), 120);
        // One from before the first, which arrived late, is not before time began.
        assert_eq!(at(4_999_040, 130), 0);
    }

    #[test]
    fn a_later_track_begins_when_its_first_packet_arrives() {
        let (mut clock, start) = (MediaClock::default(), Instant::now());
        assert_eq!(clock.at_ms(Track::Audio, 7, AUDIO, start), 0);
        assert_eq!(clock.at_ms(Track::Video, 900_000, VIDEO, after(start, 300)), 300);
        assert_eq!(clock.at_ms(Track::Video, 945_000, VIDEO, after(start, 900)), 800);
    }

    #[test]
    fn a_count_that_starts_anew_is_placed_anew() {
        let (mut clock, start) = (MediaClock::default(), Instant::now());
        assert_eq!(clock.at_ms(Track::Audio, 1 << 31, AUDIO, start), 0);
        assert_eq!(clock.at_ms(Track::Audio, 17, AUDIO, after(start, 2_000)), 2_000);
        assert_eq!(clock.at_ms(Track::Audio, 17 + 960, AUDIO, after(start, 2_020)), 2_020);
    }

    #[test]
    fn reports_put_the_video_beside_the_audio() {
        let (mut clock, start) = (MediaClock::default(), Instant::now());
        clock.at_ms(Track::Audio, 48_000, AUDIO, start);
        // The first picture took 250 ms longer on its way than the sound.
        assert_eq!(clock.at_ms(Track::Video, 90_000, VIDEO, after(start, 250)), 250);
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        clock.report(Track::Audio, 48_000, wall);
        assert_eq!(
            clock.at_ms(Track::Video, 90_000, VIDEO, after(start, 250)),
            250,
            "one report says nothing"
        );
        clock.report(Track::Video, 90_000 + 45_000, wall + Duration::from_millis(500));
        assert_eq!(clock.at_ms(Track::Video, 90_000, VIDEO, after(start, 250)), 0);
        assert_eq!(clock.at_ms(Track::Video, 180_000, VIDEO, after(start, 1_250)), 1_000);
    }

    #[test]
    fn reports_that_lie_are_not_believed() {
        let (mut clock, start) = (MediaClock::default(), Instant::now());
        clock.at_ms(Track::Audio, 0, AUDIO, start);
        clock.at_ms(Track::Video, 0, VIDEO, start);
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        clock.report(Track::Audio, 0, wall);
        clock.report(Track::Video, 0, wall - Duration::from_secs(60));
        assert_eq!(clock.at_ms(Track::Video, 9_000, VIDEO, after(start, 100)), 100);
        clock.report(Track::Video, 0, wall - Duration::from_millis(40));
        assert_eq!(clock.at_ms(Track::Video, 9_000, VIDEO, after(start, 100)), 60);
    }

    #[test]
    fn reports_have_32_bits_and_the_clock_has_more() {
        assert_eq!(near(5, (1 << 32) + 3), (1 << 32) + 5);
        assert_eq!(near(u64::from(u32::MAX), (1 << 32) + 3), (1 << 32) - 1);
        assert_eq!(near(7, 7), 7);
    }
}
