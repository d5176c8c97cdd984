//! The state of one call, as a machine without clock or threads: facts go in, events come out.
//!
//! The same facts in the same order give the same events, so a recorded call can be played again. Everything that
//! needs media, models or time happens elsewhere and comes here as a fact.

use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::record::Recording;
use super::standing::Standing;
use super::words::{DerivedWords, Words};
use super::{
    EmotionNow, Event, LiveConfig, Notice, NoticeCode, RankingNow, SessionOptions, SessionUpdate,
    TrackReading,
};
use crate::app::{CallNeed, Language, Role, StatedNeed, call_need, ranking_request};
use crate::emotion::{
    EmotionVector, Explanation, FusionConfig, FusionStream, Placement, Reading, Span, TimelinePoint,
};
use crate::routing::{Agent, Roster, Router, RoutingError};
use crate::telemetry::{record, with_causes};

/// Something that is known of a call now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fact {
    /// A model has read something of the customer's.
    Reading {
        /// The track's number.
        track: u8,
        /// What it read.
        reading: Box<Reading>,
    },
    /// Somebody has said something.
    Said {
        /// Who.
        role: Role,
        /// When.
        span: Span,
        /// The words.
        text: String,
    },
    /// The client has changed what is known of the call.
    Update {
        /// What has changed.
        update: Box<SessionUpdate>,
    },
    /// Media have come up to this moment.
    Clock {
        /// In milliseconds of media time.
        at_ms: u64,
    },
    /// What follows from the words, where they themselves are not kept.
    Words {
        /// What follows.
        derived: Box<DerivedWords>,
    },
    /// Nothing more will come.
    End,
}

/// What a state is made with, besides the client's options.
#[derive(Clone)]
pub struct StateSettings {
    /// How readings become a vector.
    pub fusion: FusionConfig,
    /// The habits of live calls.
    pub live: LiveConfig,
    /// Ranks agents.
    pub router: Arc<Router>,
    /// Where what the state is told is recorded, if it is.
    pub recording: Option<Recording>,
}

/// The state of one call.
pub struct State {
    settings: StateSettings,
    stated: SessionUpdate,
    agents: Pool,
    fusion: FusionStream,
    words: Words,
    standing: Standing,
    front_ms: u64,
    emotion_interval_ms: u64,
    next_emotion_ms: u64,
    next_ranking_ms: u64,
    /// Whether something has changed since the last ranking.
    is_ranking_stale: bool,
    emotion: Option<EmotionNow>,
    ranking: Option<RankingNow>,
    readings_late: u64,
}

/// The agents who could take the call. They are read into columns when they are first ranked, which is a worker's task,
/// and then shared by every further ranking.
enum Pool {
    Listed(Vec<Agent>),
    Ready(Arc<Roster>),
}

impl Pool {
    fn roster(&mut self) -> Result<Arc<Roster>, RoutingError> {
        if let Self::Listed(agents) = self {
            *self = Self::Ready(Roster::new(std::mem::take(agents))?);
        }
        match self {
            Self::Ready(roster) => Ok(Arc::clone(roster)),
            Self::Listed(_) => Err(RoutingError::NoAgents),
        }
    }
}

/// What a state has come to.
#[derive(Debug, Clone)]
pub struct Standpoint {
    /// The latest media time, in milliseconds.
    pub front_ms: u64,
    /// The customer's state then.
    pub emotion: EmotionVector,
    /// What each modality contributed.
    pub explanation: Explanation,
    /// The state over media time.
    pub timeline: Vec<TimelinePoint>,
    /// The customer's language.
    pub language: Language,
    /// What the issue needs.
    pub need: CallNeed,
    /// The last ranking that was sent.
    pub ranking: Option<RankingNow>,
    /// Readings that came too late to change the moments they speak of.
    pub readings_late: u64,
    /// Utterances that are no longer remembered.
    pub utterances_forgotten: u64,
}

impl State {
    /// The state of a call that begins.
    #[must_use]
    pub fn new(mut options: SessionOptions, settings: StateSettings) -> Self {
        if let Some(recording) = &settings.recording {
            recording.begin_state(&options);
        }
        let mut stated = options.take_update();
        let agents = Pool::Listed(stated.agents.take().unwrap_or_default());
        let min_change = options.ranking.min_change.unwrap_or(settings.live.ranking_min_change);
        let emotion_interval_ms = options.emotion_interval_ms.unwrap_or(settings.live.emotion_interval_ms);
        Self {
            fusion: FusionStream::new(&settings.fusion),
            words: Words::new(settings.live.max_utterances, stated.language.as_deref()),
            standing: Standing::new(options.ranking.top, min_change),
            front_ms: 0,
            emotion_interval_ms,
            next_emotion_ms: emotion_interval_ms,
            next_ranking_ms: 0,
            is_ranking_stale: true,
            emotion: None,
            ranking: None,
            readings_late: 0,
            stated,
            agents,
            settings,
        }
    }

    /// Takes a fact in and says what follows from it.
    pub fn take(&mut self, fact: &Fact) -> Vec<Event> {
        let events = self.follow(fact);
        if let Some(recording) = &self.settings.recording {
            recording.take(fact, &events, || Fact::Words { derived: Box::new(self.words.derived()) });
        }
        events
    }

