//! From dialogues that were heard to figures.

use heartline::emotion::Span;

use super::annotated::Level;
use super::heard::{Heard, STRONG_FROM};

/// What was measured on some dialogues. Shares are in [0, 1].
#[derive(Debug, Default, Clone)]
pub(crate) struct Figures {
    pub(crate) dialogues: usize,
    /// Of the issues that were heard, those that are right.
    pub(crate) issue_precision: f64,
    /// Of the issues that were noted, those that were heard.
    pub(crate) issue_recall: f64,
    /// Where the issue is right: how often the count is exact.
    pub(crate) count_exact: f64,
    /// Where the issue is right: by how many utterances the count is off on average.
    pub(crate) count_error: f64,
    /// Overlap in time of noted and heard spans, over all dialogues with an issue: 2 x both / (noted + heard).
    pub(crate) span_f1: f64,
    /// How often none, mild or strong is right.
    pub(crate) level_agreement: f64,
    /// Spearman's rank correlation of the noted level and the score.
    pub(crate) rank_correlation: f64,
    /// How often a strong insistence scores higher than none.
    pub(crate) strong_over_none: f64,
    /// Of the strong insistences, those with the right issue and a score from 0.5 on.
    pub(crate) strong_found: f64,
    /// Of the dialogues without an issue, those in which one was heard.
    pub(crate) false_alarms: f64,
    /// The same with a score from 0.5 on.
    pub(crate) strong_false_alarms: f64,
    /// 2 x right / (noted + heard) over all needed skills.
    pub(crate) skill_f1: f64,
    /// How often low, medium or high complexity is right.
    pub(crate) complexity_agreement: f64,
    /// How often the requested language is right, over all dialogues.
    pub(crate) language_accuracy: f64,
    /// The same over the dialogues in which a language is named.
    pub(crate) named_language_accuracy: f64,
}

impl Figures {
    pub(crate) fn of(all: &[Heard]) -> Self {
        let with_issue: Vec<&Heard> = all.iter().filter(|one| one.noted.issue.is_some()).collect();
        let without: Vec<&Heard> = all.iter().filter(|one| one.noted.issue.is_none()).collect();
        let right: Vec<&Heard> = all.iter().filter(|one| one.is_right_issue()).collect();
        let strong: Vec<&Heard> = all.iter().filter(|one| one.noted.concern == Level::Strong).collect();
        let named: Vec<&Heard> = all.iter().filter(|one| one.noted.names_a_language()).collect();
        let everything: Vec<&Heard> = all.iter().collect();
        let is_language_right = |one: &Heard| one.need.requested_language == one.noted.requested_language;
        Self {
            dialogues: all.len(),
            issue_precision: ratio(right.len(), all.iter().filter(|one| one.concern.is_some()).count()),
            issue_recall: ratio(right.len(), with_issue.len()),
            count_exact: share(&right, |one| count_error(one) == 0),
            count_error: right.iter().map(|one| count_error(one) as f64).sum::<f64>()
                / right.len().max(1) as f64,
            span_f1: span_f1(&with_issue),
            level_agreement: share(&everything, |one| one.level() == one.noted.concern),
            rank_correlation: rank_correlation(all),
            strong_over_none: above(&strong, &without),
            strong_found: share(&strong, |one| one.is_right_issue() && one.score() >= STRONG_FROM),
            false_alarms: share(&without, |one| one.concern.is_some()),
            strong_false_alarms: share(&without, |one| one.score() >= STRONG_FROM),
            skill_f1: skill_f1(all),
            complexity_agreement: share(&everything, |one| one.complexity() == one.noted.complexity),
            language_accuracy: share(&everything, is_language_right),
            named_language_accuracy: share(&named, is_language_right),
        }
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn share(all: &[&Heard], is_so: impl Fn(&Heard) -> bool) -> f64 {
    ratio(all.iter().filter(|one| is_so(one)).count(), all.len())
}

fn count_error(one: &Heard) -> usize {
    one.concern.as_ref().map_or(0, |concern| concern.count).abs_diff(one.noted.mentions().len())
}

fn span_f1(with_issue: &[&Heard]) -> f64 {
    let length = |spans: &[Span]| spans.iter().map(Span::duration_ms).sum::<u64>();
    let (mut both, mut total) = (0, 0);
    for one in with_issue {
        let noted = one.noted.mentions();
        total += length(&noted) + length(one.spans());
        for heard in one.spans() {
            both += noted.iter().map(|span| overlap_ms(*heard, *span)).sum::<u64>();
        }
    }
    2.0 * both as f64 / total.max(1) as f64
}

fn overlap_ms(left: Span, right: Span) -> u64 {
    left.end_ms.min(right.end_ms).saturating_sub(left.start_ms.max(right.start_ms))
}

fn skill_f1(all: &[Heard]) -> f64 {
    let (mut right, mut total) = (0, 0);
    for one in all {
        right += one.need.needed_skills.iter().filter(|skill| one.noted.skills.contains(skill)).count();
        total += one.need.needed_skills.len() + one.noted.skills.len();
    }
    2.0 * right as f64 / total.max(1) as f64
}

/// How often one of the first scores higher than one of the second; equal scores count half.
fn above(first: &[&Heard], second: &[&Heard]) -> f64 {
    let wins = first.iter().flat_map(|one| second.iter().map(|other| one.score() - other.score()));
    let sum: f64 = wins
        .map(|difference| {
            if difference > 0.0 {
                1.0
            } else if difference < 0.0 {
                0.0
            } else {
                0.5
            }
        })
        .sum();
    sum / (first.len() * second.len()).max(1) as f64
}

/// Spearman's correlation of noted levels and scores, equal values sharing their mean rank.
fn rank_correlation(all: &[Heard]) -> f64 {
    let noted = ranks(&all.iter().map(|one| one.noted.concern as u8 as f32).collect::<Vec<_>>());
    let heard = ranks(&all.iter().map(Heard::score).collect::<Vec<_>>());
    let mean = (all.len() as f64 + 1.0) / 2.0;
    let product = |left: &[f64], right: &[f64]| {
        left.iter().zip(right).map(|(left, right)| (left - mean) * (right - mean)).sum::<f64>()
    };
    let scale = (product(&noted, &noted) * product(&heard, &heard)).sqrt();
    if scale > 0.0 { product(&noted, &heard) / scale } else { 0.0 }
}

fn ranks(values: &[f32]) -> Vec<f64> {
    let rank = |value: &f32| {
        let below = values.iter().filter(|other| *other < value).count();
        let equal = values.iter().filter(|other| *other == value).count();
        below as f64 + (equal as f64 + 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

#[test]
fn overlaps_and_ranks_are_what_they_say() {
    assert_eq!(overlap_ms(Span::new(0, 10), Span::new(5, 20)), 5);
    assert_eq!(overlap_ms(Span::new(0, 10), Span::new(10, 20)), 0);
    assert_eq!(ranks(&[0.5, 0.1, 0.5, 0.9]), [2.5, 1.0, 2.5, 4.0]);
}
