//! Streams a live call to a Heartline server and brings back what it reads: the emotion track, the readings and the
//! ranking of the agents.
//!
//! ```no_run
//! use heartline_client::{AudioFormat, Client, Event, SessionOptions, Track};
//!
//! # async fn run(next_piece: impl AsyncFn() -> Vec<u8>) -> Result<(), heartline_client::ClientError> {
//! let options = SessionOptions {
//!     tracks: vec![Track::audio("customer", AudioFormat::PcmS16le { sample_rate_hz: 16_000, channels: 1 })],
//!     ..SessionOptions::default()
//! };
//! let mut session = Client::new("ws://127.0.0.1:8080").open(options).await?;
//! let sender = session.sender();
//! sender.send_audio(0, Some(0), next_piece().await).await?;
//! while let Some(envelope) = session.next_event().await {
//!     if let Event::Emotion(now) = envelope.event {
//!         println!("{} ms: {:?}", now.emotion.at_ms, now.emotion.top_category());
//!         break;
//!     }
//! }
//! let summary = session.close().await?;
//! println!("{} ms of audio were heard", summary.totals.audio_ms);
//! # Ok(())
//! # }
//! ```
//!
//! A [`Session`] is fed through its [`Sender`] and read by [`Session::next_event`], from one task or from several. A
//! connection that breaks is opened again by itself, for as long as the server keeps the session.
//!
//! What the server sends describes expressions observed, not feelings known.
#![forbid(unsafe_code)]

mod agent;
mod backoff;
mod client;
mod connection;
mod emotion;
mod error;
mod event;
mod media;
mod message;
mod options;
mod ranking;
mod session;
mod summary;

pub use agent::{Activity, Agent, Attitude, Attribute, LanguageLevel, OutcomeCounts};
pub use backoff::Backoff;
pub use client::Client;
pub use emotion::{
    Abstention, AbstentionCode, Category, CategoryProbabilities, Concern, Contribution, EmotionVector,
    Explanation, FaceRegion, LabelScore, Modality, ModalityTrust, Reading, ServiceHints, Span, TimelinePoint,
    Trend, Trust, WorstMoment,
};
pub use error::ClientError;
pub use event::{
    Created, EmotionNow, Envelope, Event, Fault, FrameAnswer, Language, LanguageSource, Limits, Missed,
    ModelUse, Notice, NoticeCode, OtherLanguage, SeenPerson, SkipReason, TrackReading, Unknown, Updated,
    UtteranceEnd, UtteranceStart,
};
pub use media::{HEADER_BYTES, MediaKind, media_message};
pub use message::TextPart;
pub use options::{
    AudioFormat, Consent, RankingOptions, Role, SessionOptions, SessionUpdate, SkillNeed, Track, TrackKind,
};
pub use ranking::{
    CallNeed, Disagreement, ExcludedAgent, Exclusion, ExplainedFactor, Factor, MatcherReport, Mode,
    NeedSource, RankedAgent, Ranking, RankingCause, RankingNow,
};
pub use session::{Sender, Session};
pub use summary::{CloseReason, ConsentRecord, Coverage, Summary, Totals};
