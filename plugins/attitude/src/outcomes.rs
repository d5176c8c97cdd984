//! What an agent's past calls promise for a customer who is as upset as this one.

use heartline_plugin_sdk::abi::Outcomes;

use crate::Config;

/// An agent's record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Record {
    /// The expected share of calls that end well, in [0, 1].
    pub(crate) success: f32,
    /// How much the record can be trusted: 0 without calls, near 1 with many.
    pub(crate) evidence: f32,
}

/// Reads the record for a customer who is upset by this share; calls with upset and with other customers count as far
/// as they are like this one.
pub(crate) fn record(config: &Config, outcomes: &Outcomes, upset: f32) -> Record {
    let upset_good = outcomes.upset_resolved as f32;
    let upset_bad = outcomes.upset_unresolved as f32;
    // Upset calls are counted in both pairs; a host that counts otherwise must not lead to negative numbers here.
    let other_good = (outcomes.resolved as f32 - upset_good).max(0.0);
    let other_bad = (outcomes.unresolved as f32 - upset_bad).max(0.0);
    let good = upset * upset_good + (1.0 - upset) * other_good;
    let bad = upset * upset_bad + (1.0 - upset) * other_bad;
    let calls = good + bad;
    let success = (good + config.prior_calls * config.prior_success) / (calls + config.prior_calls);
    Record { success: success.clamp(0.0, 1.0), evidence: calls / (calls + config.prior_calls) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(resolved: u32, unresolved: u32, upset_resolved: u32, upset_unresolved: u32) -> Outcomes {
        Outcomes { resolved, unresolved, upset_resolved, upset_unresolved }
    }

    #[test]
    fn without_calls_the_prior_stands_and_counts_nothing() {
        let record = record(&Config::default(), &Outcomes::default(), 1.0);
        assert_eq!((record.success, record.evidence), (0.7, 0.0));
    }

    #[test]
    fn only_calls_like_this_one_count() {
        let config = Config::default();
        // Good with the upset, bad with the others.
        let outcomes = counts(30, 30, 30, 0);
        assert!(record(&config, &outcomes, 1.0).success > 0.9);
        assert!(record(&config, &outcomes, 0.0).success < 0.2);
    }

    #[test]
    fn counts_that_contradict_each_other_stay_in_range() {
        let record = record(&Config::default(), &counts(0, 0, u32::MAX, 5), 0.5);
        assert!((0.0..=1.0).contains(&record.success) && (0.0..=1.0).contains(&record.evidence));
    }
}
