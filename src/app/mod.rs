//! Builds the rooms from a configuration, runs them and drains them, and leads a call through them.
//!
//! [`App`] is the built program. [`App::analyze_call`] is the road of a call, used by the wire and by the command line
//! alike: bytes are decoded on a sized pool of workers, the models read them side by side, and fusion and ranking
//! make a [`CallAnalysis`] of it. [`App::rank`] is its last part alone.

mod analysis;
mod analyze;
mod build;
mod caller;
mod connections;
mod decode;
mod error;
mod language;
mod matchers;
mod material;
mod need;
mod notes;
mod observe;
pub mod paths;
mod pool;
mod random;
mod rank;
mod readings;
mod serve;
mod tls;
mod transcript;
mod utterances;

pub use analysis::{
    ANALYSIS_VERSION, CallAnalysis, CallNeed, ConsentRecord, Language, LanguageSource, ModelUse, NOTICE,
    NeedSource, Note, NoteCode, READING_LIMIT, Timings,
};
pub use build::{App, Place};
pub(crate) use caller::{HeardWindow, hear_caller};
pub(crate) use connections::Seat;
pub use error::{AppError, StartError};
pub(crate) use language::TextLanguage;
pub use matchers::{MatcherDetail, MatcherInfo, PluginCheck, Reload, check_plugins};
pub(crate) use matchers::{RecordedMatchers, load_router};
pub use material::{
    AgentList, CallMaterial, CallOptions, Consent, EncodedFrame, Frames, OptionFault, RawAudio, Role,
};
pub(crate) use need::{StatedNeed, call_need, ranking_request};
pub(crate) use observe::in_steps;
pub use pool::{PoolError, WorkPool};
pub(crate) use random::random_text;
pub(crate) use readings::{of_face, of_text, of_voice};
pub use serve::{Ending, stop_signal};
pub use tls::TlsError;
pub use transcript::{transcript_from_bytes, transcript_from_json};
pub(crate) use utterances::speaking_ms;
