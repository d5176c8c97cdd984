//! The issue that a customer keeps coming back to.
//!
//! [`lexicon`], [`markers`], [`cues`] and [`traditional`] are data; [`matching`], [`spelling`] and [`table`] find
//! phrases; [`clauses`] reads one utterance, [`tally`] counts topics over a conversation and [`phrases`] finds issues
//! that the lexicon does not know. The score is made here.

mod clauses;
mod cues;
#[cfg(test)]
mod dialogues;
mod lexicon;
mod markers;
mod matching;
mod phrases;
mod spelling;
mod table;
mod tally;
mod traditional;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) use self::matching::Prepared;
pub(super) use self::table::PhraseTable;
use self::tally::{Prompt, STRONG_MARKER};
pub(super) use self::tally::{prompts, tally};
use super::{Span, Utterance};

/// The topic of an issue that the lexicon does not know.
pub const OTHER_TOPIC: &str = "other";

/// How quickly pressure beyond the first mention fills the score: two complaints give about 0.3 to 0.4.
const STEEPNESS: f32 = 0.42;
/// What coming back over the whole conversation adds to the evidence, compared with saying it all at once.
const SPREAD_BONUS: f32 = 0.2;
/// After how many further utterances without the issue the part of the score that fades is halved.
const FADE_UTTERANCES: f32 = 8.0;
/// The part of the score that does not fade: what was said stays said.
const LASTING_SHARE: f32 = 0.4;
/// Below this score nothing is reported.
const SCORE_NEEDED: f32 = 0.25;
/// The same for issues that the lexicon does not know: most nouns that come up again are no issue at all.
const OTHER_SCORE_NEEDED: f32 = 0.35;

/// The issue that a customer keeps coming back to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Concern {
    /// How strongly, in [0, 1].
    #[schema(minimum = 0, maximum = 1)]
    pub score: f32,
    /// The issue in the customer's own words.
    pub issue: String,
    /// The canonical id of the issue (`refund`, `delivery`); `other` where the lexicon does not know it.
    pub topic: String,
    /// In how many utterances it came up.
    pub count: usize,
    /// Where it came up, in the order of the call.
    pub spans: Vec<Span>,
}

/// The ids of the topics that the lexicon knows.
pub fn topic_ids() -> impl Iterator<Item = &'static str> {
    lexicon::TOPICS.iter().map(|topic| topic.id)
}

/// Finds the issue that a customer keeps coming back to; none where there is no such issue.
///
/// The utterances are those of the customer, in the order of the call.
#[must_use]
pub fn find_concern(utterances: &[Utterance]) -> Option<Concern> {
    find(utterances, &[])
}

/// As [`find_concern`], with what the agent said in between: a mention that only takes up the agent's question counts
/// less, a demand that comes again after a refusal counts more. What the agent names is nothing the customer insists
/// on. The spans must say who spoke first.
#[must_use]
pub fn find_concern_in_call(customer: &[Utterance], agent: &[Utterance]) -> Option<Concern> {
    find(customer, &prompts(customer, agent))
}

fn find(utterances: &[Utterance], prompts: &[Prompt]) -> Option<Concern> {
    strongest_topic(utterances, prompts).or_else(|| repeated_phrase(utterances))
}

fn strongest_topic(utterances: &[Utterance], prompts: &[Prompt]) -> Option<Concern> {
    let mut best: Option<Concern> = None;
    for tally in tally(utterances, prompts) {
        if tally.utterances.len() < 2 && tally.repeated < STRONG_MARKER {
            continue;
        }
        let score = score(tally.pressure, &tally.utterances, utterances.len());
        if score >= SCORE_NEEDED && best.as_ref().is_none_or(|known| score > known.score) {
            best = Some(Concern {
                score,
                issue: commonest(&tally.phrasings),
                topic: tally.id.to_owned(),
                count: tally.utterances.len(),
                spans: spans(&tally.utterances, utterances),
            });
        }
    }
    best
}

fn repeated_phrase(utterances: &[Utterance]) -> Option<Concern> {
    let phrase = phrases::most_repeated(utterances)?;
    let score = score(phrase.evidence, &phrase.utterances, utterances.len());
    (score >= OTHER_SCORE_NEEDED).then(|| Concern {
        score,
        topic: OTHER_TOPIC.to_owned(),
        count: phrase.utterances.len(),
        spans: spans(&phrase.utterances, utterances),
        issue: phrase.text,
    })
}

/// (1 - exp(-steepness x (pressure x (1 + bonus x spread) - 1))) x (lasting + (1 - lasting) x 0.5^(gap / fade)).
///
/// Pressure 1 is a single complaint, which is no concern. The spread is the part of the conversation between the
/// first and the last mention, the gap how many utterances came after the last one. Both count utterances and not
/// seconds, so that transcripts without times work alike.
fn score(pressure: f32, mentions: &[usize], utterances: usize) -> f32 {
    let (Some(first), Some(last)) = (mentions.first(), mentions.last()) else { return 0.0 };
    let end = utterances.saturating_sub(1);
    let spread = (last - first) as f32 / end.max(1) as f32;
    let gap = end.saturating_sub(*last) as f32;
    let beyond_first = (pressure * (1.0 + SPREAD_BONUS * spread) - 1.0).max(0.0);
    let strength = 1.0 - (-STEEPNESS * beyond_first).exp();
    let freshness = LASTING_SHARE + (1.0 - LASTING_SHARE) * 0.5f32.powf(gap / FADE_UTTERANCES);
    (strength * freshness).clamp(0.0, 1.0)
}

/// The phrasing used most; the longest of those used equally often.
fn commonest(phrasings: &[String]) -> String {
    let uses = |phrasing: &String| phrasings.iter().filter(|other| *other == phrasing).count();
    phrasings
        .iter()
        .max_by_key(|phrasing| (uses(phrasing), phrasing.chars().count()))
        .cloned()
        .unwrap_or_default()
}

fn spans(mentions: &[usize], utterances: &[Utterance]) -> Vec<Span> {
    mentions.iter().map(|index| utterances[*index].span).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_plain_mention_scores_nothing_and_more_score_more() {
        assert_eq!(score(1.0, &[3], 4), 0.0);
        let two = score(2.0, &[2, 3], 4);
        let three = score(3.0, &[1, 2, 3], 4);
        assert!(two > 0.25 && three > two && score(30.0, &[0, 1, 2, 3], 4) <= 1.0);
        assert_eq!(score(5.0, &[], 0), 0.0);
    }

    #[test]
    fn coming_back_counts_more_than_saying_it_at_once_and_old_issues_fade() {
        assert!(score(3.0, &[0, 5, 9], 10) > score(3.0, &[7, 8, 9], 10));
        let fresh = score(3.0, &[0, 1, 2], 3);
        let old = score(3.0, &[0, 1, 2], 60);
        assert!(old < fresh * 0.45 && old > 0.0, "{old} {fresh}");
    }

    #[test]
    fn the_commonest_phrasing_names_the_issue() {
        let phrasings = ["refund", "money back", "refund"].map(str::to_owned);
        assert_eq!(commonest(&phrasings), "refund");
        assert_eq!(commonest(&[]), "");
    }
}
