//! What follows from what a session has heard, read and seen.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use heartline_models::text::TextPrediction;
use heartline_models::voice::VoicePrediction;

use super::ear::HeardNow;
use super::runner::Runner;
use super::session::lock;
use super::state::Fact;
use super::work::{Done, SeenFace, TextPlace, WindowPlace};
use super::{
    Event, LiveError, NoticeCode, SeenPerson, SkipReason, Summary, TextPart, UtteranceEnd, UtteranceStart,
};
use crate::app::{ConsentRecord, PoolError, Role, of_face, of_text, of_voice, speaking_ms};
use crate::emotion::{FaceRegion, Modality, Reading, Span};
use crate::engine::EngineError;
use crate::media::stream::SpeechEvent;
use crate::telemetry::record;

/// Texts that may wait for the model; beyond it the oldest is left unread.
const WAITING_TEXTS: usize = 64;
/// How much larger another face must be to be taken for the customer's.
const LARGER: f32 = 1.5;

impl Runner {
    /// Takes in what came of a step.
    pub(super) fn finish(&mut self, done: Done) {
        match done {
            Done::Heard { track, heard } => self.heard(track, heard),
            Done::Voice { windows, outcome } => self.voice_read(windows, outcome),
            Done::Texts { texts, outcome } => self.texts_read(texts, outcome),
            Done::Looked { track, frame, at_ms, came, outcome } => {
                self.in_work.frame = false;
                match outcome {
                    Ok(faces) => {
                        let people = self.seen(track, at_ms, faces);
                        record::live_reading(Modality::Face, came.elapsed());
                        lock(&self.shared.frames).read(track, frame, people);
                    }
                    Err(reason) => lock(&self.shared.frames).skip(track, frame, reason),
                }
            }
        }
    }

    fn heard(&mut self, index: usize, heard: HeardNow) {
        let track = index as u8;
        let totals = &mut self.books.totals;
        totals.audio_ms += heard.audio_ms;
        totals.audio_gap_ms += heard.gap_ms;
        totals.audio_late_ms += heard.late_ms;
        let voice = Some(Modality::Voice);
        if heard.gap_ms > 0 {
            let message = format!("{} ms of audio are missing in the timestamps", heard.gap_ms);
            self.note(NoticeCode::AudioGap, Some(track), voice, &message);
        }
        if heard.late_ms > 0 {
            self.note(NoticeCode::AudioLate, Some(track), voice, "audio came again, or too late");
        }
        if heard.damaged > 0 {
            let message = "a packet of audio was damaged and was concealed";
            self.note(NoticeCode::AudioDamaged, Some(track), voice, message);
        }
        if heard.is_reset {
            let message = "the track's timestamps began anew and were mapped to go on";
            self.note(NoticeCode::ClockReset, Some(track), voice, message);
        }
        for source in heard.faults {
            self.take_fault(&LiveError::Audio { track: index, source });
        }
        for event in heard.events {
            self.speech(index, event);
        }
        self.advance(heard.end_ms);
        let Some(state) = self.tracks.get_mut(index) else { return };
        state.is_hearing = false;
        state.is_finished = heard.is_finished;
        state.is_speaking = heard.is_speaking;
        let is_speaking = self.tracks.iter().any(|track| track.role == Role::Customer && track.is_speaking);
        lock(&self.shared.frames).set_speaking(is_speaking);
    }

    fn speech(&mut self, index: usize, event: SpeechEvent) {
        let track = index as u8;
        match event {
            SpeechEvent::Started { at_ms } => {
                self.tell(&Event::UtteranceStart(UtteranceStart { track, start_ms: at_ms }));
            }
            SpeechEvent::Ended { start_ms, end_ms } => {
                self.books.totals.speech_ms += end_ms.saturating_sub(start_ms);
                self.tell(&Event::UtteranceEnd(UtteranceEnd { track, start_ms, end_ms }));
            }
            SpeechEvent::Window(window) => {
                let span = Span::new(window.start_ms, window.end_ms);
                self.books.window_found(span);
                if self.windows.len() >= self.settings.live.max_waiting_windows {
                    self.windows.pop_front();
                    self.books.totals.windows_skipped += 1;
                    let message = "the server does not keep up; a window of speech was left unread";
                    self.note(NoticeCode::AudioSkipped, Some(track), Some(Modality::Voice), message);
                }
                let place =
                    WindowPlace { track, span, speech_share: window.speech_share, came: Instant::now() };
                self.windows.push_back((place, window));
            }
        }
    }

    fn voice_read(&mut self, windows: Vec<WindowPlace>, outcome: Result<Vec<VoicePrediction>, EngineError>) {
        self.in_work.voice = false;
        let predictions = match outcome {
            Ok(predictions) => predictions,
            Err(error) => {
                self.books.totals.windows_skipped += windows.len() as u64;
                self.model_failed(Modality::Voice, &error);
                return;
            }
        };
        for (place, prediction) in windows.into_iter().zip(predictions) {
            let role = self.tracks.get(usize::from(place.track)).map_or(Role::Customer, |track| track.role);
            record::live_reading(Modality::Voice, place.came.elapsed());
            self.books.window_read(place.span);
            if role == Role::Customer {
                self.baseline.add(&prediction);
            }
            let reading = of_voice(prediction, place.span, place.speech_share, &self.models.voice);
            self.tell_reading(place.track, role, reading);
        }
    }

