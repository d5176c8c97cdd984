//! One track of audio, from pieces as they came to windows of speech at their place in time.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::clock::Clock;
use super::session::lock;
use super::{AudioEncoding, LiveConfig, TrackOptions};
use crate::media::stream::{AudioStream, SpeechEvent, SpeechStream, StreamFormat};
use crate::media::{MediaError, MediaLimits, SAMPLE_RATE_HZ, WindowConfig};
use crate::telemetry::record;

/// Pieces are joined until this much has come together, because each step over a thread has its price.
const JOINED_BYTES: usize = 6_400;
/// The most that is heard in one step, so that windows of speech come no faster than they can be read.
const STEP_BYTES: usize = 64 << 10;
/// How long a piece waits for others at most.
const JOIN_TIME: Duration = Duration::from_millis(100);
const SAMPLES_PER_MS: u64 = SAMPLE_RATE_HZ as u64 / 1_000;

/// A piece of audio that waits.
struct Piece {
    stamp_ms: Option<u64>,
    bytes: Bytes,
    /// The room that it takes in the session's backlog; free when the piece is heard.
    _room: OwnedSemaphorePermit,
}

/// One track of audio.
pub(super) struct Ear {
    track: u8,
    inbox: VecDeque<Piece>,
    waiting_bytes: usize,
    /// When the oldest piece that waits came.
    since: Option<Instant>,
    stream: AudioStream,
    speech: SpeechStream,
    /// The media time of the stream's first sample, in milliseconds.
    base_ms: u64,
    tolerance_ms: u64,
    damaged: u64,
}

/// What was heard in one step.
#[derive(Default)]
pub(super) struct HeardNow {
    pub(super) events: Vec<SpeechEvent>,
    /// How far the track has come, in milliseconds of media time.
    pub(super) end_ms: u64,
    pub(super) audio_ms: u64,
    pub(super) gap_ms: u64,
    pub(super) late_ms: u64,
    pub(super) damaged: u64,
    pub(super) is_reset: bool,
    pub(super) is_speaking: bool,
    /// Whether the track has ended and nothing of it is left.
    pub(super) is_finished: bool,
    pub(super) faults: Vec<MediaError>,
}

impl Ear {
    /// The ear of an audio track.
    pub(super) fn new(
        track: u8,
        options: &TrackOptions,
        limits: &MediaLimits,
        config: &LiveConfig,
    ) -> Result<Self, MediaError> {
        let format = options.format.map_or(StreamFormat::Container, StreamFormat::from);
        Ok(Self {
            track,
            inbox: VecDeque::new(),
            waiting_bytes: 0,
            since: None,
            stream: AudioStream::new(format, limits)?,
            speech: SpeechStream::new(WindowConfig::default()),
            base_ms: 0,
            tolerance_ms: config.time_tolerance_ms,
            damaged: 0,
        })
    }

    /// Takes a piece in, to be heard later.
    pub(super) fn put(&mut self, stamp_ms: Option<u64>, bytes: Bytes, room: OwnedSemaphorePermit) {
        self.waiting_bytes += bytes.len();
        self.since.get_or_insert_with(Instant::now);
        self.inbox.push_back(Piece { stamp_ms, bytes, _room: room });
    }

    /// When what waits is to be heard: at once where there is enough of it.
    pub(super) fn due(&self) -> Option<Instant> {
        let since = self.since?;
        Some(if self.waiting_bytes >= JOINED_BYTES { since } else { since + JOIN_TIME })
    }

    /// Hears what waits, as far as one step goes.
    pub(super) fn hear(&mut self, clock: &Mutex<Clock>) -> HeardNow {
        let started = Instant::now();
        let mut heard = HeardNow::default();
        let mut samples = Vec::new();
        let mut step_bytes = 0;
        while step_bytes < STEP_BYTES
            && let Some(piece) = self.inbox.pop_front()
        {
            step_bytes += piece.bytes.len();
            if let Err(error) = self.hear_piece(&piece, clock, &mut samples, &mut heard) {
                heard.faults.push(error);
            }
        }
        heard.events.extend(self.speech.push(&samples));
        heard.audio_ms += samples.len() as u64 / SAMPLES_PER_MS;
        self.waiting_bytes -= step_bytes;
        if self.inbox.is_empty() {
            self.since = None;
        }
        self.conclude(heard, started)
    }

    fn hear_piece(
        &mut self,
        piece: &Piece,
        clock: &Mutex<Clock>,
        samples: &mut Vec<f32>,
        heard: &mut HeardNow,
    ) -> Result<(), MediaError> {
        let expected_ms = self.position_ms();
        if let Some(stamp_ms) = piece.stamp_ms {
            let mapped = lock(clock).map(usize::from(self.track), stamp_ms, expected_ms);
            heard.is_reset |= mapped.is_reset;
            if mapped.at_ms > expected_ms + self.tolerance_ms {
                heard.gap_ms += mapped.at_ms - expected_ms;
                self.stream.finish(samples)?;
                heard.events.extend(self.speech.push(samples));
                heard.audio_ms += samples.len() as u64 / SAMPLES_PER_MS;
                samples.clear();
                heard.events.extend(self.speech.skip_to(mapped.at_ms));
                self.base_ms = mapped.at_ms;
            } else if mapped.at_ms + self.tolerance_ms < expected_ms {
                heard.late_ms += expected_ms - mapped.at_ms;
                return Ok(());
            }
        }
        self.stream.push(&piece.bytes, samples)
    }

    /// Hears what is left when nothing more comes, a step at a time; the last one says so.
    pub(super) fn finish(&mut self, clock: &Mutex<Clock>) -> HeardNow {
        let started = Instant::now();
        let mut heard = self.hear(clock);
        if !self.inbox.is_empty() {
            return heard;
        }
        heard.is_finished = true;
        let mut samples = Vec::new();
        if let Err(error) = self.stream.finish(&mut samples) {
            heard.faults.push(error);
        }
        heard.audio_ms += samples.len() as u64 / SAMPLES_PER_MS;
        heard.events.extend(self.speech.push(&samples));
        heard.events.extend(self.speech.finish());
        // A stream that has ended counts from the beginning again.
        let end_ms = heard.end_ms;
        HeardNow { end_ms, ..self.conclude(heard, started) }
    }

    fn conclude(&mut self, mut heard: HeardNow, started: Instant) -> HeardNow {
        let damaged = self.stream.damaged_packets();
        heard.damaged += damaged - self.damaged;
        self.damaged = damaged;
        heard.end_ms = self.position_ms();
        heard.is_speaking = self.speech.is_speaking();
        record::decode("audio", started.elapsed());
        heard
    }

    /// The media time of the next sample, in milliseconds.
    fn position_ms(&self) -> u64 {
        self.base_ms + self.stream.taken_samples() / SAMPLES_PER_MS
    }
}

impl From<AudioEncoding> for StreamFormat {
    fn from(encoding: AudioEncoding) -> Self {
        match encoding {
            AudioEncoding::PcmS16le { sample_rate_hz, channels } => {
                Self::PcmS16le { sample_rate_hz, channels }
            }
            AudioEncoding::PcmS16be { sample_rate_hz, channels } => {
                Self::PcmS16be { sample_rate_hz, channels }
            }
            AudioEncoding::MuLaw { sample_rate_hz, channels } => Self::MuLaw { sample_rate_hz, channels },
            AudioEncoding::Opus { channels } => Self::Opus { channels },
            AudioEncoding::Container => Self::Container,
        }
    }
}
