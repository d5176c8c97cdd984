//! What is told of a matcher.

use heartline_plugin_host::{Generation, MatcherHealth};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::config::{IsolationChoice, MatcherConfig};
use crate::routing::{Mode, Policy};

/// What a matcher is, and how the active policy uses it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MatcherInfo {
    /// The name that policies call it by.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The version of the plugin interface it was built for, `major.minor`.
    pub abi: String,
    /// What it does.
    pub description: String,
    /// The SHA-256 of its library.
    pub sha256: String,
    /// Where its code runs: `none` for the server's own process, `process` for one of its own.
    #[schema(value_type = String)]
    pub isolation: IsolationChoice,
    /// What it offers besides scores: `heartline.explain`, `heartline.learn`, `heartline.state`.
    pub extensions: Vec<String>,
    /// Its mode in the active policy; none where that does not name it.
    pub mode: Option<Mode>,
    /// Its weight in the active policy; none where that does not name it.
    pub weight: Option<f32>,
}

impl MatcherInfo {
    /// What is told of a matcher that was loaded.
    pub(super) fn new(current: &Generation, entry: &MatcherConfig, policy: Option<&Policy>) -> Self {
        let descriptor = current.descriptor();
        let id = entry.id.clone().unwrap_or_else(|| descriptor.id.clone());
        let used = policy.and_then(|policy| policy.matchers.iter().find(|used| used.id == id));
        Self {
            name: descriptor.name.clone(),
            version: descriptor.version.clone(),
            abi: format!("{}.{}", descriptor.abi_major, descriptor.abi_minor),
            description: descriptor.description.clone(),
            sha256: current.fingerprint().to_owned(),
            isolation: entry.isolation,
            extensions: current.extensions().ids().map(str::to_owned).collect(),
            mode: used.map(|used| used.mode),
            weight: used.map(|used| used.weight),
            id,
        }
    }
}

/// Everything that is told of one matcher.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MatcherDetail {
    /// What it is.
    #[serde(flatten)]
    pub matcher: MatcherInfo,
    /// How many versions of it were loaded since the program began, this one included.
    pub generation: u64,
    /// How long a ranking waits for it, in milliseconds.
    pub deadline_ms: u64,
    /// Its settings.
    #[schema(value_type = Object)]
    pub config: Value,
    /// The JSON schema of its settings.
    #[schema(value_type = Object)]
    pub config_schema: Value,
    /// How its calls went.
    #[schema(value_type = Object)]
    pub health: MatcherHealth,
    /// The metrics that it sets itself.
    #[schema(value_type = Object)]
    pub metrics: std::collections::BTreeMap<String, f64>,
}
