//! Synthetic live calls: how many a server holds, in real time.
//!
//! [`Script`] is one call's media, [`play`](player) plays it over a WebSocket as a platform would, [`measure`] plays
//! many side by side and [`search_calls`] finds the most that hold a bound.

mod measure;
mod player;
mod report;
mod script;

pub use measure::{CallsPlan, measure, search_calls};
pub use report::{CallsReport, CallsSearch, StageShare};
pub use script::Script;
