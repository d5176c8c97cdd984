//! The books of a session: what came in, what became of it, and what was left out.

use std::collections::BTreeMap;

use super::{Coverage, Event, FrameAnswer, Notice, NoticeCode, Totals};
use crate::emotion::{Modality, Span};
use crate::telemetry::record;

/// The books of one session.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) totals: Totals,
    notices: BTreeMap<NoticeCode, u64>,
    spoken: Covered,
    heard: Covered,
    seen_seconds: u64,
    last_seen_second: Option<u64>,
}

/// How much of the time line some spans cover, where they come nearly in order.
#[derive(Debug, Default)]
struct Covered {
    until_ms: u64,
    total_ms: u64,
}

impl Covered {
    fn add(&mut self, span: Span) {
        self.total_ms += span.end_ms.saturating_sub(span.start_ms.max(self.until_ms));
        self.until_ms = self.until_ms.max(span.end_ms);
    }
}

impl Books {
    /// Counts a notice; it is told when it holds for the first time.
    pub(super) fn note(
        &mut self,
        code: NoticeCode,
        track: Option<u8>,
        modality: Option<Modality>,
        message: impl Into<String>,
    ) -> Option<Event> {
        record::live_notice(code.name());
        let count = self.notices.entry(code).or_default();
        *count += 1;
        (*count == 1).then(|| Event::Notice(Notice { code, track, modality, message: message.into() }))
    }

    /// Counts an event of the state's; a notice goes on only when it holds for the first time.
    pub(super) fn pass(&mut self, event: Event) -> Option<Event> {
        match event {
            Event::Notice(Notice { code, track, modality, message }) => {
                self.note(code, track, modality, message)
            }
            event => Some(event),
        }
    }

    /// A window in which somebody speaks.
    pub(super) fn window_found(&mut self, span: Span) {
        self.spoken.add(span);
    }

    /// A window that was read.
    pub(super) fn window_read(&mut self, span: Span) {
        self.totals.windows_read += 1;
        self.heard.add(span);
    }

    /// A frame's answer that goes out.
    pub(super) fn frame(&mut self, answer: &FrameAnswer) {
        self.totals.frames += 1;
        match answer.skipped {
            Some(reason) => *self.totals.frames_skipped.entry(reason).or_default() += 1,
            None => {
                self.totals.frames_read += 1;
                if answer.faces.is_empty() {
                    self.totals.frames_without_face += 1;
                } else {
                    self.seen(answer.at_ms);
                }
            }
        }
    }

    fn seen(&mut self, at_ms: u64) {
        let second = at_ms / 1_000;
        if self.last_seen_second.is_none_or(|last| second > last) {
            self.seen_seconds += 1;
            self.last_seen_second = Some(second);
        }
    }

    /// How much of a call of this length was read.
    pub(super) fn coverage(&self, duration_ms: u64) -> Coverage {
        let share = |part: u64, whole: u64| {
            if whole == 0 { 0.0 } else { (part as f32 / whole as f32).clamp(0.0, 1.0) }
        };
        Coverage {
            text: share(self.totals.texts_read, self.totals.utterances),
            voice: share(self.heard.total_ms, self.spoken.total_ms),
            face: share(self.seen_seconds, duration_ms.div_ceil(1_000)),
        }
    }

    /// What was left out and how often.
    pub(super) fn notices(&self) -> BTreeMap<NoticeCode, u64> {
        self.notices.clone()
    }

    /// How many frames were skipped for a reason.
    #[cfg(test)]
    pub(super) fn skipped(&self, reason: super::SkipReason) -> u64 {
        self.totals.frames_skipped.get(&reason).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::SkipReason;
    use super::*;

    #[test]
    fn a_notice_is_told_once_and_counted_always() {
        let mut books = Books::default();
        assert!(books.note(NoticeCode::AudioGap, Some(0), None, "gap").is_some());
        assert!(books.note(NoticeCode::AudioGap, Some(0), None, "gap").is_none());
        assert!(books.note(NoticeCode::AudioLate, Some(0), None, "late").is_some());
        assert_eq!(books.notices()[&NoticeCode::AudioGap], 2);
    }

    #[test]
    fn overlapping_windows_count_once() {
        let mut books = Books::default();
        for span in [Span::new(0, 4_000), Span::new(2_000, 6_000)] {
            books.window_found(span);
        }
        books.window_read(Span::new(0, 4_000));
        let coverage = books.coverage(10_000);
        assert!((coverage.voice - 4.0 / 6.0).abs() < 1e-6);
        assert_eq!((coverage.text, coverage.face), (0.0, 0.0));
    }

    #[test]
    fn frames_are_counted_by_what_became_of_them() {
        let mut books = Books::default();
        let answer = |at_ms, skipped| FrameAnswer { track: 0, frame: 1, at_ms, skipped, faces: Vec::new() };
        books.frame(&answer(0, None));
        books.frame(&answer(10, Some(SkipReason::Late)));
        assert_eq!((books.totals.frames, books.totals.frames_without_face), (2, 1));
        assert_eq!(books.skipped(SkipReason::Late), 1);
    }
}
