//! The frames of a call before they are read: which are worth it, which wait, and that each gets its answer in order.
//!
//! Newest first: one frame of a track waits at most, and a newer one takes its place. How many are read follows the
//! customer's speech, the client's wish and how well the server keeps up. Nothing here decodes.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;

use super::{FrameAnswer, LiveConfig, SeenPerson, SkipReason};

/// The least share of the wished rate that is read when the server does not keep up.
const LEAST_PACE: f32 = 0.125;
/// What one sign of overload makes of the pace, and one frame that was read in time.
const SLOWER: f32 = 0.7;
const FASTER: f32 = 1.05;
/// How much early a frame may be for its turn, as a share of the time between two: cameras are not that regular.
const EARLINESS: f32 = 0.25;

/// A frame whose turn it is.
#[derive(Debug)]
pub(super) struct WaitingFrame {
    pub(super) track: u8,
    pub(super) frame: u64,
    pub(super) at_ms: u64,
    pub(super) bytes: Bytes,
    /// When it came, for the measurement of latency.
    pub(super) came: Instant,
}

/// The frames of all tracks of a call.
#[derive(Debug)]
pub(super) struct FrameDesk {
    tracks: Vec<Track>,
    speaking_rate: f32,
    silent_rate: f32,
    is_speaking: bool,
    /// The share of the wished rate that is read, 1 where the server keeps up.
    pace: f32,
    /// Which track had its turn last.
    turn: usize,
}

#[derive(Debug, Default)]
struct Track {
    frames: u64,
    /// The media time of the newest frame that was taken up, in milliseconds.
    newest_ms: Option<u64>,
    waiting: Option<WaitingFrame>,
    /// The frames without an answer that went out, in order.
    answers: VecDeque<Ticket>,
}

#[derive(Debug)]
struct Ticket {
    frame: u64,
    at_ms: u64,
    answer: Option<FrameAnswer>,
}

impl FrameDesk {
    /// A desk for so many tracks; a wished rate of the client's is kept below the server's.
    pub(super) fn new(tracks: usize, wished: Option<f32>, config: &LiveConfig) -> Self {
        let speaking_rate = wished.unwrap_or(config.speaking_frames_per_second);
        Self {
            tracks: (0..tracks).map(|_| Track::default()).collect(),
            speaking_rate,
            silent_rate: config.silent_frames_per_second.min(speaking_rate),
            is_speaking: false,
            pace: 1.0,
            turn: 0,
        }
    }

    /// Takes a frame in: it waits for its turn, or its answer is settled already. Returns whether it waits.
    pub(super) fn offer(&mut self, track: u8, at_ms: u64, bytes: Bytes) -> bool {
        let interval_ms = self.interval_ms();
        let Some(desk) = self.tracks.get_mut(usize::from(track)) else { return false };
        desk.frames += 1;
        let frame = desk.frames;
        desk.answers.push_back(Ticket { frame, at_ms, answer: None });
        let skipped = match desk.newest_ms {
            Some(newest_ms) if at_ms <= newest_ms => Some(SkipReason::Late),
            Some(newest_ms) if ((at_ms - newest_ms) as f32) < interval_ms * (1.0 - EARLINESS) => {
                Some(SkipReason::SampledOut)
            }
            _ => None,
        };
        if let Some(reason) = skipped {
            self.skip(track, frame, reason);
            return false;
        }
        desk.newest_ms = Some(at_ms);
        let newer = WaitingFrame { track, frame, at_ms, bytes, came: Instant::now() };
        if let Some(older) = desk.waiting.replace(newer) {
            self.pace = (self.pace * SLOWER).max(LEAST_PACE);
            self.skip(track, older.frame, SkipReason::Superseded);
        }
        true
    }

    /// The time between two frames that are read, in milliseconds.
    pub(super) fn interval_ms(&self) -> f32 {
        let rate = if self.is_speaking { self.speaking_rate } else { self.silent_rate };
        1_000.0 / (rate * self.pace).max(0.001)
    }

    /// The frame whose turn it is: tracks take turns.
    pub(super) fn take(&mut self) -> Option<WaitingFrame> {
        let count = self.tracks.len();
        let found = (1..=count)
            .map(|step| (self.turn + step) % count)
            .find(|index| self.tracks[*index].waiting.is_some())?;
        self.turn = found;
        self.tracks[found].waiting.take()
    }

    /// Settles the answer to a frame that was read.
    pub(super) fn read(&mut self, track: u8, frame: u64, faces: Vec<SeenPerson>) {
        self.pace = (self.pace * FASTER).min(1.0);
        self.settle(track, frame, None, faces);
    }

    /// Settles the answer to a frame that was not read.
    pub(super) fn skip(&mut self, track: u8, frame: u64, reason: SkipReason) {
        if reason == SkipReason::Overloaded {
            self.pace = (self.pace * SLOWER).max(LEAST_PACE);
        }
        self.settle(track, frame, Some(reason), Vec::new());
    }

    fn settle(&mut self, track: u8, frame: u64, skipped: Option<SkipReason>, faces: Vec<SeenPerson>) {
        let Some(desk) = self.tracks.get_mut(usize::from(track)) else { return };
        let ticket = desk.answers.iter_mut().find(|ticket| ticket.frame == frame);
        if let Some(ticket) = ticket {
            ticket.answer = Some(FrameAnswer { track, frame, at_ms: ticket.at_ms, skipped, faces });
        }
    }

