//! Which language is spoken, from its text.
//!
//! Scripts come first: Chinese, Japanese and Korean are told by their characters, which needs no length at all.
//! What is left goes to trigrams (whatlang), which are weak on short texts; there, common function words vote.
//! An unclear text gets no tag but a doubt, since a wrong language costs a caller more than an open one.

mod tags;
mod words;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::words::vote;
use super::Utterance;

/// Letters that trigrams need before they are listened to.
const TRIGRAM_LETTERS: usize = 24;
/// Letters from which trigrams overrule the vote of function words.
const LONG_TEXT_LETTERS: usize = 60;
/// The part of a text that its main script must hold; below, the text is mixed.
const SCRIPT_SHARE: f32 = 0.7;
/// The part of a conversation that its main language must hold.
const CONVERSATION_SHARE: f32 = 0.6;
/// The part of a word that one character stands for: a Chinese word has about 1.7 characters.
const WORDS_PER_HAN: f32 = 0.6;
/// As above for Japanese kana and Korean syllables.
const WORDS_PER_SYLLABLE: f32 = 0.4;
/// From this part of kana among kana and Han characters a text is Japanese; Chinese brand names have a stray kana.
const KANA_SHARE: f32 = 0.2;

/// The language of a text, where it is clear.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LanguageGuess {
    /// The language as a BCP 47 tag (`zh`, `en`); none where it is not clear.
    pub tag: Option<String>,
    /// How sure the guess is, in [0, 1]; 0 where there is none.
    pub confidence: f32,
    /// Why there is no guess; none where there is one.
    pub doubt: Option<LanguageDoubt>,
}

impl LanguageGuess {
    fn sure(tag: &str, confidence: f32) -> Self {
        Self { tag: Some(tag.to_owned()), confidence: confidence.clamp(0.0, 1.0), doubt: None }
    }

    const fn unsure(doubt: LanguageDoubt) -> Self {
        Self { tag: None, confidence: 0.0, doubt: Some(doubt) }
    }
}

/// Why a language is not clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LanguageDoubt {
    /// There is no text.
    Empty,
    /// There are digits, signs or emoji, but no letters.
    NoLetters,
    /// The text is too short to tell languages of its script apart.
    TooShort,
    /// Two languages have about equal parts.
    Mixed,
    /// Several languages are about as likely.
    Uncertain,
}

/// How much of a text each script holds.
#[derive(Debug, Default, Clone, Copy)]
struct Scripts {
    han: usize,
    kana: usize,
    hangul: usize,
    /// Letters of all other scripts.
    letters: usize,
    /// Words of all other scripts.
    words: usize,
}

impl Scripts {
    fn of(text: &str) -> Self {
        let mut scripts = Self::default();
        let mut inside_word = false;
        for letter in text.chars() {
            let mut word_letter = false;
            match letter {
                '\u{3041}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{FF66}'..='\u{FF9D}' => {
                    scripts.kana += 1;
                }
                '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{2FA1F}' => {
                    scripts.han += 1;
                }
                '\u{AC00}'..='\u{D7AF}' | '\u{1100}'..='\u{11FF}' | '\u{3130}'..='\u{318F}' => {
                    scripts.hangul += 1;
                }
                _ if letter.is_alphabetic() => {
                    scripts.letters += 1;
                    scripts.words += usize::from(!inside_word);
                    word_letter = true;
                }
                // An apostrophe or a combining mark does not end a word.
                '\'' | '\u{2019}' => word_letter = inside_word,
                _ => {}
            }
            inside_word = word_letter;
        }
        scripts
    }

    /// Characters of East Asia, in words.
    fn east_asian_words(&self) -> f32 {
        self.han as f32 * WORDS_PER_HAN + (self.kana + self.hangul) as f32 * WORDS_PER_SYLLABLE
    }

    /// The length of the text, in words.
    fn total_words(&self) -> f32 {
        self.east_asian_words() + self.words as f32
    }

