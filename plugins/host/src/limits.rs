//! How much a matcher may be given and may answer.

use serde::{Deserialize, Serialize};

/// The limits of everything that crosses the border between the server and a matcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostLimits {
    /// The longest configuration of a matcher, in bytes.
    pub max_config_bytes: usize,
    /// The most candidates of one call.
    pub max_candidates: usize,
    /// The most needed skills of one request.
    pub max_needed_skills: usize,
    /// The longest config schema of a matcher, in bytes.
    pub max_schema_bytes: usize,
    /// The longest other text of a matcher (name, version, reason, metric name, ...), in bytes.
    pub max_text_bytes: usize,
    /// The longest message of a matcher (an error, a log line), in bytes; longer ones are cut.
    pub max_message_bytes: usize,
    /// The most different reason codes of one matcher.
    pub max_reason_codes: usize,
    /// The most metrics of one matcher; further ones are dropped.
    pub max_metrics: usize,
    /// The most factors of one explanation.
    pub max_factors: usize,
    /// The longest saved state of a matcher, in bytes.
    pub max_state_bytes: usize,
    /// The largest library, in bytes.
    pub max_library_bytes: u64,
    /// The most different libraries of one matcher that are loaded into this process one after the other: none of them is
    /// ever unmapped.
    pub max_generations: usize,
    /// How many log lines of one library pass in a second; further ones are dropped and counted.
    pub log_lines_per_second: u32,
    /// How many log lines of one library may come at once.
    pub log_burst_lines: u32,
}

impl Default for HostLimits {
    fn default() -> Self {
        Self {
            max_config_bytes: 64 << 10,
            max_candidates: 100_000,
            max_needed_skills: 64,
            max_schema_bytes: 64 << 10,
            max_text_bytes: 512,
            max_message_bytes: 1024,
            max_reason_codes: 256,
            max_metrics: 64,
            max_factors: 64,
            max_state_bytes: 16 << 20,
            max_library_bytes: 512 << 20,
            max_generations: 16,
            log_lines_per_second: 20,
            log_burst_lines: 100,
        }
    }
}
