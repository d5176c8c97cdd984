//! Issues that the lexicon does not know: content phrases that come up in utterance after utterance.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use super::clauses::mentions;
use super::cues::Stance;
use super::matching::{Prepared, is_han};
use super::tally::{STRONG_MARKER, density};
use crate::emotion::Utterance;

/// In how many utterances a phrase must come up.
const UTTERANCES_NEEDED: usize = 3;
/// In how many, where the customer says outright that it is not the first time.
const UTTERANCES_NEEDED_WITH_MARKER: usize = 2;
/// The longest phrase, in English words.
const WORDS_LIMIT: usize = 3;
/// The longest phrase, in Chinese characters.
const LETTERS_LIMIT: usize = 4;
/// The shortest single English word that can be an issue.
const WORD_LENGTH: usize = 4;
/// The least that a plain mention counts; lower than for a known topic, since any conversation repeats some noun.
const DENSITY_FLOOR: f32 = 0.25;
/// The part of the utterances with a phrase that must complain.
const COMPLAINING_SHARE: f32 = 0.3;
/// A phrase found by repetition alone counts a little less than a known topic.
const WEIGHT: f32 = 0.8;

/// English words that are no issue by themselves.
const COMMON_WORDS: &str = "the a an and or but if because so that this that these those there here i i'm i've i'd i'll \
    me my mine you you're your yours we we're our us they their them he she it it's its his her is isn't are aren't am \
    was wasn't were be been being have haven't has hasn't had do don't does doesn't did didn't will won't would can \
    can't cannot could couldn't should of to in on at for from with about after before again still never always not no \
    what when where why who which how want wanted need needed please thank thanks get got just now any some very too \
    than then by as up out over back much many more also only even ever every each other another same one two three \
    hello hi okay ok yes yeah well really actually maybe think know mean said say says told tell talk talking speak ask \
    asked asking help helped call called calling customer service agent someone somebody anybody nobody anyone people \
    find finding search searching work works working seem seems wish date nothing person thing things something anything nothing problem problems issue issues question time times today yesterday \
    tomorrow week weeks month months day days hour hours minute minutes last next first second third going gone come \
    came make made take took give gave look looking see saw let like good great fine nice right sure sorry keep keeps \
    already once try tried trying happen happened happens morning afternoon evening number name";

/// Chinese characters that glue a sentence together; a phrase with one of them is no issue.
const COMMON_LETTERS: &str = "的了是我你他她它们在有不这那个就也都和很要会能说去来到着过吗呢吧啊呀嘛哦嗯么什怎样为因所以但可还又再没给把被\
    让跟对从向比等一二三四五六七八九十两几次现今天明昨时候点问题请谢您好先生姐客服帮想知道觉得啦哈喂行呗些更最只才刚已经曾将应该得地之于\
    与或而且如果虽然做用看叫打听找告诉多少大小上下里外前后年月日号期钟久请求第每始终直总老自己人肯定";

static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| COMMON_WORDS.split_whitespace().collect());

/// A phrase that keeps coming up.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Phrase {
    /// The customer's words.
    pub(super) text: String,
    /// The utterances with it, by index.
    pub(super) utterances: Vec<usize>,
    /// Mentions and insistence together.
    pub(super) evidence: f32,
}

/// The content phrase that comes up in most utterances; the longest of those that come up equally often.
pub(super) fn most_repeated(utterances: &[Utterance]) -> Option<Phrase> {
    let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut stances = Vec::with_capacity(utterances.len());
    for (index, utterance) in utterances.iter().enumerate() {
        let text = Prepared::new(&utterance.text);
        stances.push(Stance::of(&text));
        for phrase in english_phrases(&text).chain(chinese_phrases(&text)) {
            let places = found.entry(phrase).or_default();
            if places.last() != Some(&index) {
                places.push(index);
            }
        }
    }
    let (text, places) = found
        .into_iter()
        .filter(|(text, places)| {
            let insists = places.iter().any(|place| stances[*place].repeated >= STRONG_MARKER);
            let needed = if insists { UTTERANCES_NEEDED_WITH_MARKER } else { UTTERANCES_NEEDED };
            // What the lexicon knows has been judged there: a solved refund is not to come back as a phrase.
            places.len() >= needed && is_issue(places, &stances) && mentions(&Prepared::new(text)).is_empty()
        })
        .max_by_key(|(text, places)| (places.len(), text.chars().count()))?;
    let density = density(DENSITY_FLOOR, places.len(), utterances.len());
    let evidence = places.iter().map(|place| WEIGHT * (density + stances[*place].repeated)).sum();
    Some(Phrase { text, utterances: places, evidence })
}