    fn texts_read(&mut self, texts: Vec<TextPlace>, outcome: Result<Vec<TextPrediction>, EngineError>) {
        self.in_work.texts = false;
        let predictions = match outcome {
            Ok(predictions) => predictions,
            Err(error) => return self.model_failed(Modality::Text, &error),
        };
        for (place, prediction) in texts.into_iter().zip(predictions) {
            if prediction.truncated {
                let message = "words were longer than the model reads and were cut";
                self.note(NoticeCode::TextCut, Some(place.track), Some(Modality::Text), message);
            }
            record::live_reading(Modality::Text, place.came.elapsed());
            self.books.totals.texts_read += 1;
            let reading = of_text(prediction, place.span, &self.models.text);
            self.tell_reading(place.track, Role::Customer, reading);
        }
    }

    fn model_failed(&mut self, modality: Modality, error: &EngineError) {
        let (code, message) = match error {
            EngineError::Overloaded { .. } | EngineError::Deadline => {
                (NoticeCode::AudioSkipped, "the server does not keep up; something was left unread")
            }
            error => {
                tracing::error!(%modality, %error, "a model failed in a live call");
                (NoticeCode::ModelFailed, "the model failed; its modality is missing for a while")
            }
        };
        self.note(code, None, Some(modality), message);
    }

    /// The people of a frame. Only the customer's face counts for the customer's state.
    fn seen(&mut self, track: u8, at_ms: u64, faces: Vec<SeenFace>) -> Vec<SeenPerson> {
        self.advance(at_ms);
        let Some(state) = self.tracks.get_mut(usize::from(track)) else { return Vec::new() };
        let role = state.role;
        let area = |seen: &SeenFace| seen.tracked.face.width * seen.tracked.face.height;
        let largest = faces.iter().max_by(|one, other| area(one).total_cmp(&area(other)));
        let known = faces.iter().find(|seen| Some(seen.tracked.id) == state.main_face);
        let main = match (known, largest) {
            (Some(known), Some(largest)) if area(largest) < area(known) * LARGER => Some(known),
            (_, largest) => largest,
        };
        let main = main.map(|seen| seen.tracked.id);
        state.main_face = main.or(state.main_face);
        let mut people = Vec::with_capacity(faces.len());
        for seen in faces {
            let is_customer = Some(seen.tracked.id) == main && role == Role::Customer;
            let reading = of_face(Some(&seen.tracked.face), seen.prediction, at_ms, &self.models.face);
            if is_customer {
                self.fact(&Fact::Reading { track, reading: Box::new(reading.clone()) });
            }
            let face = seen.tracked.face;
            let region = FaceRegion {
                left: face.left,
                top: face.top,
                width: face.width,
                height: face.height,
                score: face.score,
            };
            people.push(SeenPerson { face_id: seen.tracked.id, is_customer, region, reading: Some(reading) });
        }
        people
    }

    /// Takes final words in: they count for the issue, and the customer's are read.
    pub(super) fn say(&mut self, part: &TextPart) {
        let text = part.text.trim();
        let Some(role) = self.tracks.get(usize::from(part.track)).map(|track| track.role) else { return };
        if text.is_empty() {
            return;
        }
        let span = self.place(part);
        self.advance(span.end_ms);
        self.fact(&Fact::Said { role, span, text: text.to_owned() });
        if role != Role::Customer {
            return;
        }
        self.books.totals.utterances += 1;
        if !lock(&self.state).reads_words() {
            let message = "the text model was not trained for this language, so the words are not read";
            self.note(NoticeCode::UnsupportedLanguage, Some(part.track), Some(Modality::Text), message);
            return;
        }
        if self.texts.len() >= WAITING_TEXTS {
            self.texts.pop_front();
            self.model_failed(Modality::Text, &EngineError::Deadline);
        }
        let place = TextPlace { track: part.track, span, came: Instant::now() };
        self.texts.push_back((place, text.to_owned()));
    }

    /// Where a text lies in media time. What its sender leaves out follows from its length and from the call's time.
    fn place(&self, part: &TextPart) -> Span {
        let front_ms = self.shared.front_ms.load(Ordering::Relaxed);
        let natural_ms = speaking_ms(&part.text);
        let map = |stamp_ms| lock(&self.clock).map(usize::from(part.track), stamp_ms, front_ms).at_ms;
        match (part.start_ms, part.end_ms) {
            (Some(start_ms), end_ms) => {
                let length_ms = end_ms.map_or(natural_ms, |end_ms| end_ms.saturating_sub(start_ms));
                let at_ms = map(start_ms);
                Span::new(at_ms, at_ms.saturating_add(length_ms))
            }
            (None, Some(end_ms)) => {
                let at_ms = map(end_ms);
                Span::new(at_ms.saturating_sub(natural_ms), at_ms)
            }
            (None, None) => Span::new(front_ms.saturating_sub(natural_ms), front_ms),
        }
    }

