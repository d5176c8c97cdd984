//! The steps of a session that take time: hearing, reading with models, looking at frames. Each is a future of its
//! own that owns what it needs, so that none waits for another.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use heartline_models::RgbImage;
use heartline_models::face::{self, FaceCrop, FacePrediction};
use heartline_models::text::TextPrediction;
use heartline_models::voice::{VoiceClip, VoicePrediction};

use super::SkipReason;
use super::clock::Clock;
use super::ear::{Ear, HeardNow};
use super::faces::{FaceTracker, Look, TrackedFace};
use super::session::lock;
use super::video::WaitingFrame;
use crate::app::{PoolError, WorkPool};
use crate::emotion::Span;
use crate::engine::{Engine, EngineError, Priority, Terms};
use crate::media::{MediaError, MediaLimits, decode_image};
use crate::telemetry::record;

/// How long words and voice may wait for their model: beyond it the moment has gone.
const READING_TIME: Duration = Duration::from_secs(8);
/// The same for a frame: the next one is better.
const FRAME_TIME: Duration = Duration::from_secs(2);
/// How long a step rests when there is no room for it.
const REST: Duration = Duration::from_millis(20);

/// Who does the work.
#[derive(Clone)]
pub(super) struct Workers {
    pub(super) engine: Engine,
    pub(super) pool: WorkPool,
    pub(super) media: Arc<MediaLimits>,
    /// The session's number towards the engine, so that sessions have turns.
    pub(super) session: u64,
}

/// What came of a step.
pub(super) enum Done {
    Heard { track: usize, heard: HeardNow },
    Voice { windows: Vec<WindowPlace>, outcome: Result<Vec<VoicePrediction>, EngineError> },
    Texts { texts: Vec<TextPlace>, outcome: Result<Vec<TextPrediction>, EngineError> },
    Looked { track: u8, frame: u64, at_ms: u64, came: Instant, outcome: Result<Vec<SeenFace>, SkipReason> },
}

/// Where a window of speech lies.
#[derive(Debug, Clone)]
pub(super) struct WindowPlace {
    pub(super) track: u8,
    pub(super) span: Span,
    pub(super) speech_share: f32,
    pub(super) came: Instant,
}

/// Where a text lies.
#[derive(Debug, Clone)]
pub(super) struct TextPlace {
    pub(super) track: u8,
    pub(super) span: Span,
    pub(super) came: Instant,
}

/// A face and what it expresses.
pub(super) struct SeenFace {
    pub(super) tracked: TrackedFace,
    pub(super) prediction: FacePrediction,
}

impl Workers {
    fn terms(&self, time: Duration) -> Terms {
        Terms { deadline: Some(Instant::now() + time), priority: Priority::Live, session: Some(self.session) }
    }

    /// Hears what waits at an ear; at the end also what is left.
    pub(super) async fn hear(
        self,
        track: usize,
        ear: Arc<Mutex<Ear>>,
        clock: Arc<Mutex<Clock>>,
        is_end: bool,
    ) -> Done {
        loop {
            let (ear, clock) = (Arc::clone(&ear), Arc::clone(&clock));
            let work = move || {
                let mut ear = lock(&ear);
                if is_end { ear.finish(&clock) } else { ear.hear(&clock) }
            };
            match self.pool.run(work).await {
                Ok(heard) => return Done::Heard { track, heard },
                // The audio still waits at the ear.
                Err(PoolError::Full) => tokio::time::sleep(REST).await,
                Err(error) => {
                    tracing::error!(%error, "hearing failed");
                    let heard = HeardNow { is_finished: is_end, ..HeardNow::default() };
                    return Done::Heard { track, heard };
                }
            }
        }
    }

    /// Reads windows of speech.
    pub(super) async fn read_voice(self, windows: Vec<WindowPlace>, clips: Vec<VoiceClip>) -> Done {
        let outcome =
            patiently(|terms| self.engine.analyze_voice(clips.clone(), terms), self.terms(READING_TIME))
                .await;
        Done::Voice { windows, outcome }
    }

    /// Reads texts.
    pub(super) async fn read_texts(self, texts: Vec<TextPlace>, words: Vec<String>) -> Done {
        let outcome =
            patiently(|terms| self.engine.analyze_texts(words.clone(), terms), self.terms(READING_TIME))
                .await;
        Done::Texts { texts, outcome }
    }

