//! The road of a call: media, models, fusion, ranking.

use std::time::{Duration, Instant};

use super::analysis::{
    ANALYSIS_VERSION, CallAnalysis, CallNeed, ConsentRecord, Language, ModelUse, NOTICE, NoteCode,
    READING_LIMIT, Timings,
};
use super::decode::Decoded;
use super::language::language_of;
use super::material::Frames;
use super::need::{StatedNeed, call_need, ranking_request};
use super::notes::Notes;
use super::observe::Observed;
use super::utterances::{Utterances, utterances_of};
use super::{App, AppError, CallMaterial, CallOptions, Consent, Place, Role};
use crate::emotion::{
    Fused, FusionConfig, Modality, Reading, Utterance, find_concern_in_call, fuse_at, infer_need_in_call,
};
use crate::media::TranscriptLine;
use crate::routing::{Agent, Ranking, RankingRequest, Roster};
use crate::telemetry::record;

/// Everything that fusion and ranking need, so that they can move to a worker.
struct Judging {
    options: CallOptions,
    utterances: Vec<Utterance>,
    /// What others than the customer said.
    others: Vec<Utterance>,
    observed: Observed,
    language: Language,
    duration_ms: u64,
    agents: Option<Vec<Agent>>,
}

/// What fusion and ranking gave.
struct Judged {
    fused: Fused,
    readings: Vec<Reading>,
    need: CallNeed,
    ranking: Option<Ranking>,
    language: Language,
    fuse_time: Duration,
    rank_time: Duration,
}

impl App {
    /// Analyses one call and ranks the agents who could take it. Any part of the material may be missing, silent or
    /// empty; what was left out is in the answer's notes.
    ///
    /// # Errors
    /// [`AppError`], where a part cannot be decoded, where the policy refuses it, or where the server cannot answer.
    pub async fn analyze_call(&self, material: CallMaterial) -> Result<CallAnalysis, AppError> {
        let place = self.admit()?;
        self.analyze_admitted(place, material).await
    }

    /// [`App::analyze_call`] for a request that has its place already.
    ///
    /// # Errors
    /// As [`App::analyze_call`].
    pub async fn analyze_admitted(
        &self,
        place: Place,
        material: CallMaterial,
    ) -> Result<CallAnalysis, AppError> {
        let started = Instant::now();
        let _place = place;
        let deadline = self.deadline();
        let mut notes = Notes::default();
        self.check(&material, &mut notes)?;
        let CallMaterial { audio, frames, transcript, agents, options } = material;

        let mut decoded = self.decode(audio, frames, agents, &options).await?;
        let decode_time = started.elapsed();
        let Utterances { customer: utterances, others, .. } =
            hear(transcript.as_deref(), decoded.duration_ms(), &mut notes);
        let language = language_of(&utterances, &options, &mut notes);
        note_missing(&decoded, &mut notes);

        let spoken: &[Utterance] = if language.is_readable { &utterances } else { &[] };
        let windows = std::mem::take(&mut decoded.windows);
        let duration_ms = latest_ms(&decoded, &utterances);
        let frames = decoded.frames.take().unwrap_or_default();
        let observed = self.observe(spoken, windows, frames, deadline, &mut notes).await?;
        let model_times = observed.times;

        let consent = ConsentRecord { state: options.consent, reference: options.consent_reference.clone() };
        let agents = decoded.agents;
        let language = language.found;
        let judging = Judging { options, utterances, others, observed, language, duration_ms, agents };
        let judged = self.judge(judging).await?;
        let timings = Timings {
            decode_us: micros(decode_time),
            text_us: micros(model_times[Modality::Text.index()]),
            voice_us: micros(model_times[Modality::Voice.index()]),
            face_us: micros(model_times[Modality::Face.index()]),
            fuse_us: micros(judged.fuse_time),
            rank_us: micros(judged.rank_time),
            total_us: micros(started.elapsed()),
        };
        Ok(self.answer(judged, consent, duration_ms, notes, timings))
    }

    /// Checks what can be checked before any work is done.
    fn check(&self, material: &CallMaterial, notes: &mut Notes) -> Result<(), AppError> {
        let options = &material.options;
        let faults = options.faults();
        if !faults.is_empty() {
            return Err(AppError::Options(faults));
        }
        let has_frames = match &material.frames {
            Frames::None => false,
            Frames::Encoded(frames) => !frames.is_empty(),
            Frames::Path(_) => true,
        };
        if material.audio.is_none() && !has_frames && material.transcript.is_none() {
            return Err(AppError::NothingToAnalyze);
        }
        let basis = self.config().privacy.agent_biometrics_basis.as_deref();
        let parts = [
            ("the audio", Modality::Voice, material.audio.is_some(), options.audio_role),
            ("the video", Modality::Face, has_frames, options.video_role),
        ];
        for (part, modality, is_given, role) in parts {
            if !is_given || role != Role::Agent {
                continue;
            }
            let Some(basis) = basis else { return Err(AppError::AgentBiometricsRefused { part }) };
            let message = format!("{part} shows an agent; the configured lawful basis is: {basis}");
            notes.about(modality, NoteCode::AgentBiometricsAllowed, message);
        }
        if options.consent == Consent::Unstated {
            notes.add(NoteCode::ConsentUnstated, "it was not stated what the customer was told");
        }
        Ok(())
    }