    /// The language that the characters of East Asia belong to.
    fn east_asian_guess(&self, share: f32) -> LanguageGuess {
        let kana_share = self.kana as f32 / (self.han + self.kana).max(1) as f32;
        if self.hangul > self.han + self.kana {
            LanguageGuess::sure("ko", 0.98 * share)
        } else if kana_share >= KANA_SHARE {
            LanguageGuess::sure("ja", 0.97 * share)
        } else {
            // A few Han characters without kana may still be Japanese.
            let sure = match self.han {
                0..=1 => 0.7,
                2..=3 => 0.85,
                _ => 0.97,
            };
            LanguageGuess::sure("zh", sure * share)
        }
    }
}

/// Detects the language of one text.
#[must_use]
pub fn detect_language(text: &str) -> LanguageGuess {
    if text.trim().is_empty() {
        return LanguageGuess::unsure(LanguageDoubt::Empty);
    }
    let scripts = Scripts::of(text);
    let total = scripts.total_words();
    if total == 0.0 {
        return LanguageGuess::unsure(LanguageDoubt::NoLetters);
    }
    let share = scripts.east_asian_words() / total;
    if share >= SCRIPT_SHARE {
        scripts.east_asian_guess(share)
    } else if share > 1.0 - SCRIPT_SHARE {
        LanguageGuess::unsure(LanguageDoubt::Mixed)
    } else {
        detect_spaced(text, scripts.letters)
    }
}

/// Detects the language of a text whose words stand apart.
fn detect_spaced(text: &str, letters: usize) -> LanguageGuess {
    let voted = vote(text);
    let by_trigrams = whatlang::detect(text)
        .filter(|info| info.is_reliable() && (letters >= TRIGRAM_LETTERS || !is_latin(info.script())));
    match (by_trigrams, voted) {
        (Some(info), Some((tag, sure))) => {
            let trigram_tag = tags::bcp47(info.lang());
            if trigram_tag == tag {
                LanguageGuess::sure(tag, sure.max(info.confidence() as f32))
            } else if letters >= LONG_TEXT_LETTERS {
                LanguageGuess::sure(trigram_tag, info.confidence() as f32 * 0.9)
            } else {
                LanguageGuess::sure(tag, sure * 0.9)
            }
        }
        (Some(info), None) => LanguageGuess::sure(tags::bcp47(info.lang()), info.confidence() as f32),
        (None, Some((tag, sure))) => LanguageGuess::sure(tag, sure),
        (None, None) if letters < TRIGRAM_LETTERS => LanguageGuess::unsure(LanguageDoubt::TooShort),
        (None, None) => LanguageGuess::unsure(LanguageDoubt::Uncertain),
    }
}

const fn is_latin(script: whatlang::Script) -> bool {
    matches!(script, whatlang::Script::Latin)
}

/// Detects the language of a conversation; longer and surer utterances count more.
#[must_use]
pub fn detect_conversation_language(utterances: &[Utterance]) -> LanguageGuess {
    detect_conversation_languages(utterances).0
}

/// Detects the language of a conversation, and all languages that were heard in it with their shares of the words whose
/// language could be told, the most spoken first.
#[must_use]
pub fn detect_conversation_languages(utterances: &[Utterance]) -> (LanguageGuess, Vec<(String, f32)>) {
    let mut tallies: Vec<(String, f32)> = Vec::new();
    let mut heard = 0.0;
    for utterance in utterances {
        let guess = detect_language(&utterance.text);
        let Some(tag) = guess.tag else { continue };
        let length = Scripts::of(&utterance.text).total_words();
        heard += length;
        match tallies.iter_mut().find(|(known, _)| *known == tag) {
            Some((_, tally)) => *tally += length * guess.confidence,
            None => tallies.push((tag, length * guess.confidence)),
        }
    }
    let total: f32 = tallies.iter().map(|(_, tally)| tally).sum();
    // Stable, and the latest of equals first, so that the language of a call does not depend on anything else.
    tallies.reverse();
    tallies.sort_by(|left, right| right.1.total_cmp(&left.1));
    let Some((tag, tally)) = tallies.first() else {
        // Many short answers may be long enough together.
        let whole: Vec<&str> = utterances.iter().map(|utterance| utterance.text.as_str()).collect();
        return (detect_language(&whole.join("\n")), Vec::new());
    };
    let guess = if tally / total < CONVERSATION_SHARE {
        LanguageGuess::unsure(LanguageDoubt::Mixed)
    } else {
        LanguageGuess::sure(tag, tally / heard)
    };
    (guess, tallies.into_iter().map(|(tag, tally)| (tag, tally / total)).collect())
}

