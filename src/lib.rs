//! Heartline listens to a live customer call, reads its emotion from words, tone of voice and face, and ranks the
//! human agents who could take it.
//!
//! The rooms, in the order of a call's road:
//! - [`media`]: untrusted bytes become bounded PCM or RGB.
//! - [`engine`]: the models, each device on its own thread behind a bounded queue.
//! - [`emotion`]: readings of single modalities become one emotion vector with an explanation.
//! - [`routing`]: agents, matchers and the policy that ranks.
//! - [`http`]: the wire.
//! - [`webrtc`]: camera and microphone of a browser.
//! - [`predict`]: the same models over tables of texts, clips and pictures.
//! - [`load`]: asks a running server as often as it is told, and measures.
//!
//! Around them: [`config`] holds every limit, [`telemetry`] every metric's name, [`app`] builds, runs and drains, and
//! [`cli`] is what can be typed.
#![forbid(unsafe_code)]

pub mod app;
pub mod cli;
pub mod config;
pub mod emotion;
pub mod engine;
mod hexadecimal;
pub mod http;
pub mod live;
pub mod load;
pub mod media;
pub mod predict;
pub mod routing;
pub mod telemetry;
pub mod webrtc;