/// Whether something is wrong with what is named in these utterances: plain words of grievance in one of them, and
/// some kind of complaint in a good part. Who asks about a museum names it, too.
fn is_issue(places: &[usize], stances: &[Stance]) -> bool {
    let stances = places.iter().map(|place| stances[*place]);
    let grave = stances.clone().filter(|one| one.is_grievance || one.repeated >= STRONG_MARKER).count();
    let complains = stances.filter(|one| one.is_grievance || one.is_denial || one.repeated > 0.0).count();
    grave > 0 && complains as f32 >= COMPLAINING_SHARE * places.len() as f32
}

/// Runs of up to three content words.
fn english_phrases(text: &Prepared) -> impl Iterator<Item = String> + '_ {
    let words = &text.words;
    let content: Vec<bool> = words
        .iter()
        .map(|word| word.chars().all(char::is_alphabetic) && !COMMON.contains(word.as_str()))
        .collect();
    runs(content, 1, WORDS_LIMIT).filter_map(move |(start, end)| {
        let run = &words[start..end];
        let long_enough = run.len() > 1 || run[0].len() >= WORD_LENGTH;
        long_enough.then(|| run.iter().map(|word| singular(word)).collect::<Vec<_>>().join(" "))
    })
}

/// All stretches of `shortest..=longest` places that are content throughout.
fn runs(content: Vec<bool>, shortest: usize, longest: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..content.len()).flat_map(move |start| {
        let length = content[start..].iter().take(longest).take_while(|is_content| **is_content).count();
        (shortest..=length).map(move |length| (start, start + length))
    })
}

/// "screens" and "screen" are one issue.
fn singular(word: &str) -> &str {
    word.strip_suffix('s').filter(|stem| stem.len() >= WORD_LENGTH && !stem.ends_with('s')).unwrap_or(word)
}

/// Runs of two to four content characters.
fn chinese_phrases(text: &Prepared) -> impl Iterator<Item = String> + '_ {
    let is_content = |letter: &char| is_han(*letter) && !COMMON_LETTERS.contains(*letter);
    let content: Vec<bool> = text.letters.iter().map(is_content).collect();
    runs(content, 2, LETTERS_LIMIT).map(|stretch| text.letters_of(stretch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotion::Span;

    fn repeated(texts: &[&str]) -> Option<Phrase> {
        let utterances: Vec<_> =
            texts.iter().map(|text| Utterance { span: Span::at(0), text: (*text).to_owned() }).collect();
        most_repeated(&utterances)
    }

    #[test]
    fn the_longest_of_the_most_repeated_is_taken() {
        let phrase = repeated(&[
            "the battery cover is gone",
            "a missing battery cover is dangerous",
            "what about the battery covers then",
        ])
        .unwrap();
        assert_eq!((phrase.text.as_str(), phrase.utterances), ("battery cover", vec![0, 1, 2]));
    }

    #[test]
    fn one_utterance_is_no_repetition() {
        assert_eq!(repeated(&["battery battery battery battery"]), None);
        assert_eq!(repeated(&["thanks", "thanks again", "thanks so much"]), None);
        assert_eq!(repeated(&[]), None);
    }

    #[test]
    fn chinese_characters_are_cut_at_function_characters() {
        let phrase = repeated(&["我的积分没有了", "积分去哪了", "请把积分还给我"]).unwrap();
        assert_eq!(phrase.text, "积分");
    }
}
