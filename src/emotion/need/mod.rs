//! What help a customer needs, from what was said.

mod languages;

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::languages::requested_language;
use super::concern::{PhraseTable, Prepared, prompts, tally};
use super::{Concern, Utterance};

/// A topic is needed as a skill from this part of the strongest topic's evidence on.
const SKILL_SHARE: f32 = 0.25;
/// The most skills that are asked for.
const SKILL_LIMIT: usize = 3;
/// The number of utterances from which a conversation counts as long.
const LONG_CONVERSATION: f32 = 20.0;

/// Words of a case that has left the usual path.
const ESCALATION_ENGLISH: &[&str] = &[
    "supervisor*",
    "manager*",
    "lawyer*",
    "legal action",
    "complain*",
    "sue",
    "ombudsman",
    "consumer protection",
    "police",
    "court",
    "escalat*",
    "fraud*",
    "scam*",
    "12315",
];
/// As above.
const ESCALATION_CHINESE: &[&str] =
    &["投诉", "经理", "主管", "领导", "律师", "起诉", "消协", "曝光", "报警", "诈骗", "骗子", "工信部"];

static ESCALATION: LazyLock<PhraseTable<()>> = LazyLock::new(|| {
    PhraseTable::new(ESCALATION_ENGLISH.iter().chain(ESCALATION_CHINESE).map(|phrase| (*phrase, ())))
});

/// What help a customer needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// The main topic's id; none where no known topic came up.
    pub topic: Option<String>,
    /// The ids of the topics that came up enough to matter, the main one first: skills to ask of an agent.
    pub needed_skills: Vec<String>,
    /// How complex the case seems, from simple (0) to hard (1).
    #[schema(minimum = 0, maximum = 1)]
    pub complexity: f32,
    /// The language that the customer asked for, as a BCP 47 tag; none where none was asked for.
    pub requested_language: Option<String>,
}

/// Infers what help a customer needs.
///
/// The main topic is the one of the concern, otherwise the one named most. Complexity is 0.15 for any issue or topic,
/// 0.15 for each further one (two at most), 0.3 x the concern's score, 0.25 for words of escalation and up to
/// 0.15 for a long conversation.
#[must_use]
pub fn infer_need(utterances: &[Utterance], concern: &Option<Concern>) -> Need {
    infer(utterances, &[], concern)
}

/// As [`infer_need`], with what the agent said in between: "yes" to "would you prefer Mandarin?" asks for Mandarin. The
/// spans must say who spoke first.
#[must_use]
pub fn infer_need_in_call(customer: &[Utterance], agent: &[Utterance], concern: &Option<Concern>) -> Need {
    infer(customer, agent, concern)
}

fn infer(utterances: &[Utterance], agent: &[Utterance], concern: &Option<Concern>) -> Need {
    let mut tallies = tally(utterances, &prompts(utterances, agent));
    tallies.sort_by(|left, right| right.evidence.total_cmp(&left.evidence));
    let named = concern.as_ref().map(|concern| concern.topic.as_str());
    if let Some(place) = tallies.iter().position(|tally| Some(tally.id) == named) {
        let main = tallies.remove(place);
        tallies.insert(0, main);
    }
    let strongest = tallies.iter().map(|tally| tally.evidence).fold(0.0, f32::max);
    tallies.retain(|tally| Some(tally.id) == named || tally.evidence >= strongest * SKILL_SHARE);
    let needed_skills: Vec<String> = tallies
        .iter()
        .filter(|tally| tally.is_skill)
        .take(SKILL_LIMIT)
        .map(|tally| tally.id.to_owned())
        .collect();
    Need {
        topic: tallies.first().map(|tally| tally.id.to_owned()),
        complexity: complexity(utterances, tallies.len(), concern),
        needed_skills,
        requested_language: requested_language(utterances, agent),
    }
}

fn complexity(utterances: &[Utterance], topics: usize, concern: &Option<Concern>) -> f32 {
    let escalates =
        utterances.iter().any(|utterance| !ESCALATION.find(&Prepared::new(&utterance.text)).is_empty());
    let length = (utterances.len() as f32 / LONG_CONVERSATION).min(1.0);
    let base = if topics > 0 || concern.is_some() { 0.15 } else { 0.0 };
    let further = 0.15 * topics.saturating_sub(1).min(2) as f32;
    let insistence = 0.3 * concern.as_ref().map_or(0.0, |concern| concern.score.clamp(0.0, 1.0));
    let escalation = if escalates { 0.25 } else { 0.0 };
    (base + further + insistence + escalation + 0.15 * length).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::super::{Span, find_concern};
    use super::*;

    fn need(texts: &[&str]) -> Need {
        let utterances: Vec<_> =
            texts.iter().map(|text| Utterance { span: Span::at(0), text: (*text).to_owned() }).collect();
        infer_need(&utterances, &find_concern(&utterances))
    }

    #[test]
    fn the_concern_is_the_main_skill() {
        let need = need(&["The parcel is late.", "I want a refund.", "A refund, as I said.", "Okay."]);
        assert_eq!(need.topic.as_deref(), Some("refund"));
        assert_eq!(need.needed_skills, ["refund", "delivery"]);
    }

    #[test]
    fn nothing_said_needs_nothing() {
        assert_eq!(need(&[]), Need::default());
        let small_talk = need(&["Hello", "thank you"]);
        assert_eq!((small_talk.topic, small_talk.needed_skills.len()), (None, 0));
        assert!(small_talk.complexity < 0.05);
    }

    #[test]
    fn a_solved_issue_needs_no_skill_beside_a_new_one() {
        let need =
            need(&["My refund, I got my refund, thanks.", "But the app crashes.", "The app still crashes."]);
        assert_eq!(need.needed_skills, ["technical"]);
    }

    #[test]
    fn waiting_is_a_topic_but_no_skill() {
        let need = need(&["一直打不通，没人接。"]);
        assert_eq!(need.topic.as_deref(), Some("waiting"));
        assert!(need.needed_skills.is_empty());
    }

    #[test]
    fn escalation_and_further_topics_make_it_complex() {
        let simple = need(&["我想查一下快递。"]).complexity;
        let hard = need(&[
            "快递丢了，我要退款。",
            "还多扣了费用。",
            "第三次了，退款呢？",
            "我要投诉，叫你们经理来。",
        ]);
        assert!(simple < 0.25, "{simple}");
        assert!(hard.complexity > 0.6, "{hard:?}");
    }
}
