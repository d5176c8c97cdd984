//! The load generator: asks a running server as often as it is told, and measures what comes back.
//!
//! [`Requests`] says what is sent, [`Plan`] how often and for how long, [`Client`] sends, [`run`] makes one [`Report`]
//! of it and [`search`] many, to find the highest rate that a server holds. Nothing here knows of the command line,
//! and nothing of the server's insides: another server is measured with the same measure.
//!
//! In open loop the requests leave at moments that were fixed beforehand, however slow the answers are, and each
//! latency counts from that moment. A server that stalls therefore pays for every request that would have come
//! meanwhile, and a generator that cannot keep up is seen in its own lag.

mod arrivals;
mod calls;
mod client;
mod error;
mod plan;
mod report;
mod requests;
mod run;
mod search;
mod tally;
mod target;

#[cfg(test)]
mod testing;

pub use arrivals::Arrivals;
pub use calls::{CallsPlan, CallsReport, CallsSearch, Script, StageShare, measure, search_calls};
pub use client::Client;
pub use error::LoadError;
pub use plan::{Load, Plan};
pub use report::{Lag, Latency, Report};
pub use requests::{Kind, Requests};
pub use run::run;
pub use search::{SearchPlan, SearchReport, Trial, search};
pub use target::Target;
