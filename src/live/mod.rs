//! Live calls: streams come in, the customer's state and a ranking go out while the call goes on.
//!
//! A [`Hub`] holds all calls of a server, a [`Session`] is the handle to one. Transports (WebSocket, telephony, WebRTC,
//! plain requests) hand [`Input`]s to it and read its [`Event`]s; each knows only its own wire.
//!
//! Inside, a call is one task ([`runner`], [`outcomes`]): [`clock`] makes one media time of all timestamps, [`ear`]
//! turns audio into windows of speech, [`video`] chooses the frames worth reading, [`faces`] follows faces over frames
//! with a [`look`] at as little of them as will do, [`work`] asks the models, and [`state`] is the machine that turns
//! what they say into events. [`log`] keeps the events for readers who come back, [`webhooks`] sends them to other
//! servers, [`record`] keeps what the state was told so that a call can be played again. Media are never stored.

mod books;
mod clock;
mod config;
mod ear;
mod error;
mod event;
mod faces;
#[cfg(test)]
mod faces_tests;
mod hub;
mod input;
mod log;
mod look;
mod options;
mod outcomes;
pub mod record;
mod runner;
mod session;
mod standing;
mod state;
mod summary;
mod video;
pub mod webhooks;
mod words;
mod work;

pub use config::LiveConfig;
pub use error::LiveError;
pub use event::{
    CloseReason, Created, EmotionNow, Event, Fault, FrameAnswer, Limits, Notice, NoticeCode,
    PROTOCOL_VERSION, RankingCause, RankingNow, SeenPerson, SkipReason, TrackReading, Updated, UtteranceEnd,
    UtteranceStart,
};
pub use hub::{Hub, LiveRooms};
pub use input::{Input, TextPart};
pub use log::{Delivery, EventReader, Sent};
pub use options::{AudioEncoding, RankingOptions, SessionOptions, SessionUpdate, TrackKind, TrackOptions};
pub use session::{Attachment, Origin, Session, SessionInfo, Transport};
pub use state::{Fact, Standpoint, State, StateSettings};
pub use summary::{Coverage, Summary, Totals};