    fn follow(&mut self, fact: &Fact) -> Vec<Event> {
        match fact {
            Fact::Reading { track, reading } => self.take_reading(*track, reading),
            Fact::Said { role, span, text } => {
                self.words.add(*role, *span, text, self.stated.language.as_deref());
                self.is_ranking_stale = true;
                Vec::new()
            }
            Fact::Update { update } => {
                self.take_update((**update).clone());
                Vec::new()
            }
            Fact::Clock { at_ms } => {
                self.front_ms = self.front_ms.max(*at_ms);
                if self.is_due(self.front_ms) { self.judge() } else { Vec::new() }
            }
            Fact::Words { derived } => {
                self.words.replace(derived);
                self.is_ranking_stale = true;
                Vec::new()
            }
            Fact::End => self.judge(),
        }
    }

    fn take_reading(&mut self, track: u8, reading: &Reading) -> Vec<Event> {
        self.is_ranking_stale = true;
        let mut events = vec![Event::Reading(Box::new(TrackReading { track, reading: reading.clone() }))];
        if self.fusion.add(reading) == Placement::Late {
            self.readings_late += 1;
            events.push(Event::Notice(Notice {
                code: NoticeCode::ReadingLate,
                track: Some(track),
                modality: Some(reading.modality),
                message:
                    "a reading came too late to change the moment it speaks of; it counts as an older one"
                        .to_owned(),
            }));
        }
        events
    }

    fn take_update(&mut self, mut update: SessionUpdate) {
        if let Some(agents) = update.agents.take() {
            self.agents = Pool::Listed(agents);
        }
        if update.language.is_some() {
            self.words.restate(update.language.as_deref());
        }
        self.stated.merge(update);
        self.standing.outdated();
        self.is_ranking_stale = true;
        // The client waits for the answer to what it changed.
        self.next_ranking_ms = 0;
        self.next_emotion_ms = self.next_emotion_ms.min(self.front_ms);
    }

    /// Whether an emotion vector is due at a moment.
    #[must_use]
    pub const fn is_due(&self, at_ms: u64) -> bool {
        at_ms >= self.next_emotion_ms
    }

    /// Whether the customer's words are in a language that the text model reads.
    #[must_use]
    pub const fn reads_words(&self) -> bool {
        self.words.language().is_readable
    }

    /// How many agents are ranked.
    #[must_use]
    pub fn agents(&self) -> usize {
        match &self.agents {
            Pool::Listed(agents) => agents.len(),
            Pool::Ready(roster) => roster.len(),
        }
    }

    /// The customer's state now, and a ranking where it is worth sending.
    fn judge(&mut self) -> Vec<Event> {
        let started = Instant::now();
        self.words.refresh();
        let (emotion, explanation) = self.fusion.at(self.front_ms, self.words.concern().cloned());
        let now = EmotionNow { emotion, explanation, language: self.words.language().found.clone() };
        record::fuse(started.elapsed());
        // Counted from where the last one stood, so that the rate holds however late each of them is.
        let interval_ms = self.emotion_interval_ms;
        self.next_emotion_ms = (self.front_ms / interval_ms + 1) * interval_ms;
        self.emotion = Some(now.clone());
        let mut events = vec![Event::Emotion(Box::new(now))];
        if self.agents() > 0 && self.is_ranking_stale && self.front_ms >= self.next_ranking_ms {
            events.extend(self.rank());
        }
        events
    }

    fn rank(&mut self) -> Option<Event> {
        let started = Instant::now();
        let emotion = self.emotion.as_ref()?;
        let need = self.need();
        let request = ranking_request(emotion.emotion.clone(), &need, &emotion.language);
        let roster = self.agents.roster();
        let ranked = roster.and_then(|roster| self.settings.router.rank_unkept(&request, &roster));
        record::rank(started.elapsed());
        self.next_ranking_ms = self.front_ms + self.settings.live.ranking_interval_ms;
        self.is_ranking_stale = false;
        let (mut ranking, unkept) = match ranked {
            Ok(ranked) => ranked,
            Err(error) => {
                return Some(Event::Notice(Notice {
                    code: NoticeCode::RankingFailed,
                    track: None,
                    modality: None,
                    message: with_causes(&error),
                }));
            }
        };
        let (eligible, excluded) = (ranking.eligible, ranking.excluded_total);
        let because = self.standing.judge(&mut ranking)?;
        // One that nobody gets is not kept: nobody can say how its call ended.
        if let Some(unkept) = unkept {
            self.settings.router.keep(unkept, self.standing.top());
        }
        let now = RankingNow { at_ms: self.front_ms, because, need, ranking, eligible, excluded };
        self.ranking = Some(now.clone());
        Some(Event::Ranking(Box::new(now)))
    }

    fn need(&self) -> CallNeed {
        let stated = StatedNeed {
            needed_skills: self.stated.needed_skills.clone(),
            complexity: self.stated.complexity,
            language_level: self.stated.language_level,
            // Who waits goes on waiting while the call is read.
            waiting_ms: self
                .stated
                .waiting_ms
                .map_or(0, |waiting_ms| waiting_ms.saturating_add(self.front_ms)),
        };
        call_need(stated, self.words.need().clone())
    }

    /// The emotion vector and the ranking as they were last given out.
    #[must_use]
    pub fn latest(&self) -> (Option<&EmotionVector>, Option<&RankingNow>) {
        (self.emotion.as_ref().map(|now| &now.emotion), self.ranking.as_ref())
    }

    /// What the state has come to.
    #[must_use]
    pub fn standpoint(&self) -> Standpoint {
        let (emotion, explanation) = self.fusion.at(self.front_ms, self.words.concern().cloned());
        Standpoint {
            front_ms: self.front_ms,
            emotion,
            explanation,
            timeline: self.fusion.timeline(),
            language: self.words.language().found.clone(),
            need: self.need(),
            ranking: self.ranking.clone(),
            readings_late: self.readings_late,
            utterances_forgotten: self.words.forgotten,
        }
    }
}