    /// The answers whose turn it is to go out.
    pub(super) fn answers(&mut self) -> Vec<FrameAnswer> {
        let mut ready = Vec::new();
        for desk in &mut self.tracks {
            while desk.answers.front().is_some_and(|ticket| ticket.answer.is_some()) {
                ready.extend(desk.answers.pop_front().and_then(|ticket| ticket.answer));
            }
        }
        ready
    }

    /// Gives up every frame that has no answer yet.
    pub(super) fn end(&mut self) {
        for track in 0..self.tracks.len() {
            self.tracks[track].waiting = None;
            let open: Vec<u64> = self.tracks[track]
                .answers
                .iter()
                .filter(|ticket| ticket.answer.is_none())
                .map(|ticket| ticket.frame)
                .collect();
            for frame in open {
                self.skip(track as u8, frame, SkipReason::Ended);
            }
        }
    }

    /// Says whether the customer speaks: a face that speaks changes faster than one that listens.
    pub(super) fn set_speaking(&mut self, is_speaking: bool) {
        self.is_speaking = is_speaking;
    }

    /// Whether fewer frames are read than was wished.
    pub(super) fn is_thinned(&self) -> bool {
        self.pace < 0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk(tracks: usize) -> FrameDesk {
        let mut desk = FrameDesk::new(tracks, None, &LiveConfig::default());
        desk.set_speaking(true);
        desk
    }

    fn offer(desk: &mut FrameDesk, track: u8, at_ms: u64) -> bool {
        desk.offer(track, at_ms, Bytes::from_static(b"frame"))
    }

    fn reasons(answers: &[FrameAnswer]) -> Vec<(u64, Option<SkipReason>)> {
        answers.iter().map(|answer| (answer.frame, answer.skipped)).collect()
    }

    #[test]
    fn two_frames_a_second_are_read_while_somebody_speaks_and_one_in_two_seconds_else() {
        let mut desk = desk(1);
        let read = |desk: &mut FrameDesk, from_ms: u64| {
            let mut count = 0;
            for at_ms in (from_ms..from_ms + 10_000).step_by(100) {
                if offer(desk, 0, at_ms) {
                    let frame = desk.take().unwrap();
                    desk.read(0, frame.frame, Vec::new());
                    count += 1;
                }
            }
            count
        };
        let speaking = read(&mut desk, 0);
        desk.set_speaking(false);
        let silent = read(&mut desk, 20_000);
        assert!((18..=26).contains(&speaking), "{speaking}");
        assert!((4..=7).contains(&silent), "{silent}");
        assert_eq!(desk.answers().len(), 200);
    }

    #[test]
    fn a_newer_frame_takes_the_place_of_the_one_that_waits_and_answers_keep_their_order() {
        let mut desk = desk(1);
        assert!(offer(&mut desk, 0, 0));
        let first = desk.take().unwrap();
        assert!(offer(&mut desk, 0, 500) && offer(&mut desk, 0, 1_500));
        assert_eq!(desk.answers(), []);
        desk.read(0, first.frame, Vec::new());
        assert_eq!(reasons(&desk.answers()), [(1, None), (2, Some(SkipReason::Superseded))]);
        let third = desk.take().unwrap();
        assert_eq!((third.frame, third.at_ms), (3, 1_500));
        desk.skip(0, third.frame, SkipReason::Unreadable);
        assert_eq!(reasons(&desk.answers()), [(3, Some(SkipReason::Unreadable))]);
    }

    #[test]
    fn old_frames_and_repeated_ones_are_late() {
        let mut desk = desk(1);
        offer(&mut desk, 0, 5_000);
        for at_ms in [5_000, 4_000] {
            assert!(!offer(&mut desk, 0, at_ms));
        }
        desk.end();
        let late = Some(SkipReason::Late);
        assert_eq!(reasons(&desk.answers()), [(1, Some(SkipReason::Ended)), (2, late), (3, late)]);
    }

    #[test]
    fn the_rate_falls_when_the_server_does_not_keep_up_and_recovers() {
        let mut desk = desk(1);
        for step in 0..20 {
            offer(&mut desk, 0, step * 10_000);
        }
        assert!(desk.is_thinned() && desk.pace >= LEAST_PACE);
        for step in 20..100 {
            offer(&mut desk, 0, step * 10_000);
            let frame = desk.take().unwrap();
            desk.read(0, frame.frame, Vec::new());
        }
        assert!(!desk.is_thinned());
    }

    #[test]
    fn tracks_take_turns_and_unknown_ones_are_ignored() {
        let mut desk = desk(2);
        for at_ms in [0, 1_000, 2_000] {
            offer(&mut desk, 0, at_ms);
            offer(&mut desk, 1, at_ms);
        }
        assert_eq!(desk.take().map(|frame| frame.track), Some(1));
        assert_eq!(desk.take().map(|frame| frame.track), Some(0));
        assert!(desk.take().is_none());
        assert!(!offer(&mut desk, 9, 0));
    }

    #[test]
    fn a_client_may_ask_for_fewer_frames() {
        let mut desk = FrameDesk::new(1, Some(0.1), &LiveConfig::default());
        assert!(offer(&mut desk, 0, 0));
        assert!(!offer(&mut desk, 0, 5_000));
        assert!(offer(&mut desk, 0, 10_000));
    }
}
