//! The matchers of this server: found, loaded, watched, replaced while calls run, and kept with what they have learned.
//!
//! How a library is opened and called safely is the plugin host's work; how the answers become a ranking is the
//! routing room's.

mod again;
mod find;
mod info;
mod list;
mod registry;
mod states;

pub(crate) use again::RecordedMatchers;
pub use info::{MatcherDetail, MatcherInfo};
pub use list::{PluginCheck, check_plugins};
pub use registry::Reload;
pub(crate) use registry::{Matchers, load_router};
