//! Finding phrases: English by whole words, Chinese anywhere, both in one folded form.

use super::spelling::respelled;
use super::traditional::simplified;

/// A text in the form in which phrases are matched.
#[derive(Debug, Clone)]
pub(in crate::emotion) struct Prepared {
    /// Lower-case words with their apostrophes, without possessive endings.
    pub(in crate::emotion) words: Vec<String>,
    /// The whole text, folded, as characters.
    pub(in crate::emotion) letters: Vec<char>,
    /// The characters as they were written, in the same places.
    original: Vec<char>,
    /// Whether there are Chinese phrases to look for at all.
    pub(super) has_han: bool,
}

/// A stretch of words or characters: first, and one behind the last.
pub(in crate::emotion) type Stretch = (usize, usize);

impl Prepared {
    pub(in crate::emotion) fn new(text: &str) -> Self {
        let folded = fold(text);
        let words = folded
            .split(|letter: char| {
                !(letter.is_alphanumeric() || letter == '\'' || letter == '-') || is_han(letter)
            })
            .map(|word| word.trim_matches(['\'', '-']))
            .map(|word| {
                word.strip_suffix("'s")
                    .filter(|stem| !matches!(*stem, "it" | "that" | "what"))
                    .unwrap_or(word)
            })
            .filter(|word| !word.is_empty())
            .map(|word| respelled(word).to_owned())
            .collect();
        Self {
            words,
            letters: folded.chars().collect(),
            original: text.chars().collect(),
            has_han: folded.chars().any(is_han),
        }
    }

    /// Where an English phrase stands, in words.
    pub(in crate::emotion) fn find_words(&self, phrase: &str) -> Vec<Stretch> {
        let first = phrase.split(' ').next().unwrap_or(phrase);
        let starts = self.words.iter().enumerate().filter(|(_, word)| matches_word(first, word));
        starts
            .filter_map(|(start, _)| {
                let mut end = start;
                let stands = phrase.split(' ').all(|pattern| {
                    end += 1;
                    self.words.get(end - 1).is_some_and(|word| matches_word(pattern, word))
                });
                stands.then_some((start, end))
            })
            .collect()
    }

    /// Where a Chinese phrase stands, in characters.
    pub(in crate::emotion) fn find_letters(&self, phrase: &str) -> Vec<Stretch> {
        let Some(first) = phrase.chars().next().filter(|first| self.has_han || !is_han(*first)) else {
            return Vec::new();
        };
        let starts = self.letters.iter().enumerate().filter(|(_, letter)| **letter == first);
        starts
            .filter_map(|(start, _)| {
                let mut end = start;
                let stands = phrase.chars().all(|letter| {
                    end += 1;
                    self.letters.get(end - 1) == Some(&letter)
                });
                stands.then_some((start, end))
            })
            .collect()
    }

    /// Whether one of the phrases ends exactly where the words before `end` end.
    pub(in crate::emotion) fn words_before_end_with(&self, end: usize, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.find_words(phrase).iter().any(|stretch| stretch.1 == end))
    }

    /// How many Han characters there are.
    pub(in crate::emotion) fn han_count(&self) -> usize {
        self.letters.iter().filter(|letter| is_han(**letter)).count()
    }

    /// The characters of a stretch as they were written.
    pub(in crate::emotion) fn letters_of(&self, (start, end): Stretch) -> String {
        self.original[start..end].iter().collect()
    }
}

pub(super) fn matches_word(pattern: &str, word: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == word, |stem| word.starts_with(stem))
}

/// Lower case, plain apostrophes, simplified characters; each character keeps its place.
pub(in crate::emotion) fn fold(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\u{2019}' | '\u{02BC}' | '`' => '\'',
            _ if is_han(letter) => simplified(letter),
            _ => letter.to_lowercase().next().unwrap_or(letter),
        })
        .collect()
}

/// Whether a character is one of the common Han characters.
pub(in crate::emotion) const fn is_han(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}')
}

/// Overlapping stretches become one; the result is in order.
pub(super) fn merge(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    stretches.sort_unstable();
    let mut merged: Vec<Stretch> = Vec::with_capacity(stretches.len());
    for stretch in stretches {
        match merged.last_mut() {
            Some(last) if stretch.0 < last.1 => last.1 = last.1.max(stretch.1),
            _ => merged.push(stretch),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_is_matched_by_words() {
        let text = Prepared::new("My BILL isn't a billboard; the bill's total was re-billed");
        assert_eq!(text.find_words("bill"), [(1, 2), (6, 7)]);
        assert_eq!(text.find_words("bill*").len(), 3);
        assert_eq!(text.find_words("isn't a"), [(2, 4)]);
        assert!(text.find_words("total was re-billed yes").is_empty());
    }

    #[test]
    fn chinese_is_matched_anywhere_and_folded() {
        let text = Prepared::new("訂單的錢還沒退款呢，退款！");
        assert_eq!(text.find_letters("退款").len(), 2);
        assert_eq!(text.find_letters("还没").len(), 1);
        assert_eq!(text.letters_of((0, 2)), "訂單", "the customer's own characters come back");
        assert!(text.words.is_empty());
    }

    #[test]
    fn overlapping_stretches_become_one() {
        assert_eq!(merge(vec![(4, 6), (0, 2), (1, 3), (3, 4)]), [(0, 3), (3, 4), (4, 6)]);
    }

    #[test]
    fn empty_texts_match_nothing() {
        let text = Prepared::new("");
        assert!(text.find_words("refund*").is_empty() && text.find_letters("退款").is_empty());
    }
}
