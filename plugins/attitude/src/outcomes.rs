//! What an agent's past calls promise for a customer who is as upset as this one.

use heartline_plugin_sdk::abi::Outcomes;

use crate::Config;

/// How many numbers a record is made of.
pub(crate) const CALL_COUNT: usize = 4;

/// The calls of a record as numbers: with upset customers, good and bad, then with others.
pub(crate) fn calls(outcomes: &Outcomes) -> [f32; CALL_COUNT] {
    // Upset calls are counted in both pairs; a host that counts otherwise must not lead to negative numbers here.
    let other_good = outcomes.resolved.saturating_sub(outcomes.upset_resolved);
    let other_bad = outcomes.unresolved.saturating_sub(outcomes.upset_unresolved);
    [outcomes.upset_resolved, outcomes.upset_unresolved, other_good, other_bad].map(|count| count as f32)
}

/// An agent's record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Record {
    /// The expected share of calls that end well, in [0, 1].
    pub(crate) success: f32,
    /// How far the record replaces the traits, in [0, 1]: 0 without calls, near `outcome_weight` with many.
    pub(crate) weight: f32,
}

/// How records are read for one customer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// How upset the customer is; calls with upset and with other customers count as far as they are like this one.
    upset: f32,
    prior_calls: f32,
    prior_good: f32,
    outcome_weight: f32,
}

impl Reading {
    pub(crate) fn new(config: &Config, upset: f32) -> Self {
        let prior_calls = config.prior_calls as f32;
        Self {
            upset,
            prior_calls,
            prior_good: prior_calls * config.prior_success as f32,
            outcome_weight: config.outcome_weight as f32,
        }
    }

    /// The record of one agent, from what [`calls`] gives.
    #[inline]
    pub(crate) fn record(&self, [upset_good, upset_bad, other_good, other_bad]: [f32; CALL_COUNT]) -> Record {
        let calm = 1.0 - self.upset;
        let good = self.upset * upset_good + calm * other_good;
        let bad = self.upset * upset_bad + calm * other_bad;
        let calls = good + bad;
        // One division for both, because this is done for every agent.
        let inverse = 1.0 / (calls + self.prior_calls);
        let success = (good + self.prior_good) * inverse;
        // `if` and not `min`, which would have to think of NaN.
        let evidence = calls * inverse;
        Record {
            success: if success > 1.0 { 1.0 } else { success },
            weight: self.outcome_weight * if evidence > 1.0 { 1.0 } else { evidence },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(outcomes: Outcomes, upset: f32) -> Record {
        Reading::new(&Config::default(), upset).record(calls(&outcomes))
    }

    fn counts(resolved: u32, unresolved: u32, upset_resolved: u32, upset_unresolved: u32) -> Outcomes {
        Outcomes { resolved, unresolved, upset_resolved, upset_unresolved }
    }

    #[test]
    fn without_calls_the_prior_stands_and_counts_nothing() {
        let record = record(Outcomes::default(), 1.0);
        assert!((record.success - 0.7).abs() < 1e-6 && record.weight == 0.0, "{record:?}");
    }

    #[test]
    fn only_calls_like_this_one_count() {
        // Good with the upset, bad with the others.
        let outcomes = counts(30, 30, 30, 0);
        assert!(record(outcomes, 1.0).success > 0.9);
        assert!(record(outcomes, 0.0).success < 0.2);
    }

    #[test]
    fn counts_that_contradict_each_other_stay_in_range() {
        for outcomes in [counts(0, 0, u32::MAX, 5), counts(u32::MAX, u32::MAX, 0, 0), counts(0, 0, 9, 9)] {
            let record = record(outcomes, 0.5);
            assert!(
                (0.0..=1.0).contains(&record.success) && (0.0..=0.3).contains(&record.weight),
                "{record:?}"
            );
        }
    }
}
