//! WebRTC ingest: a browser's camera and microphone become Opus packets and still pictures, each with its media time.
//!
//! One UDP socket serves all peers. A task reads it and hands each datagram to the peer that it belongs to
//! ([`directory`]); each peer has a task of its own that drives its protocol state ([`peer`]) without any further
//! input or output of its own. Every queue on the way is bounded, and what does not fit is dropped and counted: a peer
//! that floods loses its own packets and nobody else's.
//!
//! Video is not decoded here. A few pictures a second are enough to read a face, so key frames are asked for at that
//! rate and handed on as pictures ([`picture`]); what lies between them is dropped unread.
//!
//! What the media mean, and how the offer travels, is decided elsewhere: this room knows neither sessions nor HTTP.

mod clock;
mod config;
mod directory;
mod error;
mod negotiation;
mod peer;
mod picture;
mod publication;
mod server;
mod stun;

pub use config::WebRtcConfig;
pub use error::WebRtcError;
pub use negotiation::MAX_OFFER_BYTES;
pub use picture::{PictureFault, still_picture};
pub use publication::{Ending, Publication, Published};
pub use server::{Accepted, Answered, Terms, WebRtc};
