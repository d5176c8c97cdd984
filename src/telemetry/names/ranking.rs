//! Metrics of rankings: what they came to, what shadows would change, what became of their records.

use metrics::Unit;

use super::{Kind, Metric, metric};

/// From half a place to a thousand: how far agents move in a ranking.
const PLACES: &[f64] = &[0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1_000.0];
/// Shares of a whole.
const SHARES: &[f64] = &[0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0];

/// Rankings that were made.
pub const RANKINGS: Metric = metric(
    "heartline_rankings_total",
    Kind::Counter,
    Unit::Count,
    &["policy", "outcome"],
    "Rankings by policy and outcome (ranked, fallback, empty).",
);
/// Rankings with a shadow.
pub const SHADOW_RANKINGS: Metric = metric(
    "heartline_shadow_rankings_total",
    Kind::Counter,
    Unit::Count,
    &["matcher", "first"],
    "Rankings that a shadow answered, by whether another agent would come first if it counted (same, other).",
);
/// How far a shadow would move agents.
pub const SHADOW_DISPLACEMENT: Metric = metric(
    "heartline_shadow_displacement_places",
    Kind::Histogram(PLACES),
    Unit::Count,
    &["matcher"],
    "Places that the first ten agents would move on average if a shadow counted.",
);
/// Whom a shadow would exclude.
pub const SHADOW_EXCLUDED: Metric = metric(
    "heartline_shadow_excluded_share",
    Kind::Histogram(SHARES),
    Unit::Count,
    &["matcher"],
    "Share of those who could take the call whom a shadow would exclude if it counted.",
);
/// What became of rankings' records.
pub const RANKING_RECORDS: Metric = metric(
    "heartline_ranking_records_total",
    Kind::Counter,
    Unit::Count,
    &["outcome"],
    "Rankings and outcomes for the folder of records, by outcome (written, dropped, failed).",
);
/// Outcomes of calls.
pub const RANKING_OUTCOMES: Metric = metric(
    "heartline_ranking_outcomes_total",
    Kind::Counter,
    Unit::Count,
    &["result"],
    "Reported outcomes of calls, by what came of them (taken, repeated, refused).",
);
