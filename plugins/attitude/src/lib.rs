//! The attitude matcher: what the customer's emotional state needs against how agents are.
//!
//! Every part of the state (the seven categories, frustration, confusion, concern) asks for some traits: the sad for
//! warmth, the angry for calm and patience, the confused for clarity, the happy for energy. Summed up by how strong each
//! part is, this is the demand; an agent's score is the demand-weighted mean of the agent's traits, pulled towards the
//! share of past calls, with customers as upset as this one, that ended well. Nobody is ever excluded. Worked numbers are
//! in `docs/matchers.md`.

#![forbid(unsafe_code)]

mod config;
mod demand;
mod outcomes;

pub use config::{Config, NeedTable, TraitWeights};

use demand::Demand;
use heartline_plugin_sdk::{
    Candidates, Matcher, MatcherError, Reason, Request, Score, Scores, export_matcher,
};

/// Nothing was observed.
const REASON_ABSTAIN: u32 = 1;
/// The state needs nothing in particular.
const REASON_NO_NEED: u32 = 2;
/// The agent's traits are unknown.
const REASON_UNKNOWN: u32 = 3;
/// The first of three codes (strong, fair, weak) for each trait.
const REASON_TRAITS: u32 = 10;

/// From this score of the trait that is needed most it is called strong.
const STRONG: f32 = 0.7;
/// From this score it is called fair.
const FAIR: f32 = 0.4;

/// Scores agents by their attitude.
#[derive(Debug, Clone)]
pub struct Attitude {
    config: Config,
}

impl Matcher for Attitude {
    type Config = Config;
    const ID: &'static str = "attitude";
    const NAME: &'static str = "Attitude";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str =
        "Compares what the customer's emotional state needs with agents' attitude and past outcomes.";
    const REASONS: &'static [Reason] = &[
        Reason { code: REASON_ABSTAIN, text: "too little was observed of the customer to prefer anybody" },
        Reason { code: REASON_NO_NEED, text: "the customer's state needs nothing in particular" },
        Reason { code: REASON_UNKNOWN, text: "nothing is known of the traits the customer's state needs" },
        Reason { code: REASON_TRAITS, text: "has the warmth that the customer's state needs most" },
        Reason {
            code: REASON_TRAITS + 1,
            text: "has some of the warmth that the customer's state needs most",
        },
        Reason {
            code: REASON_TRAITS + 2,
            text: "has little of the warmth that the customer's state needs most",
        },
        Reason { code: REASON_TRAITS + 3, text: "has the calm that the customer's state needs most" },
        Reason { code: REASON_TRAITS + 4, text: "has some of the calm that the customer's state needs most" },
        Reason {
            code: REASON_TRAITS + 5,
            text: "has little of the calm that the customer's state needs most",
        },
        Reason { code: REASON_TRAITS + 6, text: "has the patience that the customer's state needs most" },
        Reason {
            code: REASON_TRAITS + 7,
            text: "has some of the patience that the customer's state needs most",
        },
        Reason {
            code: REASON_TRAITS + 8,
            text: "has little of the patience that the customer's state needs most",
        },
        Reason { code: REASON_TRAITS + 9, text: "has the clarity that the customer's state needs most" },
        Reason {
            code: REASON_TRAITS + 10,
            text: "has some of the clarity that the customer's state needs most",
        },
        Reason {
            code: REASON_TRAITS + 11,
            text: "has little of the clarity that the customer's state needs most",
        },
        Reason { code: REASON_TRAITS + 12, text: "has the energy that the customer's state needs most" },
        Reason {
            code: REASON_TRAITS + 13,
            text: "has some of the energy that the customer's state needs most",
        },
        Reason {
            code: REASON_TRAITS + 14,
            text: "has little of the energy that the customer's state needs most",
        },
    ];

    fn create(config: Config) -> Result<Self, MatcherError> {
        config.check()?;
        Ok(Self { config })
    }

    fn score(
        &mut self,
        request: &Request<'_>,
        candidates: &Candidates<'_>,
        scores: &mut Scores<'_>,
    ) -> Result<(), MatcherError> {
        let rows = 0..candidates.len();
        let demand = Demand::new(&self.config.needs, &request.emotion);
        let alike =
            |reason| Score { score: 0.5, eligible: true, confidence: self.config.abstain_confidence, reason };
        if request.emotion.abstain {
            rows.for_each(|row| scores.set(row, alike(REASON_ABSTAIN)));
            return Ok(());
        }
        let Some(demand) = demand else {
            rows.for_each(|row| scores.set(row, alike(REASON_NO_NEED)));
            return Ok(());
        };
        let upset = demand::upset_share(&request.emotion);
        for row in rows {
            let fit = demand.fit(&candidates.attitude(row));
            let record = outcomes::record(&self.config, &candidates.outcomes(row), upset);
            let weight = self.config.outcome_weight * record.evidence;
            // What is known: the traits, and beside them a record as far as it counts.
            let known = fit.known + (1.0 - fit.known) * weight;
            let confidence = request.emotion.confidence * demand.strength() * known;
            scores.set(
                row,
                Score {
                    score: ((1.0 - weight) * fit.score + weight * record.success).clamp(0.0, 1.0),
                    eligible: true,
                    confidence: confidence.clamp(0.0, 1.0),
                    reason: reason(&demand, fit.leading),
                },
            );
        }
        Ok(())
    }
}

/// The code for what the agent has of the trait that is needed most.
fn reason(demand: &Demand, leading: f32) -> u32 {
    if leading.is_nan() {
        return REASON_UNKNOWN;
    }
    let grade = if leading >= STRONG {
        0
    } else if leading >= FAIR {
        1
    } else {
        2
    };
    REASON_TRAITS + 3 * demand.leading_trait() + grade
}

export_matcher!(Attitude);

#[cfg(test)]
mod tests;
