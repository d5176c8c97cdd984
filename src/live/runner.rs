//! A session's own task: it takes what comes in, starts the steps that take time, and tells what comes of them.
//!
//! One task a session: nothing here is shared with other sessions but the engine and the workers, and a session that
//! stalls costs the others nothing. What follows from the outcomes is in `outcomes`.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use heartline_models::voice::{CallerBaseline, VoiceClip};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::books::Books;
use super::clock::Clock;
use super::ear::Ear;
use super::faces::FaceTracker;
use super::session::{Letter, Shared, lock};
use super::state::{Fact, State, StateSettings};
use super::work::{Done, TextPlace, WindowPlace, Workers};
use super::{
    CloseReason, Event, Fault, LiveError, NoticeCode, SessionOptions, SessionUpdate, TextPart, TrackKind,
    Updated,
};
use crate::app::{Consent, Role};
use crate::media::SpeechWindow;
use crate::telemetry::with_causes;

/// Windows that are read at once: each step is heard against the ones before, so few know the caller sooner.
const WINDOWS_PER_STEP: usize = 4;
/// Texts that are read at once.
const TEXTS_PER_STEP: usize = 16;
/// How long a session that ends may go on reading what came in.
const ENDING_TIME: Duration = Duration::from_secs(20);
/// How long a partial text waits for its final one, in milliseconds of media time.
const PARTIAL_TIME_MS: u64 = 10_000;

/// A session's task.
pub(super) struct Runner {
    pub(super) shared: Arc<Shared>,
    pub(super) workers: Workers,
    pub(super) settings: StateSettings,
    pub(super) options: SessionOptions,
    pub(super) state: Arc<Mutex<State>>,
    pub(super) books: Books,
    pub(super) models: ModelNames,
    pub(super) tracks: Vec<Track>,
    pub(super) clock: Arc<Mutex<Clock>>,
    pub(super) windows: VecDeque<(WindowPlace, SpeechWindow)>,
    pub(super) texts: VecDeque<(TextPlace, String)>,
    pub(super) baseline: CallerBaseline,
    /// Tasks of their own: a step that waits for a worker must go on while the session waits for something else.
    pub(super) work: JoinSet<Done>,
    pub(super) in_work: InWork,
    pub(super) closing: Option<(CloseReason, Instant)>,
    last_letter: Instant,
    /// When the last transport went; none while one is connected or none ever was.
    detached: Option<Instant>,
}

/// What a track needs besides its options.
pub(super) struct Track {
    pub(super) kind: TrackKind,
    pub(super) role: Role,
    pub(super) ear: Option<Arc<Mutex<Ear>>>,
    pub(super) faces: Option<Arc<Mutex<FaceTracker>>>,
    /// The partial text that waits for its final one.
    pub(super) partial: Option<TextPart>,
    /// The number of the face that counts as the customer's.
    pub(super) main_face: Option<u32>,
    pub(super) is_hearing: bool,
    pub(super) is_finished: bool,
    pub(super) is_speaking: bool,
}

/// Which models are at work for this session now.
#[derive(Debug, Default)]
pub(super) struct InWork {
    pub(super) voice: bool,
    pub(super) texts: bool,
    pub(super) frame: bool,
}

/// The models' names as readings carry them.
#[derive(Debug, Clone)]
pub(super) struct ModelNames {
    pub(super) text: String,
    pub(super) voice: String,
    pub(super) face: String,
}

impl Runner {
    pub(super) fn new(
        shared: Arc<Shared>,
        workers: Workers,
        settings: StateSettings,
        options: SessionOptions,
        models: ModelNames,
    ) -> Self {
        let state = State::new(options.clone(), settings.clone());
        let mut runner = Self {
            shared,
            workers,
            settings,
            options,
            state: Arc::new(Mutex::new(state)),
            books: Books::default(),
            models,
            tracks: Vec::new(),
            clock: Arc::default(),
            windows: VecDeque::new(),
            texts: VecDeque::new(),
            baseline: CallerBaseline::default(),
            work: JoinSet::new(),
            in_work: InWork::default(),
            closing: None,
            last_letter: Instant::now(),
            detached: None,
        };
        runner.set_up();
        runner
    }

    /// Runs the session to its end.
    pub(super) async fn run(mut self, mut letters: mpsc::Receiver<Letter>) {
        let mut attached = self.shared.attached.subscribe();
        let shared = Arc::clone(&self.shared);
        self.note_setup();
        loop {
            self.start_work();
            self.answer_frames();
            self.judge_if_due().await;
            if self.closing.is_some() && self.is_idle() {
                break;
            }
            let is_open = self.closing.is_none();
            let next_look = self.next_look();
            tokio::select! {
                letter = letters.recv(), if is_open => match letter {
                    Some(letter) => self.take(letter),
                    None => self.begin_end(CloseReason::Internal),
                },
                Some(done) = self.work.join_next() => self.joined(done),
                () = shared.frame_came.notified(), if is_open => self.last_letter = Instant::now(),
                Ok(()) = attached.changed(), if is_open => {
                    let is_attached = *attached.borrow_and_update() > 0;
                    self.attached(is_attached);
                }
                () = tokio::time::sleep_until(next_look) => self.look_at_time(),
            }
        }
        // Senders who still wait are told that the session has gone.
        drop(letters);
        self.end().await;
    }

