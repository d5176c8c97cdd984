//! One telephone call as its messages come: the order, the tracks, the times, and what is counted. No socket and no
//! session: the route carries out what is said here.

use std::collections::BTreeMap;

use axum::body::Bytes;

use super::encoding::{self, Format, FormatError};
use super::message::{self, Media, Message, MessageLimits, Start, Track};
use super::order::{Order, Piece};
use super::parameters::Parameters;
use crate::telemetry::record;

/// What a call may cost, and whose voice it may bring.
#[derive(Debug, Clone, Copy)]
pub struct CallLimits {
    /// What a message may cost.
    pub message: MessageLimits,
    /// How many pieces of a track may wait for those before them.
    pub window: usize,
    /// How many faulty messages a call may bring before it is ended.
    pub max_faults: u64,
    /// Whether the agent's voice may be read.
    pub reads_agents: bool,
}

/// What to do after a message.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// Nothing.
    Nothing,
    /// A session is to be opened, or one that was left is to be taken up again.
    Open(Box<Opening>),
    /// Sound is to be passed on.
    Sound(Vec<Sound>),
    /// The call has ended, after this sound.
    End(Ending, Vec<Sound>),
}

/// How a call begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// The stream.
    pub stream: Option<String>,
    /// The call.
    pub call: Option<String>,
    /// The account with the telephone company.
    pub account: Option<String>,
    /// The format of its sound.
    pub format: Format,
    /// What the application says about it.
    pub parameters: Parameters,
}

/// A piece of sound in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    /// Whose voice it is.
    pub side: Side,
    /// When it begins; none where it follows what came before.
    pub at_ms: Option<u64>,
    /// The samples, in the format that a session takes.
    pub bytes: Bytes,
}

/// Whose voice a track has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The customer's.
    Customer,
    /// The agent's.
    Agent,
}

/// Why a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The telephone company said so.
    Stopped,
    /// Too many messages could not be read.
    TooManyFaults,
    /// The sound is of a format that cannot be read.
    Format(FormatError),
}

/// One call on one connection.
#[derive(Debug)]
pub struct Call {
    limits: CallLimits,
    stream: Option<Stream>,
    clock: Clock,
    /// Where the sound that was handed out ends.
    end_ms: u64,
    counts: BTreeMap<&'static str, u64>,
    faults: u64,
}

/// A stream that has begun.
#[derive(Debug)]
struct Stream {
    name: Option<String>,
    format: Format,
    is_binary: bool,
    customer: Track,
    rows: [Order; 2],
}

/// Media time over the connections of one session.
#[derive(Debug, Default)]
struct Clock {
    /// Where the session's media ended before this connection, and the earliest time that new media may have.
    resumed: Option<(u64, u64)>,
    /// What is added to this connection's times, once its first is known.
    offset_ms: Option<u64>,
}

impl Clock {
    /// A time of this connection as the session's. A stream that counts on is left alone; one that counts from zero
    /// again is put behind what was there before.
    fn session_time(&mut self, at_ms: u64) -> u64 {
        let resumed = self.resumed;
        let offset_ms = *self.offset_ms.get_or_insert_with(|| match resumed {
            Some((end_ms, floor_ms)) if at_ms < end_ms => floor_ms.saturating_sub(at_ms),
            _ => 0,
        });
        at_ms.saturating_add(offset_ms)
    }
}

impl Call {
    /// A call of which nothing is known.
    #[must_use]
    pub fn new(limits: CallLimits) -> Self {
        Self { limits, stream: None, clock: Clock::default(), end_ms: 0, counts: BTreeMap::new(), faults: 0 }
    }

    /// Says that this connection goes on with a session whose media ended at `end_ms`, and how much later it is now.
    pub fn resume(&mut self, end_ms: u64, gap_ms: u64) {
        self.clock = Clock { resumed: Some((end_ms, end_ms.saturating_add(gap_ms))), offset_ms: None };
    }

    /// Where the sound that was handed out ends, in milliseconds of the session's media time.
    #[must_use]
    pub const fn end_ms(&self) -> u64 {
        self.end_ms
    }

