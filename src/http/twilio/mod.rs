//! `GET /v1/twilio`: telephone calls by WebSocket, as Twilio Media Streams and its relatives send them.
//!
//! A message's road: [`message`] reads one message of any dialect, [`call`] keeps the order and the tracks of a call
//! and says what to do, and the route leads that into a live session. [`encoding`] knows what the formats are called,
//! [`parameters`] what an application may say about its call, [`signature`] whether it was the telephone company that
//! called. The side of the telephone is never answered: nothing here speaks into a call.

pub mod call;
mod calls;
pub mod encoding;
mod fields;
mod line;
pub mod message;
mod order;
pub mod parameters;
pub(super) mod route;
pub mod signature;
