//! The factors of a score: one a language of the customer.

use heartline_plugin_sdk::{Candidates, Factor};

use crate::cover::Customer;
use crate::{UNDECIDED, reason};

/// The factors of one candidate's score, the weightiest first.
pub(crate) fn factors<'call>(
    customer: Option<&Customer<'call>>,
    candidates: &Candidates<'call>,
    row: usize,
) -> Vec<Factor<'call>> {
    let Some(customer) = customer else { return vec![alone("unknown language", UNDECIDED)] };
    let (ids, levels) = candidates.language_rows().entries(row);
    let cover = customer.cover(ids, levels);
    if cover.reason == reason::INTERPRETER {
        return vec![alone("interpreter", cover.score)];
    }
    let factor = |wanted| {
        let value = customer.value(wanted, ids, levels);
        Factor {
            name: "language",
            subject: wanted.tag,
            value,
            weight: wanted.share.min(1.0),
            contribution: wanted.share * value,
        }
    };
    let mut factors: Vec<Factor<'call>> = customer.languages.iter().map(factor).collect();
    factors.sort_by(|left, right| right.weight.total_cmp(&left.weight));
    factors
}

/// The one factor that decides where no language does.
fn alone(name: &'static str, score: f32) -> Factor<'static> {
    Factor { name, subject: "", value: score, weight: 1.0, contribution: score }
}
