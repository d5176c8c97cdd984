//! How often, and with how much insistence, each topic came up.

use super::lexicon::{TOPICS, Topic};
use super::markers::{
    ARTICLES, DENIED_CHINESE, DENIED_ENGLISH, Marker, QUESTION_CHINESE, REPEATED_CHINESE, REPEATED_ENGLISH,
    RESOLVED_CHINESE, RESOLVED_ENGLISH, UNRESOLVED_CHINESE, UNRESOLVED_ENGLISH,
};
use super::matching::{Prepared, Stretch, merge};
use crate::emotion::Utterance;

/// What each further mention in the same utterance adds; the first one counts 1.
const FURTHER_MENTION: f32 = 0.25;
/// The most that the mentions of one utterance count together.
const MENTIONS_LIMIT: f32 = 1.5;
/// What is left of the evidence once the customer says that the issue is solved.
const RESOLVED_REST: f32 = 0.2;
/// A marker of repetition from this strength on speaks of the last topic where its utterance names none.
pub(super) const STRONG_MARKER: f32 = 0.6;
/// The part of its strength with which it then counts.
const ECHO_SHARE: f32 = 0.5;
/// For how many utterances such an echo reaches back.
const ECHO_REACH: usize = 3;
/// The least that a plain mention counts, however rare it is.
const DENSITY_FLOOR: f32 = 0.5;
/// How many words, or characters, before "solved" are searched for what denies it.
const UNRESOLVED_REACH: usize = 4;

/// How one topic came up.
#[derive(Debug, Clone)]
pub(in crate::emotion) struct Tally {
    /// The topic's id.
    pub(in crate::emotion) id: &'static str,
    /// Whether an agent can be skilled in it.
    pub(in crate::emotion) is_skill: bool,
    /// Mentions and insistence together, already multiplied by the topic's weight. Set once all is heard.
    pub(in crate::emotion) evidence: f32,
    /// The mentions alone.
    mentions: f32,
    /// The markers of repetition alone.
    markers: f32,
    /// The utterances that mention it, by index.
    pub(in crate::emotion) utterances: Vec<usize>,
    /// The customer's words for it, one entry a mention.
    pub(in crate::emotion) phrasings: Vec<String>,
    /// The strongest marker of repetition that came with it, in [0, 1].
    pub(in crate::emotion) insistence: f32,
}

/// One utterance as the tally sees it.
struct Clause {
    text: Prepared,
    /// For each topic (by index) its stretches: in words and in characters.
    mentions: Vec<(usize, String)>,
}

/// Counts every topic that came up, in the order of the lexicon.
pub(in crate::emotion) fn tally(utterances: &[Utterance]) -> Vec<Tally> {
    let mut tallies: Vec<Tally> = TOPICS.iter().map(Tally::new).collect();
    let mut last: Option<(usize, usize)> = None;
    for (index, utterance) in utterances.iter().enumerate() {
        let insistence = insistence(&Prepared::new(&utterance.text));
        let mut mentioned: Vec<(usize, Vec<String>)> = Vec::new();
        for clause in clauses(&utterance.text) {
            if is_resolved(&clause.text) {
                let over: Vec<usize> = if clause.mentions.is_empty() {
                    mentioned
                        .last()
                        .map(|(topic, _)| *topic)
                        .or(last.map(|(topic, _)| topic))
                        .into_iter()
                        .collect()
                } else {
                    clause.mentions.iter().map(|(topic, _)| *topic).collect()
                };
                mentioned.retain(|(topic, _)| !over.contains(topic));
                for topic in over {
                    tallies[topic].resolve();
                    last = Some((topic, index));
                }
                continue;
            }
            for (topic, phrasing) in clause.mentions {
                match mentioned.iter_mut().find(|(known, _)| *known == topic) {
                    Some((_, phrasings)) => phrasings.push(phrasing),
                    None => mentioned.push((topic, vec![phrasing])),
                }
            }
        }
        if mentioned.is_empty() {
            if let Some((topic, heard)) = last
                && insistence >= STRONG_MARKER
                && index - heard <= ECHO_REACH
            {
                tallies[topic].echo(insistence);
            }
            continue;
        }
        for (topic, phrasings) in mentioned {
            tallies[topic].mention(index, phrasings, insistence);
            last = Some((topic, index));
        }
    }
    for (tally, topic) in tallies.iter_mut().zip(TOPICS) {
        let density = density(DENSITY_FLOOR, tally.utterances.len(), utterances.len());
        tally.evidence = topic.weight * (tally.mentions * density + tally.markers);
    }
    tallies.retain(|tally| !tally.utterances.is_empty());
    tallies
}