    /// Tells a reading; only the customer's count.
    fn tell_reading(&mut self, track: u8, role: Role, reading: Reading) {
        if role == Role::Customer {
            self.fact(&Fact::Reading { track, reading: Box::new(reading) });
        } else {
            self.tell(&Event::Reading(Box::new(super::TrackReading { track, reading })));
        }
    }

    /// Gives the state a fact and tells what follows from it.
    pub(super) fn fact(&mut self, fact: &Fact) {
        let events = lock(&self.state).take(fact);
        self.tell_all(events);
    }

    fn tell_all(&mut self, events: Vec<Event>) {
        for event in events {
            if let Some(event) = self.books.pass(event) {
                self.tell(&event);
            }
        }
    }

    /// Writes an event.
    pub(super) fn tell(&self, event: &Event) {
        self.shared.log.write(self.shared.front_ms.load(Ordering::Relaxed), event);
    }

    pub(super) fn note(
        &mut self,
        code: NoticeCode,
        track: Option<u8>,
        modality: Option<Modality>,
        message: &str,
    ) {
        if let Some(event) = self.books.note(code, track, modality, message) {
            self.tell(&event);
        }
    }

    /// Media have come up to a moment.
    fn advance(&self, at_ms: u64) {
        self.shared.front_ms.fetch_max(at_ms, Ordering::Relaxed);
    }

    /// Sends the answers to frames whose turn it is.
    pub(super) fn answer_frames(&mut self) {
        let (answers, is_thinned) = {
            let mut frames = lock(&self.shared.frames);
            (frames.answers(), frames.is_thinned())
        };
        for answer in answers {
            self.books.frame(&answer);
            record::live_frame(answer.skipped.map_or("read", SkipReason::name));
            self.tell(&Event::Frame(answer));
        }
        if is_thinned {
            let message = "the server does not keep up; fewer frames are read";
            self.note(NoticeCode::FramesThinned, None, Some(Modality::Face), message);
        }
    }

    /// Makes the emotion vector that is due, on a worker: a ranking of many agents takes milliseconds.
    pub(super) async fn judge_if_due(&mut self) {
        let front_ms = self.shared.front_ms.load(Ordering::Relaxed);
        if lock(&self.state).is_due(front_ms) {
            self.judge(Fact::Clock { at_ms: front_ms }).await;
        }
    }

    async fn judge(&mut self, fact: Fact) {
        let state = Arc::clone(&self.state);
        let judged = self.workers.pool.run(move || {
            let mut state = lock(&state);
            let events = state.take(&fact);
            let (emotion, ranking) = state.latest();
            (events, emotion.cloned(), ranking.cloned())
        });
        match judged.await {
            Ok((events, emotion, ranking)) => {
                {
                    let mut view = lock(&self.shared.view);
                    view.emotion = emotion;
                    view.ranking = ranking;
                    view.totals = self.books.totals.clone();
                    view.totals.events = self.shared.log.written();
                    view.totals.resumes = self.shared.attachments.load(Ordering::Relaxed).saturating_sub(1);
                }
                self.tell_all(events);
            }
            // The next round tries again; the state has not moved.
            Err(PoolError::Full) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            Err(error) => tracing::error!(%error, "judging a call failed"),
        }
    }

    /// Ends the session: the last vector, the summary, and nothing more.
    pub(super) async fn end(mut self) {
        lock(&self.shared.frames).end();
        self.answer_frames();
        let front_ms = self.shared.front_ms.load(Ordering::Relaxed);
        self.judge(Fact::Clock { at_ms: front_ms }).await;
        self.judge(Fact::End).await;
        let standpoint = lock(&self.state).standpoint();
        let mut totals = std::mem::take(&mut self.books.totals);
        totals.readings_late = standpoint.readings_late;
        totals.audio_skipped_bytes = self.shared.skipped_bytes.load(Ordering::Relaxed);
        totals.events = self.shared.log.written() + 1;
        totals.resumes = self.shared.attachments.load(Ordering::Relaxed).saturating_sub(1);
        self.books.totals = totals.clone();
        let reason = self.closing.map_or(super::CloseReason::Internal, |(reason, _)| reason);
        let summary = Summary {
            session_id: self.shared.id.to_string(),
            call_id: self.options.call_id.clone(),
            customer_id: self.options.customer_id.clone(),
            labels: self.options.labels.clone(),
            consent: ConsentRecord {
                state: self.options.consent,
                reference: self.options.consent_reference.clone(),
            },
            reason,
            duration_ms: standpoint.front_ms,
            emotion: standpoint.emotion,
            explanation: standpoint.explanation,
            timeline: standpoint.timeline,
            language: standpoint.language,
            need: standpoint.need,
            ranking: standpoint.ranking,
            coverage: self.books.coverage(standpoint.front_ms),
            totals,
            notices: self.books.notices(),
        };
        record::live_ended(reason.name(), self.shared.opened.elapsed());
        self.tell(&Event::Closed(Box::new(summary.clone())));
        self.shared.log.close();
        self.shared.ended.send_replace(Some(Arc::new(summary)));
    }
}