    /// Looks at a frame: decodes it, finds faces, reads them.
    pub(super) async fn look(self, frame: WaitingFrame, tracker: Arc<Mutex<FaceTracker>>) -> Done {
        let WaitingFrame { track, frame, at_ms, bytes, came } = frame;
        let (media, planner) = (Arc::clone(&self.media), Arc::clone(&tracker));
        let shown = self.pool.run(move || Shown::of(&bytes, &media, &planner));
        let outcome = match shown.await {
            Ok(Ok(shown)) => self.find_faces(shown, at_ms, &tracker).await,
            Ok(Err(error)) => {
                tracing::debug!(%error, track, frame, "a frame cannot be decoded");
                Err(SkipReason::Unreadable)
            }
            Err(PoolError::Full) => Err(SkipReason::Overloaded),
            Err(error) => {
                tracing::error!(%error, "decoding a frame failed");
                Err(SkipReason::ModelFailed)
            }
        };
        Done::Looked { track, frame, at_ms, came, outcome }
    }

    async fn find_faces(
        &self,
        shown: Shown,
        at_ms: u64,
        tracker: &Mutex<FaceTracker>,
    ) -> Result<Vec<SeenFace>, SkipReason> {
        let Shown { image, look, pieces } = shown;
        let terms = self.terms(FRAME_TIME);
        let (mut pieces, found) = self.engine.locate_faces(pieces, terms).await.map_err(skip_reason)?;
        let tracked = lock(tracker).settle(at_ms, look.whole(found));
        let Some(image) = image.or_else(|| pieces.pop()).filter(|_| !tracked.is_empty()) else {
            return Ok(Vec::new());
        };
        let cropping = self.pool.run(move || {
            let crops: Vec<FaceCrop> =
                tracked.iter().map(|tracked| face::crop(&image, &tracked.face)).collect();
            (tracked, crops)
        });
        let (tracked, crops) = cropping.await.map_err(|_| SkipReason::Overloaded)?;
        let predictions = self.engine.analyze_crops(crops, terms).await.map_err(skip_reason)?;
        let seen = tracked.into_iter().zip(predictions);
        Ok(seen.map(|(tracked, prediction)| SeenFace { tracked, prediction }).collect())
    }
}

/// A frame, and what of it the detector is shown.
struct Shown {
    /// The frame; none where the detector is shown all of it, and hands it back.
    image: Option<RgbImage>,
    look: Look,
    pieces: Vec<RgbImage>,
}

impl Shown {
    fn of(bytes: &[u8], media: &MediaLimits, tracker: &Mutex<FaceTracker>) -> Result<Self, MediaError> {
        let started = Instant::now();
        let image = decode_image(bytes, media)?;
        record::decode("image", started.elapsed());
        let look = lock(tracker).plan(image.width, image.height);
        Ok(match &look {
            Look::Whole => Self { image: None, look, pieces: vec![image] },
            Look::Around(regions) => {
                let pieces = regions.iter().map(|region| region.cut(&image)).collect();
                Self { image: Some(image), look, pieces }
            }
        })
    }
}

/// Asks a model, and again where it has no room, until the deadline.
async fn patiently<T, F>(ask: impl Fn(Terms) -> F, terms: Terms) -> Result<T, EngineError>
where
    F: Future<Output = Result<T, EngineError>>,
{
    loop {
        match ask(terms).await {
            Err(EngineError::Overloaded { retry_after_ms }) => {
                let rest = Duration::from_millis(retry_after_ms.clamp(20, 500));
                if terms.deadline.is_some_and(|deadline| Instant::now() + rest >= deadline) {
                    return Err(EngineError::Overloaded { retry_after_ms });
                }
                tokio::time::sleep(rest).await;
            }
            answer => return answer,
        }
    }
}

fn skip_reason(error: EngineError) -> SkipReason {
    match error {
        EngineError::Overloaded { .. } | EngineError::Deadline => SkipReason::Overloaded,
        error => {
            tracing::warn!(%error, "a frame could not be read");
            SkipReason::ModelFailed
        }
    }
}