#[cfg(test)]
mod tests {
    use super::super::Span;
    use super::*;

    fn tag(text: &str) -> Option<String> {
        detect_language(text).tag
    }

    fn doubt(text: &str) -> Option<LanguageDoubt> {
        let guess = detect_language(text);
        assert!(guess.doubt.is_none() || guess.confidence == 0.0);
        assert_eq!(guess.tag.is_none(), guess.doubt.is_some());
        guess.doubt
    }

    fn conversation(texts: &[&str]) -> LanguageGuess {
        let utterances: Vec<_> =
            texts.iter().map(|text| Utterance { span: Span::at(0), text: (*text).to_owned() }).collect();
        detect_conversation_language(&utterances)
    }

    #[test]
    fn unclear_texts_have_a_doubt_and_no_tag() {
        for (text, expected) in [
            ("", LanguageDoubt::Empty),
            (" \n", LanguageDoubt::Empty),
            ("12345", LanguageDoubt::NoLetters),
            ("😀👍 !!", LanguageDoubt::NoLetters),
            ("ok", LanguageDoubt::TooShort),
            ("hello", LanguageDoubt::TooShort),
            ("iPhone 15", LanguageDoubt::TooShort),
            ("我要退款 refund please", LanguageDoubt::Mixed),
        ] {
            assert_eq!(doubt(text), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn scripts_need_no_length() {
        for (text, expected) in [
            ("谢谢", "zh"),
            ("我的快递怎么还没到", "zh"),
            ("謝謝你", "zh"),
            ("我的iPhone坏了", "zh"),
            ("ありがとう", "ja"),
            ("返金してください", "ja"),
            ("감사합니다", "ko"),
        ] {
            assert_eq!(tag(text).as_deref(), Some(expected), "{text:?}");
        }
        assert!(detect_language("谢谢").confidence < detect_language("我的快递怎么还没到").confidence);
    }

    #[test]
    fn short_and_long_sentences_of_latin_script() {
        for (text, expected) in [
            ("I want my refund", "en"),
            ("My parcel never arrived", "en"),
            ("I don't know what you mean", "en"),
            (
                "I have been waiting for three weeks and nobody has called me back about the broken washing machine",
                "en",
            ),
            ("No puedo entrar en mi cuenta y nadie me ayuda con el problema", "es"),
            ("Ich warte seit drei Wochen auf meine Lieferung und niemand meldet sich bei mir", "de"),
            ("Je n'ai toujours pas reçu mon remboursement et personne ne me répond", "fr"),
        ] {
            assert_eq!(tag(text).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn other_scripts_are_told_apart() {
        assert_eq!(tag("ขอบคุณค่ะ").as_deref(), Some("th"));
        assert_eq!(
            tag("Где мой заказ? Я жду уже три недели, и никто мне не отвечает").as_deref(),
            Some("ru")
        );
    }

    #[test]
    fn a_conversation_is_weighed_by_length() {
        let guess =
            conversation(&["ok", "我的退款到现在还没有收到，你们到底什么时候处理", "I see that", "好的"]);
        assert_eq!(guess.tag.as_deref(), Some("zh"));
        assert!(guess.confidence > 0.6, "{guess:?}");
        assert_eq!(conversation(&[]).doubt, Some(LanguageDoubt::Empty));
        assert_eq!(conversation(&["ok", "1 2 3"]).doubt, Some(LanguageDoubt::TooShort));
        let torn = conversation(&["我要退款因为东西坏了", "I want my refund because it is broken"]);
        assert_eq!(torn.doubt, Some(LanguageDoubt::Mixed));
    }
}
