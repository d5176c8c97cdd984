//! One utterance, cut into clauses: which topics it names, and which of them it says are over.

use std::sync::LazyLock;

use super::cues::Stance;
use super::lexicon::TOPICS;
use super::markers::{
    ARTICLES, DENIED_CHINESE, DENIED_ENGLISH, QUESTION_CHINESE, RESOLVED_CHINESE, RESOLVED_ENGLISH,
    UNRESOLVED_CHINESE, UNRESOLVED_ENGLISH,
};
use super::matching::{Prepared, Stretch, merge};
use super::table::PhraseTable;

/// How many words, or characters, before "solved" are searched for what denies it.
const UNRESOLVED_REACH: usize = 4;

static PHRASINGS: LazyLock<PhraseTable<usize>> = LazyLock::new(|| {
    let topics = TOPICS.iter().enumerate();
    PhraseTable::new(topics.flat_map(|(index, topic)| {
        topic.english.iter().chain(topic.chinese).map(move |phrase| (*phrase, index))
    }))
});

static RESOLVED: LazyLock<PhraseTable<()>> = LazyLock::new(|| {
    PhraseTable::new(RESOLVED_ENGLISH.iter().chain(RESOLVED_CHINESE).map(|phrase| (*phrase, ())))
});

/// What one utterance says.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The topics that it names, by index, each with the customer's words for it.
    pub(super) mentions: Vec<(usize, Vec<String>)>,
    /// The topics that it says are over, by index.
    pub(super) over: Vec<usize>,
    /// Whether it says so without naming a topic.
    pub(super) is_over: bool,
    /// How the customer stands to it all.
    pub(super) stance: Stance,
    /// How long it is, in words and Chinese characters.
    pub(super) length: usize,
}

impl Said {
    pub(super) fn new(text: &str) -> Self {
        let whole = Prepared::new(text);
        let length = whole.words.len() + whole.han_count();
        let mut said = Self { stance: Stance::of(&whole), length, ..Self::default() };
        for clause in clauses(text) {
            let clause = Prepared::new(clause);
            let mentions = mentions(&clause);
            if is_resolved(&clause) {
                // What is over in this clause was named in it, or just before it.
                let over: Vec<usize> = match mentions.is_empty() {
                    true => said.mentions.last().map(|(topic, _)| *topic).into_iter().collect(),
                    false => mentions.iter().map(|(topic, _)| *topic).collect(),
                };
                said.is_over |= over.is_empty();
                said.mentions.retain(|(topic, _)| !over.contains(topic));
                said.over.extend(over);
                continue;
            }
            for (topic, phrasing) in mentions {
                match said.mentions.iter_mut().find(|(known, _)| *known == topic) {
                    Some((_, phrasings)) => phrasings.push(phrasing),
                    None => said.mentions.push((topic, vec![phrasing])),
                }
            }
        }
        said
    }
}

fn clauses(text: &str) -> impl Iterator<Item = &str> {
    let ends_clause = |letter: char| {
        matches!(letter, ',' | '.' | ';' | '!' | '?' | '，' | '。' | '；' | '！' | '？' | '\n')
    };
    text.split_inclusive(ends_clause)
        .flat_map(|part| part.split(" but "))
        .flat_map(|part| part.split("但是"))
        .flat_map(|part| part.split("可是"))
        .filter(|part| !part.trim().is_empty())
}

/// The topics that a clause mentions, by index, each with the customer's words. A mention inside of a longer mention
/// of another topic ("charge" in "won't charge") belongs to the other.
pub(super) fn mentions(text: &Prepared) -> Vec<(usize, String)> {
    let found = PHRASINGS.find(text);
    let words = outermost(&joined(found.words));
    let letters = outermost(&joined(found.letters));
    let said = words.into_iter().filter(|(_, (start, _))| !is_denied_in_english(text, *start));
    let written = letters.into_iter().filter(|(_, (start, _))| !is_denied_in_chinese(text, *start));
    said.map(|(topic, (start, end))| (topic, text.words[start..end].join(" ")))
        .chain(written.map(|(topic, stretch)| (topic, text.letters_of(stretch))))
        .collect()
}

/// Overlapping stretches of one topic become one.
fn joined(mut found: Vec<(usize, Stretch)>) -> Vec<(usize, Stretch)> {
    found.sort_unstable();
    found
        .chunk_by(|left, right| left.0 == right.0)
        .flat_map(|same| {
            let topic = same[0].0;
            merge(same.iter().map(|(_, stretch)| *stretch).collect())
                .into_iter()
                .map(move |place| (topic, place))
        })
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
    let found = RESOLVED.find(text);
    if found.is_empty() || QUESTION_CHINESE.iter().any(|phrase| !text.find_letters(phrase).is_empty()) {
        return false;
    }
    let english = found.words.iter().any(|(_, (start, _))| {
        let before = &text.words[start.saturating_sub(UNRESOLVED_REACH)..*start];
        !before.iter().any(|word| UNRESOLVED_ENGLISH.contains(&word.as_str()))
    });
    let chinese = found.letters.iter().any(|(_, (start, _))| {
        let before: String = text.letters[start.saturating_sub(UNRESOLVED_REACH)..*start].iter().collect();
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
    fn what_is_over_is_no_mention() {
        let said = Said::new("The refund, yes, I got my refund today.");
        assert!(said.mentions.is_empty() && said.over.len() == 1 && !said.is_over);
        assert!(Said::new("It works now.").is_over);
    }
}
