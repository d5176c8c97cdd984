//! The attitude matcher: what the customer's emotional state needs against how agents are.
//!
//! Every part of the state (the seven categories, frustration, confusion, concern) asks for some traits: the sad for
//! warmth, the angry for calm and patience, the confused for clarity, the happy for energy. Summed up by how strong each
//! part is, this is the demand; an agent's score is the demand-weighted mean of the agent's traits, pulled towards the
//! share of past calls, with customers as upset as this one, that ended well. What each part needs is learned from how
//! calls end, with the configured table as the prior. Nobody is ever excluded. Worked numbers are in
//! `docs/matchers/attitude.md`.

#![forbid(unsafe_code)]

mod config;
mod demand;
mod explain;
mod learning;
mod logistic;
mod outcomes;
mod parts;
mod score;
mod sheets;
mod state;

pub use config::{Config, Learning, NeedTable, TraitWeights};

use demand::Demand;
use heartline_plugin_sdk::{
    Candidates, Explain, Extensions, Factor, Factors, Learn, Matcher, MatcherError, Outcome, Reason, Request,
    Score, Scores, State, export_matcher, metric,
};
use learning::{Learned, Target};
use outcomes::Reading;
use sheets::Sheets;

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

/// The score of everybody where nobody is preferred.
const UNDECIDED: f32 = 0.5;

/// Scores agents by their attitude.
#[derive(Debug, Clone)]
pub struct Attitude {
    config: Config,
    learned: Learned,
    sheets: Sheets,
}

impl Matcher for Attitude {
    type Config = Config;
    const ID: &'static str = "attitude";
    const NAME: &'static str = "Attitude";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "Compares what the customer's emotional state needs with agents' attitude and past outcomes, and learns what it needs.";
    const REASONS: &'static [Reason] = &[
        Reason { code: REASON_ABSTAIN, text: "too little was observed of the customer to prefer anybody" },
        Reason { code: REASON_NO_NEED, text: "the customer's state needs nothing in particular" },
        Reason { code: REASON_UNKNOWN, text: "the trait that the customer's state needs most is not known" },
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
    const EXTENSIONS: Extensions<Self> = Extensions::none().explain().learn().state();

    fn create(config: Config) -> Result<Self, MatcherError> {
        Ok(Self { learned: Learned::new(&config), config, sheets: Sheets::default() })
    }

    fn score(
        &mut self,
        request: &Request<'_>,
        candidates: &Candidates<'_>,
        scores: &mut Scores<'_>,
    ) -> Result<(), MatcherError> {
        let demand = match self.demand(request) {
            Ok(demand) => demand,
            Err(reason) => {
                let confidence = self.config.abstain_confidence as f32;
                scores.fill(Score { score: UNDECIDED, eligible: true, confidence, reason });
                return Ok(());
            }
        };
        let reading = Reading::new(&self.config, parts::upset_share(&request.emotion));
        let sureness = request.emotion.confidence * demand.strength;
        self.sheets.refresh(candidates);
        score::answer(&demand, &reading, sureness, &self.sheets, &mut scores.columns());
        Ok(())
    }
}

impl Attitude {
    /// What the customer's state asks for, or the reason why it asks for nothing.
    fn demand(&self, request: &Request<'_>) -> Result<Demand, u32> {
        if request.emotion.abstain {
            return Err(REASON_ABSTAIN);
        }
        Demand::new(self.learned.needs(), &request.emotion).ok_or(REASON_NO_NEED)
    }

    /// What each part of the state asks of each trait now: parts in the order of the configuration, traits in the order
    /// of [`heartline_plugin_sdk::Trait`].
    #[must_use]
    pub fn needs(&self) -> &[[f32; 5]; 10] {
        self.learned.needs()
    }
}

impl Explain for Attitude {
    fn explain<'call>(
        &mut self,
        request: &Request<'call>,
        candidates: &Candidates<'call>,
        row: usize,
        factors: &mut Factors<'_, 'call>,
    ) -> Result<(), MatcherError> {
        self.factors(request, candidates, row).into_iter().for_each(|factor| factors.push(factor));
        Ok(())
    }
}

impl Attitude {
    fn factors(
        &self,
        request: &Request<'_>,
        candidates: &Candidates<'_>,
        row: usize,
    ) -> Vec<Factor<'static>> {
        let Ok(demand) = self.demand(request) else { return vec![explain::undecided(UNDECIDED)] };
        let reading = Reading::new(&self.config, parts::upset_share(&request.emotion));
        explain::factors(
            &demand,
            &candidates.attitude(row),
            reading.record(outcomes::calls(&candidates.outcomes(row))),
        )
    }
}

impl Learn for Attitude {
    fn learn(
        &mut self,
        request: &Request<'_>,
        candidates: &Candidates<'_>,
        outcome: &Outcome,
    ) -> Result<(), MatcherError> {
        let emotion = &request.emotion;
        // Of a state that was not seen, or an end of which nothing is known, there is nothing to learn.
        let Some(target) = Target::of(outcome).filter(|_| self.config.learning.enabled && !emotion.abstain)
        else {
            return Ok(());
        };
        let weight = target.weight * f64::from(emotion.confidence);
        self.learned.learn(&parts::strengths(emotion), &candidates.attitude(0), Target { weight, ..target });
        metric("outcomes_learned", self.learned.outcomes as f64);
        Ok(())
    }
}

impl State for Attitude {
    fn save(&self) -> Result<Vec<u8>, MatcherError> {
        Ok(state::to_bytes(&self.learned.evidence, self.learned.outcomes))
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), MatcherError> {
        let (evidence, outcomes) = state::from_bytes(bytes)?;
        self.learned.restore(evidence, outcomes);
        Ok(())
    }
}

export_matcher!(Attitude);

#[cfg(test)]
mod tests;