impl Tally {
    const fn new(topic: &Topic) -> Self {
        Self {
            id: topic.id,
            is_skill: topic.is_skill,
            evidence: 0.0,
            mentions: 0.0,
            markers: 0.0,
            utterances: Vec::new(),
            phrasings: Vec::new(),
            insistence: 0.0,
        }
    }

    fn mention(&mut self, index: usize, phrasings: Vec<String>, insistence: f32) {
        let further = phrasings.len().saturating_sub(1) as f32;
        self.mentions += (1.0 + FURTHER_MENTION * further).min(MENTIONS_LIMIT);
        self.markers += insistence;
        self.insistence = self.insistence.max(insistence);
        self.utterances.push(index);
        self.phrasings.extend(phrasings);
    }

    fn echo(&mut self, insistence: f32) {
        self.markers += ECHO_SHARE * insistence;
        self.insistence = self.insistence.max(insistence);
    }

    fn resolve(&mut self) {
        self.mentions *= RESOLVED_REST;
        self.markers *= RESOLVED_REST;
    }
}

/// How much a plain mention counts, from the part of all utterances that have one: who speaks of a refund in every
/// sentence emphasises it, who names it three times in forty sentences has merely called about it.
pub(super) fn density(floor: f32, mentions: usize, utterances: usize) -> f32 {
    (floor + mentions as f32 / utterances.max(1) as f32).min(1.0)
}

/// The strongest marker of repetition, in [0, 1].
pub(super) fn insistence(text: &Prepared) -> f32 {
    let strongest = |markers: &[Marker], found: &dyn Fn(&str) -> bool| {
        markers.iter().filter(|(phrase, _)| found(phrase)).map(|(_, strength)| *strength).fold(0.0, f32::max)
    };
    let english = strongest(REPEATED_ENGLISH, &|phrase| !text.find_words(phrase).is_empty());
    let chinese = strongest(REPEATED_CHINESE, &|phrase| !text.find_letters(phrase).is_empty());
    english.max(chinese)
}

/// Cuts an utterance into clauses, each with the topics it mentions.
fn clauses(text: &str) -> Vec<Clause> {
    let ends_clause = |letter: char| {
        matches!(letter, ',' | '.' | ';' | '!' | '?' | '，' | '。' | '；' | '！' | '？' | '\n')
    };
    text.split_inclusive(ends_clause)
        .flat_map(|part| part.split(" but "))
        .flat_map(|part| part.split("但是"))
        .flat_map(|part| part.split("可是"))
        .filter(|part| !part.trim().is_empty())
        .map(|part| {
            let text = Prepared::new(part);
            let mentions = mentions(&text);
            Clause { text, mentions }
        })
        .collect()
}

/// The topics that a clause mentions, by index, each with the customer's words. A mention inside of a longer mention
/// of another topic ("charge" in "won't charge") belongs to the other.
pub(super) fn mentions(text: &Prepared) -> Vec<(usize, String)> {
    let mut words: Vec<(usize, Stretch)> = Vec::new();
    let mut letters: Vec<(usize, Stretch)> = Vec::new();
    for (index, topic) in TOPICS.iter().enumerate() {
        let english = topic.english.iter().flat_map(|phrase| text.find_words(phrase)).collect();
        words.extend(merge(english).into_iter().map(|stretch| (index, stretch)));
        let chinese = topic.chinese.iter().flat_map(|phrase| text.find_letters(phrase)).collect();
        letters.extend(merge(chinese).into_iter().map(|stretch| (index, stretch)));
    }
    let said = outermost(&words).into_iter().filter(|(_, (start, _))| !is_denied_in_english(text, *start));
    let written =
        outermost(&letters).into_iter().filter(|(_, (start, _))| !is_denied_in_chinese(text, *start));
    said.map(|(topic, (start, end))| (topic, text.words[start..end].join(" ")))
        .chain(written.map(|(topic, stretch)| (topic, text.letters_of(stretch))))
        .collect()
}

