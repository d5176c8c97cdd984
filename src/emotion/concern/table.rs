//! Many phrases looked for in one pass: a table from the first letter of a phrase to the phrases that begin with it.

use std::collections::HashMap;

use super::matching::{Prepared, Stretch, is_han, matches_word};

/// Phrases with what each stands for.
#[derive(Debug)]
pub(in crate::emotion) struct PhraseTable<V> {
    words: HashMap<char, Vec<(Vec<&'static str>, V)>>,
    letters: HashMap<char, Vec<(Vec<char>, V)>>,
}

/// The phrases that were found: each with what it stands for and where it is.
#[derive(Debug)]
pub(in crate::emotion) struct Found<V> {
    /// English phrases, in words.
    pub(in crate::emotion) words: Vec<(V, Stretch)>,
    /// Chinese phrases, in characters.
    pub(in crate::emotion) letters: Vec<(V, Stretch)>,
}

impl<V: Copy> PhraseTable<V> {
    /// Sorts phrases by their script: what begins with a Han character is matched by characters, all else by words.
    pub(in crate::emotion) fn new(phrases: impl IntoIterator<Item = (&'static str, V)>) -> Self {
        let mut table = Self { words: HashMap::new(), letters: HashMap::new() };
        for (phrase, value) in phrases {
            let Some(first) = phrase.chars().next() else { continue };
            if phrase.chars().any(is_han) {
                table.letters.entry(first).or_default().push((phrase.chars().collect(), value));
            } else {
                table.words.entry(first).or_default().push((phrase.split(' ').collect(), value));
            }
        }
        table
    }

    /// All places where a phrase stands, in the order of the text.
    pub(in crate::emotion) fn find(&self, text: &Prepared) -> Found<V> {
        let mut found = Found { words: Vec::new(), letters: Vec::new() };
        for (start, word) in text.words.iter().enumerate() {
            let Some(known) = word.chars().next().and_then(|first| self.words.get(&first)) else { continue };
            for (phrase, value) in known {
                let stands = text.words[start..].len() >= phrase.len()
                    && phrase
                        .iter()
                        .zip(&text.words[start..])
                        .all(|(pattern, word)| matches_word(pattern, word));
                if stands {
                    found.words.push((*value, (start, start + phrase.len())));
                }
            }
        }
        if !text.has_han {
            return found;
        }
        for (start, letter) in text.letters.iter().enumerate() {
            for (phrase, value) in self.letters.get(letter).into_iter().flatten() {
                if text.letters[start..].starts_with(phrase) {
                    found.letters.push((*value, (start, start + phrase.len())));
                }
            }
        }
        found
    }
}

impl<V: Copy> Found<V> {
    /// What was found, wherever it stands.
    pub(in crate::emotion) fn values(&self) -> impl Iterator<Item = V> + '_ {
        self.words.iter().chain(&self.letters).map(|(value, _)| *value)
    }

    /// Whether nothing was found.
    pub(in crate::emotion) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.letters.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_of_both_scripts_are_found_in_one_pass() {
        let table = PhraseTable::new([("refund*", 1), ("money back", 2), ("退款", 3), ("", 4)]);
        let found = table.find(&Prepared::new("Refunded? I want my money back, 退款!"));
        assert_eq!(found.words, [(1, (0, 1)), (2, (4, 6))]);
        assert_eq!(found.letters, [(3, (32, 34))]);
        assert!(table.find(&Prepared::new("money")).is_empty());
        assert!(table.find(&Prepared::new("")).is_empty());
    }
}