    fn joined(&mut self, done: Result<Done, JoinError>) {
        match done {
            Ok(done) => self.finish(done),
            Err(error) => {
                // What the step had taken along is lost, so the session cannot go on as if nothing were.
                tracing::error!(%error, session = %self.shared.id, "a step of a live call failed");
                self.tracks.iter_mut().for_each(|track| track.is_finished = true);
                self.begin_end(CloseReason::Internal);
            }
        }
    }

    /// Makes what the tracks need.
    fn set_up(&mut self) {
        let live = &self.settings.live;
        self.clock = Arc::new(Mutex::new(Clock::new(self.options.tracks.len(), live.max_gap_ms)));
        self.tracks.clear();
        for (index, options) in self.options.tracks.iter().enumerate() {
            let ear = match options.kind {
                TrackKind::Audio => Ear::new(index as u8, options, &self.workers.media, live)
                    .map_err(|source| LiveError::Audio { track: index, source }),
                _ => Err(LiveError::NoTrack { track: index as u8, kind: "audio" }),
            };
            let faces = (options.kind == TrackKind::Video).then(|| FaceTracker::new(live));
            self.tracks.push(Track {
                kind: options.kind,
                role: options.role,
                ear: ear.ok().map(Mutex::new).map(Arc::new),
                faces: faces.map(Mutex::new).map(Arc::new),
                partial: None,
                main_face: None,
                is_hearing: false,
                is_finished: false,
                is_speaking: false,
            });
        }
        let mut view = lock(&self.shared.view);
        view.call_id = self.options.call_id.clone();
        view.customer_id = self.options.customer_id.clone();
    }

    fn note_setup(&mut self) {
        if self.options.consent == Consent::Unstated && !self.tracks.is_empty() {
            self.note(
                NoticeCode::ConsentUnstated,
                None,
                None,
                "it was not stated what the customer was told",
            );
        }
        let shows_agent = |track: &Track| track.role == Role::Agent && track.kind != TrackKind::Text;
        if let Some(track) = self.tracks.iter().position(shows_agent) {
            let message = "a track shows an agent; the configuration names a lawful basis for reading it";
            self.note(NoticeCode::AgentBiometricsAllowed, Some(track as u8), None, message);
        }
    }

    fn take(&mut self, letter: Letter) {
        self.last_letter = Instant::now();
        match letter {
            Letter::Configure(options) => {
                self.options = *options;
                self.state = Arc::new(Mutex::new(State::new(self.options.clone(), self.settings.clone())));
                self.set_up();
                self.note_setup();
                self.tell_updated();
            }
            Letter::Update(update) => self.take_update(update),
            Letter::Audio { track, at_ms, bytes, room } => {
                if let Some(ear) = self.tracks.get(usize::from(track)).and_then(|track| track.ear.as_ref()) {
                    lock(ear).put(at_ms, bytes, room);
                }
            }
            Letter::Text(part) => self.take_text(&part),
            Letter::Fault(fault) => self.take_fault(&fault),
            Letter::Close(reason) => self.begin_end(reason),
        }
    }

    fn take_update(&mut self, update: Box<SessionUpdate>) {
        self.fact(&Fact::Update { update });
        self.tell_updated();
    }

    fn tell_updated(&mut self) {
        let agents = lock(&self.state).agents();
        self.tell(&Event::Updated(Updated { tracks: self.tracks.len(), agents }));
    }

    pub(super) fn take_fault(&mut self, fault: &LiveError) {
        self.books.totals.faults += 1;
        let is_last = self.books.totals.faults >= self.settings.live.max_faults;
        let (code, message) = (fault.code().to_owned(), with_causes(fault));
        self.tell(&Event::Error(Fault { code, message, is_recoverable: !is_last }));
        if is_last {
            self.begin_end(CloseReason::TooManyFaults);
        }
    }

    /// Takes words in. A partial text waits for its final one, or until another utterance begins.
    fn take_text(&mut self, part: &TextPart) {
        let Some(track) = self.tracks.get_mut(usize::from(part.track)) else { return };
        let waiting = track.partial.take();
        if part.is_final {
            self.say(part);
            return;
        }
        let is_another = |earlier: &TextPart| match (earlier.start_ms, part.start_ms) {
            (Some(earlier_ms), Some(start_ms)) => earlier_ms.abs_diff(start_ms) > PARTIAL_TIME_MS,
            _ => false,
        };
        track.partial = Some(part.clone());
        if let Some(earlier) = waiting.filter(is_another) {
            self.say(&earlier);
        }
    }

