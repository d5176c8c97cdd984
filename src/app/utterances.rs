//! From the lines of a transcript to utterances, each with a span: the customer's, and what others said in between.

use crate::emotion::{Span, Utterance};
use crate::media::TranscriptLine;

/// How long a character takes to say, in milliseconds, where nothing else is known: people speak about fifteen
/// letters a second, or five Chinese characters.
const LETTER_MS: u64 = 65;
/// The same for characters that stand for a whole syllable.
const SYLLABLE_MS: u64 = 200;

/// The utterances of a call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Utterances {
    /// The customer's, in the order of the transcript.
    pub(super) customer: Vec<Utterance>,
    /// Everybody else's: never read for emotion, but they tell what the customer answers to.
    pub(super) others: Vec<Utterance>,
    /// Whether times of the customer's were missing and were estimated.
    pub(super) estimated: bool,
}

/// Sorts lines by who said them. Missing times are estimated from the length of the words: each line follows the one
/// before it, and a transcript without any times is stretched over the rest of the material where that is longer.
pub(super) fn utterances_of(lines: &[TranscriptLine], media_ms: u64) -> Utterances {
    let timeless = lines.iter().all(|line| line.start_ms.is_none() && line.end_ms.is_none());
    let natural_ms: u64 = lines.iter().map(|line| speaking_ms(&line.text)).sum();
    let stretch = |duration_ms: u64| match timeless && media_ms > 0 && natural_ms > 0 {
        true => duration_ms.saturating_mul(media_ms) / natural_ms,
        false => duration_ms,
    };
    let mut result = Utterances::default();
    let mut clock_ms = 0;
    for line in lines {
        let duration_ms = stretch(speaking_ms(&line.text));
        let start_ms = line.start_ms.unwrap_or_else(|| match line.end_ms {
            Some(end_ms) => end_ms.saturating_sub(duration_ms),
            None => clock_ms,
        });
        let end_ms = line.end_ms.unwrap_or(start_ms.saturating_add(duration_ms));
        clock_ms = clock_ms.max(end_ms);
        let utterance = Utterance { span: Span::new(start_ms, end_ms), text: line.text.trim().to_owned() };
        if line.is_customer() {
            result.estimated |= line.start_ms.is_none() || line.end_ms.is_none();
            result.customer.push(utterance);
        } else {
            result.others.push(utterance);
        }
    }
    result
}

/// How long a text takes to say, in milliseconds.
pub(crate) fn speaking_ms(text: &str) -> u64 {
    text.chars().map(|character| if is_syllable(character) { SYLLABLE_MS } else { LETTER_MS }).sum()
}

/// Whether a character stands for a syllable or more: ideographs, kana and Hangul.
fn is_syllable(character: char) -> bool {
    matches!(character, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, start_ms: Option<u64>, end_ms: Option<u64>) -> TranscriptLine {
        TranscriptLine { start_ms, end_ms, speaker: None, text: text.to_owned() }
    }

    #[test]
    fn given_times_are_kept_and_agents_stand_apart() {
        let lines = [
            line("Where is it?", Some(100), Some(900)),
            TranscriptLine {
                speaker: Some("agent".to_owned()),
                ..line("One moment.", Some(900), Some(1_500))
            },
        ];
        let utterances = utterances_of(&lines, 10_000);
        assert_eq!(utterances.customer.len(), 1);
        assert_eq!(utterances.customer[0].span, Span::new(100, 900));
        assert!(!utterances.estimated);
        assert_eq!(utterances.others[0].span, Span::new(900, 1_500));
        assert_eq!((utterances.others.len(), utterances.others[0].text.as_str()), (1, "One moment."));
    }

    #[test]
    fn a_timeless_transcript_fills_the_media() {
        let lines = [line("abcd", None, None), line("efgh", None, None)];
        let utterances = utterances_of(&lines, 8_000);
        assert!(utterances.estimated);
        assert_eq!(utterances.customer[0].span, Span::new(0, 4_000));
        assert_eq!(utterances.customer[1].span, Span::new(4_000, 8_000));
    }

    #[test]
    fn without_media_the_words_set_the_pace() {
        let lines = [line("ab", None, None), line("退款", None, None)];
        let utterances = utterances_of(&lines, 0);
        assert_eq!(utterances.customer[0].span, Span::new(0, 2 * LETTER_MS));
        assert_eq!(utterances.customer[1].span.duration_ms(), 2 * SYLLABLE_MS);
    }

    #[test]
    fn a_missing_end_follows_the_start() {
        let lines = [line("ab", Some(1_000), None), line("cd", None, None), line("ef", None, Some(5_000))];
        let spans: Vec<_> = utterances_of(&lines, 9_000).customer.iter().map(|one| one.span).collect();
        assert_eq!(spans[0], Span::new(1_000, 1_130));
        assert_eq!(spans[1].start_ms, 1_130);
        assert_eq!(spans[2], Span::new(4_870, 5_000));
    }

    #[test]
    fn no_lines_give_no_utterances() {
        assert_eq!(utterances_of(&[], 5), Utterances::default());
    }
}
