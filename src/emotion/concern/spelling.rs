//! Slips of the keyboard: a letter too many, one too few, or two exchanged, in words that the lexicons know.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use super::lexicon::TOPICS;

/// The shortest word of a lexicon that is looked for behind a slip; shorter words have too many neighbours.
const WORD_LENGTH: usize = 5;
/// Words that a slip is looked for behind, beside those of the topics.
const FURTHER_WORDS: &[&str] = &[
    "account",
    "money",
    "already",
    "again",
    "arrived",
    "promised",
    "waiting",
    "answer",
    "reply",
    "colleague",
    "supervisor",
];
/// Real words that are one slip away from a known one.
const REAL_WORDS: &[&str] = &["fight", "thicket", "monkey", "faculty", "cashes", "many"];

/// The known words by their first letter.
static KNOWN: LazyLock<HashMap<u8, BTreeSet<&'static str>>> = LazyLock::new(|| {
    let mut known: HashMap<u8, BTreeSet<&'static str>> = HashMap::new();
    let words = TOPICS.iter().flat_map(|topic| topic.english).chain(FURTHER_WORDS);
    for word in words.map(|word| word.trim_end_matches('*')) {
        if word.len() >= WORD_LENGTH && word.bytes().all(|letter| letter.is_ascii_lowercase()) {
            known.entry(word.as_bytes()[0]).or_default().insert(word);
        }
    }
    known
});

/// The known word behind a slip; the word itself where there is none.
///
/// First and last letter must be right: that keeps "charger" and "route" from becoming "charge" and "router".
pub(super) fn respelled(word: &str) -> &str {
    let letters = word.as_bytes();
    if letters.len() + 1 < WORD_LENGTH
        || !letters.iter().all(u8::is_ascii_lowercase)
        || REAL_WORDS.contains(&word)
    {
        return word;
    }
    let Some(known) = KNOWN.get(&letters[0]).filter(|known| !known.contains(word)) else { return word };
    known.iter().copied().find(|other| is_one_slip(letters, other.as_bytes())).unwrap_or(word)
}

fn is_one_slip(word: &[u8], known: &[u8]) -> bool {
    if word.last() != known.last() {
        return false;
    }
    let Some(place) = word.iter().zip(known).position(|(left, right)| left != right) else { return false };
    let (rest, known_rest) = (&word[place..], &known[place..]);
    match word.len() as isize - known.len() as isize {
        1 => rest[1..] == *known_rest,
        -1 => *rest == known_rest[1..],
        0 => rest[0] == known_rest[1] && rest[1] == known_rest[0] && rest[2..] == known_rest[2..],
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_put_right() {
        for (slip, word) in [
            ("refnud", "refund"),
            ("acount", "account"),
            ("mony", "money"),
            ("loggin", "login"),
            ("pasword", "password"),
            ("singal", "signal"),
            ("alredy", "already"),
        ] {
            assert_eq!(respelled(slip), word);
        }
    }

    #[test]
    fn other_words_stay() {
        for word in [
            "charger", "route", "refund", "equality", "cancer", "change", "many", "a", "", "bill", "café",
            "fight",
        ] {
            assert_eq!(respelled(word), word);
        }
    }
}