    fn attached(&mut self, is_attached: bool) {
        if is_attached {
            self.detached = None;
            self.last_letter = Instant::now();
        } else {
            self.detached = Some(Instant::now());
        }
    }

    /// When the session has to look at the time again.
    fn next_look(&self) -> Instant {
        if let Some((_, until)) = self.closing {
            return until;
        }
        let live = &self.settings.live;
        let idle = self.last_letter + live.idle_timeout();
        let longest = Instant::from_std(self.shared.opened) + Duration::from_millis(live.max_duration_ms);
        let away = self.detached.map(|since| since + live.resume_time());
        let hears = self.hears();
        let audio = self.tracks.iter().filter(|track| hears && !track.is_hearing).filter_map(|track| {
            let due = lock(track.ear.as_ref()?).due()?;
            Some(Instant::from_std(due))
        });
        audio.chain(away).fold(idle.min(longest), Instant::min)
    }

    fn look_at_time(&mut self) {
        let now = Instant::now();
        let live = &self.settings.live;
        let longest = Duration::from_millis(live.max_duration_ms);
        if self.closing.is_some() {
            // Too late for the rest.
            self.windows.clear();
            self.texts.clear();
            self.work.abort_all();
            self.work = JoinSet::new();
            self.tracks.iter_mut().for_each(|track| track.is_finished = true);
        } else if self.detached.is_some_and(|since| now >= since + live.resume_time()) {
            self.begin_end(CloseReason::ConnectionLost);
        } else if self.shared.opened.elapsed() >= longest {
            self.begin_end(CloseReason::TooLong);
        } else if now >= self.last_letter + live.idle_timeout() {
            self.begin_end(CloseReason::Idle);
        }
    }

    /// Takes nothing more in; what came is read for a bounded time.
    fn begin_end(&mut self, reason: CloseReason) {
        if self.closing.is_some() {
            return;
        }
        self.closing = Some((reason, Instant::now() + ENDING_TIME));
        self.shared.is_closing.store(true, Ordering::Relaxed);
        let partials: Vec<_> = self.tracks.iter_mut().filter_map(|track| track.partial.take()).collect();
        for partial in partials {
            self.say(&partial);
        }
    }

    /// Starts every step that can be started.
    fn start_work(&mut self) {
        self.start_hearing();
        if !self.in_work.voice && !self.windows.is_empty() {
            let count = self.windows.len().min(WINDOWS_PER_STEP);
            let (places, clips) = self
                .windows
                .drain(..count)
                .map(|(place, window)| {
                    (place, VoiceClip { samples: window.samples, baseline: self.baseline.clone() })
                })
                .unzip();
            self.in_work.voice = true;
            self.work.spawn(self.workers.clone().read_voice(places, clips));
        }
        if !self.in_work.texts && !self.texts.is_empty() {
            let count = self.texts.len().min(TEXTS_PER_STEP);
            let (places, words) = self.texts.drain(..count).unzip();
            self.in_work.texts = true;
            self.work.spawn(self.workers.clone().read_texts(places, words));
        }
        if !self.in_work.frame {
            self.start_looking();
        }
    }

    /// Whether there is room for further windows of speech. Where there is none, audio waits, and then its senders.
    fn hears(&self) -> bool {
        self.windows.len() < self.settings.live.max_waiting_windows.div_ceil(2)
    }

    fn start_hearing(&mut self) {
        if !self.hears() {
            return;
        }
        let now = std::time::Instant::now();
        let is_ending = self.closing.is_some();
        for index in 0..self.tracks.len() {
            let track = &mut self.tracks[index];
            let Some(ear) = track.ear.as_ref().filter(|_| !track.is_hearing && !track.is_finished) else {
                continue;
            };
            let is_due = is_ending || lock(ear).due().is_some_and(|due| due <= now);
            if is_due {
                track.is_hearing = true;
                let hearing =
                    self.workers.clone().hear(index, Arc::clone(ear), Arc::clone(&self.clock), is_ending);
                self.work.spawn(hearing);
            }
        }
    }

    fn start_looking(&mut self) {
        if self.closing.is_some() {
            lock(&self.shared.frames).end();
            return;
        }
        let Some(frame) = lock(&self.shared.frames).take() else { return };
        let faces = self.tracks.get(usize::from(frame.track)).and_then(|track| track.faces.clone());
        let Some(faces) = faces else { return };
        self.in_work.frame = true;
        self.work.spawn(self.workers.clone().look(frame, faces));
    }

    /// Whether nothing is left to do.
    fn is_idle(&self) -> bool {
        self.work.is_empty()
            && self.windows.is_empty()
            && self.texts.is_empty()
            && self.tracks.iter().all(|track| track.ear.is_none() || track.is_finished)
    }
}
