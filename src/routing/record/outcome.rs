//! How calls ended: taken in once a ranking, and told to every matcher of it that learns.

use std::sync::Arc;

use heartline_plugin_host::Outcome;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::file::OutcomeRecord;
use crate::routing::{Router, RoutingError};
use crate::telemetry::{record, with_causes};

/// How the call of a ranking ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportedOutcome {
    /// The agent who took the call.
    pub agent_id: String,
    /// Whether the issue was resolved; left out where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<bool>,
    /// Whether the call was transferred to another agent.
    #[serde(default)]
    pub transferred: bool,
    /// The customer's own rating, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<f32>,
    /// How the customer's valence changed from the ranking to the end, -2 to 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valence_change: Option<f32>,
    /// How long the call took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handling_ms: Option<u64>,
}

impl ReportedOutcome {
    fn check(&self) -> Result<(), RoutingError> {
        let within = |field: &str, value: Option<f32>, low: f32, high: f32| match value {
            Some(value) if !(low..=high).contains(&value) => {
                Err(RoutingError::Outcome(format!("{field} {value} is not within {low} to {high}")))
            }
            _ => Ok(()),
        };
        within("rating", self.rating, 0.0, 1.0)?;
        within("valence_change", self.valence_change, -2.0, 2.0)
    }

    const fn to_host(&self) -> Outcome {
        Outcome {
            is_resolved: self.resolved,
            is_transferred: self.transferred,
            rating: self.rating,
            valence_change: self.valence_change,
            handling_ms: self.handling_ms,
        }
    }
}

/// What came of a reported outcome.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OutcomeReport {
    /// The ranking's identifier.
    pub ranking_id: String,
    /// The outcome as it was reported.
    pub outcome: ReportedOutcome,
    /// The matchers that were told.
    pub lessons: Vec<Lesson>,
}

/// What one matcher made of an outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Lesson {
    /// The matcher's identifier.
    pub matcher: String,
    /// Whether it learned from it; matchers that do not learn say no.
    pub learned: bool,
    /// Why it could not, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Router {
    /// Takes in how the call of a ranking ended and tells every matcher that was asked. The same outcome again changes
    /// nothing and is answered as the first time.
    ///
    /// # Errors
    /// [`RoutingError::UnknownRanking`], [`RoutingError::OutcomeConflict`] or [`RoutingError::Outcome`].
    pub fn conclude(
        &self,
        ranking_id: &str,
        outcome: ReportedOutcome,
    ) -> Result<OutcomeReport, RoutingError> {
        let unknown = || RoutingError::UnknownRanking(ranking_id.to_owned());
        let records = self.records().ok_or_else(unknown)?;
        let entry = records.entry(ranking_id).ok_or_else(unknown)?;
        outcome.check()?;
        let kept = &entry.kept;
        let row = kept.roster.row(&outcome.agent_id).ok_or_else(|| {
            RoutingError::Outcome(format!("agent \"{}\" is not among those ranked", outcome.agent_id))
        })?;
        // Held to the end, so that of two reports at once the second finds the first one's outcome.
        let mut given = entry.outcome();
        if let Some(report) = &*given {
            let is_same = report.outcome == outcome;
            record::ranking_outcome(if is_same { "repeated" } else { "refused" });
            let conflict = || RoutingError::OutcomeConflict(ranking_id.to_owned());
            return is_same.then(|| report.clone()).ok_or_else(conflict);
        }
        let candidate = Arc::new(kept.roster.candidates().row(row));
        let host_outcome = outcome.to_host();
        let lessons = kept.policy.asked().filter_map(|used| self.pooled(&used.id)).map(|matcher| {
            let learned = matcher.learn(&kept.score_request, &candidate, &host_outcome);
            if let Err(error) = &learned {
                tracing::warn!(matcher = matcher.id, %error, "a matcher could not learn from an outcome");
            }
            let error = learned.as_ref().err().map(|error| with_causes(error));
            Lesson { matcher: matcher.id.clone(), learned: learned.unwrap_or(false), error }
        });
        let report = OutcomeReport { ranking_id: ranking_id.to_owned(), lessons: lessons.collect(), outcome };
        *given = Some(report.clone());
        drop(given);
        record::ranking_outcome("taken");
        if let Some(writer) = &records.writer {
            writer.outcome(OutcomeRecord::of(&report));
        }
        Ok(report)
    }
}