fn outermost(stretches: &[(usize, Stretch)]) -> Vec<(usize, Stretch)> {
    let inside = |(start, end): Stretch, other: Stretch| {
        other.0 <= start && end <= other.1 && end - start < other.1 - other.0
    };
    stretches
        .iter()
        .filter(|(_, stretch)| !stretches.iter().any(|(_, other)| inside(*stretch, *other)))
        .copied()
        .collect()
}

/// "I don't want a refund": a denial directly before the mention, at most one article between.
fn is_denied_in_english(text: &Prepared, start: usize) -> bool {
    let article = start > 0 && ARTICLES.contains(&text.words[start - 1].as_str());
    text.words_before_end_with(start, DENIED_ENGLISH)
        || (article && text.words_before_end_with(start - 1, DENIED_ENGLISH))
}

/// 不要退款: a denial directly before the mention, but not the question 要不要退款.
fn is_denied_in_chinese(text: &Prepared, start: usize) -> bool {
    DENIED_CHINESE.iter().any(|phrase| {
        let length = phrase.chars().count();
        let Some(first) = start.checked_sub(length) else { return false };
        let stands_here = text.letters[first..start].iter().copied().eq(phrase.chars());
        let asks = first > 0 && text.letters.get(first + 1) == text.letters.get(first - 1);
        stands_here && !asks
    })
}

/// Whether a clause says that the issue is over.
fn is_resolved(text: &Prepared) -> bool {
    if QUESTION_CHINESE.iter().any(|phrase| !text.find_letters(phrase).is_empty()) {
        return false;
    }
    let english = RESOLVED_ENGLISH.iter().flat_map(|phrase| text.find_words(phrase)).any(|(start, _)| {
        let before = &text.words[start.saturating_sub(UNRESOLVED_REACH)..start];
        !before.iter().any(|word| UNRESOLVED_ENGLISH.contains(&word.as_str()))
    });
    let chinese = RESOLVED_CHINESE.iter().flat_map(|phrase| text.find_letters(phrase)).any(|(start, _)| {
        let before: String = text.letters[start.saturating_sub(UNRESOLVED_REACH)..start].iter().collect();
        !UNRESOLVED_CHINESE.iter().any(|phrase| before.contains(phrase))
    });
    english || chinese
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(text: &str) -> Vec<&'static str> {
        mentions(&Prepared::new(text)).into_iter().map(|(topic, _)| TOPICS[topic].id).collect()
    }

    #[test]
    fn denials_and_questions_are_told_apart() {
        assert_eq!(topics("I don't want a refund"), Vec::<&str>::new());
        assert_eq!(topics("I didn't get a refund"), ["refund"]);
        assert_eq!(topics("不要退款"), Vec::<&str>::new());
        assert_eq!(topics("要不要退款"), ["refund"]);
        assert_eq!(topics("是不是快递丢了"), ["delivery"]);
    }

    #[test]
    fn the_longer_mention_wins() {
        assert_eq!(topics("it won't charge"), ["defect"]);
        assert_eq!(topics("close my account"), ["cancellation"]);
        assert_eq!(topics("billboard shipmate"), Vec::<&str>::new());
    }

    #[test]
    fn solved_is_told_from_not_solved() {
        for text in ["it is resolved", "I got my refund", "退款已经到账了", "问题解决了"] {
            assert!(is_resolved(&Prepared::new(text)), "{text}");
        }
        for text in [
            "it is not resolved",
            "I never got my refund",
            "when will it be resolved",
            "you said it was resolved",
            "还没解决了",
            "你们说到账了",
            "解决了吗",
        ] {
            assert!(!is_resolved(&Prepared::new(text)), "{text}");
        }
    }

    #[test]
    fn insistence_is_the_strongest_marker() {
        assert_eq!(insistence(&Prepared::new("still nothing, for the third time")), 1.0);
        assert_eq!(insistence(&Prepared::new("又坏了")), 0.4);
        assert_eq!(insistence(&Prepared::new("hello")), 0.0);
    }
}