    /// What was counted, by reason.
    #[must_use]
    pub const fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    /// Whether its sound comes as binary messages.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.is_binary)
    }

    /// Takes a text message.
    pub fn take_text(&mut self, text: &str) -> Step {
        match message::read(text, &self.limits.message) {
            Err(error) => self.fault(error.reason()),
            Ok(Message::Start(start)) => self.start(*start),
            Ok(Message::Media(media)) => self.media(media),
            Ok(Message::Stop { stream }) => self.stop(stream.as_deref()),
            Ok(Message::Unknown) => {
                self.count("unknown_event");
                Step::Nothing
            }
            Ok(Message::Connected | Message::Digit | Message::Mark) => Step::Nothing,
        }
    }

    /// Takes a binary message: bare samples, in the dialect that has them.
    pub fn take_binary(&mut self, bytes: Bytes) -> Step {
        if bytes.len() > self.limits.message.max_bytes {
            return self.fault("too_large");
        }
        match &self.stream {
            Some(stream) if stream.is_binary => {
                let media = Media { stream: None, track: stream.customer, chunk: None, at_ms: None, bytes };
                self.media(media)
            }
            Some(_) => self.fault("malformed"),
            None => self.fault("before_start"),
        }
    }

    /// The sound that waits still, for a connection that has ended.
    pub fn rest(&mut self) -> Vec<Sound> {
        let mut sounds = Vec::new();
        for track in [Track::Inbound, Track::Outbound] {
            let mut ready = Vec::new();
            if let Some(stream) = &mut self.stream {
                stream.rows[track as usize].flush(&mut ready);
            }
            self.count_disorder(track);
            sounds.extend(self.sounds(track, ready));
        }
        sounds
    }

    fn start(&mut self, start: Start) -> Step {
        if self.stream.is_some() {
            // Some say it twice; one connection has one stream all the same.
            self.count("repeated_start");
            return Step::Nothing;
        }
        let parameters = Parameters::of(&start.parameters);
        parameters.faulty.iter().for_each(|_| self.count("faulty_parameter"));
        let format = match encoding::format_of(&start, parameters.is_big_endian) {
            Ok(format) => format,
            Err(error) => {
                self.count("format");
                return Step::End(Ending::Format(error), Vec::new());
            }
        };
        self.stream = Some(Stream {
            name: start.stream.clone(),
            format,
            is_binary: start.is_binary,
            customer: parameters.customer_track.unwrap_or(Track::Inbound),
            rows: [Order::new(self.limits.window), Order::new(self.limits.window)],
        });
        let Start { stream, call, account, .. } = start;
        Step::Open(Box::new(Opening { stream, call, account, format, parameters }))
    }

    fn media(&mut self, media: Media) -> Step {
        let Some(stream) = &mut self.stream else { return self.fault("before_start") };
        if is_foreign(stream.name.as_deref(), media.stream.as_deref()) {
            return self.fault("other_stream");
        }
        if media.track != stream.customer && !self.limits.reads_agents {
            // Nothing of it is kept, not even for the order.
            self.count("agent_voice");
            return Step::Nothing;
        }
        let piece = Piece {
            chunk: media.chunk,
            at_ms: media.at_ms,
            duration_ms: stream.format.duration_ms(media.bytes.len()),
            bytes: media.bytes,
        };
        let mut ready = Vec::new();
        stream.rows[media.track as usize].take(piece, &mut ready);
        self.count_disorder(media.track);
        match self.sounds(media.track, ready) {
            sounds if sounds.is_empty() => Step::Nothing,
            sounds => Step::Sound(sounds),
        }
    }

    fn stop(&mut self, name: Option<&str>) -> Step {
        let own = self.stream.as_ref().and_then(|stream| stream.name.as_deref());
        if is_foreign(own, name) {
            return self.fault("other_stream");
        }
        let rest = self.rest();
        Step::End(Ending::Stopped, rest)
    }

    /// Pieces of a track as a session takes them.
    fn sounds(&mut self, track: Track, ready: Vec<Piece>) -> Vec<Sound> {
        let Some(stream) = &self.stream else { return Vec::new() };
        let side = if track == stream.customer { Side::Customer } else { Side::Agent };
        let pieces = ready.into_iter().filter(|piece| !piece.bytes.is_empty());
        let (clock, end_ms) = (&mut self.clock, &mut self.end_ms);
        let sound = |piece: Piece| {
            let at_ms = piece.at_ms.map(|at_ms| clock.session_time(at_ms));
            *end_ms = at_ms.map_or(*end_ms, |at_ms| at_ms.saturating_add(piece.duration_ms).max(*end_ms));
            Sound { side, at_ms, bytes: stream.format.readable(piece.bytes) }
        };
        pieces.map(sound).collect()
    }

    fn fault(&mut self, reason: &'static str) -> Step {
        self.count(reason);
        self.faults += 1;
        if self.faults <= self.limits.max_faults {
            return Step::Nothing;
        }
        let rest = self.rest();
        Step::End(Ending::TooManyFaults, rest)
    }

    fn count_disorder(&mut self, track: Track) {
        let Some(stream) = &mut self.stream else { return };
        let found = stream.rows[track as usize].disorder();
        for (reason, times) in
            [("reordered", found.reordered), ("missing", found.missing), ("repeated_or_late", found.stale)]
        {
            (0..times).for_each(|_| self.count(reason));
        }
    }

    fn count(&mut self, reason: &'static str) {
        *self.counts.entry(reason).or_default() += 1;
        record::telephony_trouble(reason);
    }
}

/// Whether a message names another stream than the connection's; where either is nameless there is nothing to tell.
fn is_foreign(own: Option<&str>, other: Option<&str>) -> bool {
    matches!((own, other), (Some(own), Some(other)) if own != other)
}

#[cfg(test)]
#[path = "call_tests.rs"]
mod tests;