    /// Fuses and ranks on a worker: ten thousand agents take milliseconds.
    async fn judge(&self, judging: Judging) -> Result<Judged, AppError> {
        let router = self.router();
        let fusion = self.config().fusion.clone();
        let limits = self.config().routing.limits.clone();
        let judged = self.run_blocking(move || {
            let started = Instant::now();
            let (mut judged, agents, request) = fuse_call(judging, &fusion);
            judged.fuse_time = started.elapsed();
            record::fuse(judged.fuse_time);
            if let Some(agents) = agents {
                let started = Instant::now();
                request.validate(&limits).map_err(AppError::RankingRequest)?;
                let roster = Roster::new(agents).map_err(AppError::Matchers)?;
                judged.ranking = Some(router.rank(&request, &roster).map_err(AppError::of_ranking)?);
                judged.rank_time = started.elapsed();
                record::rank(judged.rank_time);
            }
            Ok(judged)
        });
        judged.await?
    }

    fn answer(
        &self,
        judged: Judged,
        consent: ConsentRecord,
        duration_ms: u64,
        mut notes: Notes,
        timings: Timings,
    ) -> CallAnalysis {
        if judged.ranking.is_none() {
            notes.add(NoteCode::NoAgents, "no agents were given, so there is no ranking");
        }
        let mut readings = judged.readings;
        let readings_total = readings.len();
        readings.truncate(READING_LIMIT);
        let models = self.engine().models().into_iter().map(ModelUse::from);
        CallAnalysis {
            version: ANALYSIS_VERSION,
            notice: NOTICE.to_owned(),
            consent,
            duration_ms,
            emotion: judged.fused.vector,
            explanation: judged.fused.explanation,
            timeline: judged.fused.timeline,
            readings,
            readings_total,
            language: judged.language,
            need: judged.need,
            ranking: judged.ranking,
            notes: notes.into_vec(),
            models: models.collect(),
            timings,
        }
    }
}

/// Fusion and everything around it, and what the ranking is to be asked with.
fn fuse_call(judging: Judging, config: &FusionConfig) -> (Judged, Option<Vec<Agent>>, RankingRequest) {
    let Judging { options, utterances, others, observed, language, duration_ms, agents } = judging;
    let concern = find_concern_in_call(&utterances, &others);
    let inferred = infer_need_in_call(&utterances, &others, &concern);
    let latest_ms = observed.readings.iter().map(|reading| reading.span.end_ms).max().unwrap_or(0);
    let fused = fuse_at(&observed.readings, concern, duration_ms.max(latest_ms), config);
    let stated = StatedNeed {
        needed_skills: options.needed_skills,
        complexity: options.complexity,
        language_level: options.language_level,
        waiting_ms: options.waiting_ms,
    };
    let need = call_need(stated, inferred);
    let request = ranking_request(fused.vector.clone(), &need, &language);
    let judged = Judged {
        fused,
        readings: observed.readings,
        need,
        ranking: None,
        language,
        fuse_time: Duration::ZERO,
        rank_time: Duration::ZERO,
    };
    (judged, agents, request)
}

/// What was said, with notes on what is missing of it.
fn hear(transcript: Option<&[TranscriptLine]>, media_ms: u64, notes: &mut Notes) -> Utterances {
    let Some(lines) = transcript else {
        notes.about(Modality::Text, NoteCode::NoTranscript, "no transcript was given");
        return Utterances::default();
    };
    let utterances = utterances_of(lines, media_ms);
    let others = utterances.others.len();
    if others > 0 {
        let message = format!("{others} utterances of others than the customer were left out");
        notes.about(Modality::Text, NoteCode::OtherSpeakersSkipped, message);
    }
    if utterances.customer.is_empty() {
        notes.about(Modality::Text, NoteCode::EmptyTranscript, "the transcript has no words of the customer");
    }
    if utterances.estimated {
        let message = "some utterances have no times; they were estimated from their length";
        notes.about(Modality::Text, NoteCode::TimesEstimated, message);
    }
    utterances
}

fn note_missing(decoded: &Decoded, notes: &mut Notes) {
    match decoded.audio_ms {
        None => notes.about(Modality::Voice, NoteCode::NoAudio, "no audio was given"),
        Some(audio_ms) if decoded.windows.is_empty() => {
            let message = format!("the audio of {audio_ms} ms has no speech");
            notes.about(Modality::Voice, NoteCode::Silence, message);
        }
        Some(_) => {}
    }
    if decoded.frames.as_ref().is_none_or(Vec::is_empty) {
        notes.about(Modality::Face, NoteCode::NoFrames, "no frames were given");
    }
}

fn latest_ms(decoded: &Decoded, utterances: &[Utterance]) -> u64 {
    let last_word = utterances.iter().map(|utterance| utterance.span.end_ms).max().unwrap_or(0);
    decoded.duration_ms().max(last_word)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
