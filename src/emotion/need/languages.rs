//! "Please speak Chinese": the language that a customer asks for.

use std::sync::LazyLock;

use crate::emotion::Utterance;
use crate::emotion::concern::{PhraseTable, Prepared};

/// A BCP 47 tag and the names of its language, in English or in itself, and in Chinese.
struct Named {
    tag: &'static str,
    words: &'static [&'static str],
    chinese: &'static [&'static str],
}

const LANGUAGES: &[Named] = &[
    Named {
        tag: "zh",
        words: &["chinese", "mandarin"],
        chinese: &["中文", "汉语", "普通话", "国语", "华语"],
    },
    Named { tag: "yue", words: &["cantonese"], chinese: &["粤语", "广东话", "白话"] },
    Named { tag: "en", words: &["english"], chinese: &["英语", "英文"] },
    Named { tag: "es", words: &["spanish", "español"], chinese: &["西班牙语", "西语"] },
    Named { tag: "fr", words: &["french", "français"], chinese: &["法语", "法文"] },
    Named { tag: "de", words: &["german", "deutsch"], chinese: &["德语", "德文"] },
    Named { tag: "pt", words: &["portuguese", "português"], chinese: &["葡萄牙语", "葡语"] },
    Named { tag: "it", words: &["italian", "italiano"], chinese: &["意大利语"] },
    Named { tag: "ru", words: &["russian"], chinese: &["俄语", "俄文"] },
    Named { tag: "ja", words: &["japanese"], chinese: &["日语", "日文"] },
    Named { tag: "ko", words: &["korean"], chinese: &["韩语", "韩文"] },
    Named { tag: "ar", words: &["arabic"], chinese: &["阿拉伯语"] },
    Named { tag: "hi", words: &["hindi"], chinese: &["印地语"] },
    Named { tag: "vi", words: &["vietnamese"], chinese: &["越南语"] },
    Named { tag: "th", words: &["thai"], chinese: &["泰语"] },
    Named { tag: "id", words: &["indonesian"], chinese: &["印尼语"] },
    Named { tag: "tr", words: &["turkish"], chinese: &["土耳其语"] },
    Named { tag: "pl", words: &["polish"], chinese: &["波兰语"] },
    Named { tag: "nl", words: &["dutch"], chinese: &["荷兰语"] },
    Named { tag: "uk", words: &["ukrainian"], chinese: &["乌克兰语"] },
];

/// One of these within a few words before the name makes it a request.
const BEFORE: &[&str] = &[
    "speak",
    "speaks",
    "speaking",
    "talk",
    "talking",
    "prefer",
    "understands",
    "habla",
    "hablar",
    "parle",
    "parlez",
    "parler",
    "sprechen",
    "spricht",
    "en",
    "auf",
    "em",
    "falar",
];
/// Directly before the name these make it a request where the clause asks for something: "in Spanish" alone may be what
/// an application is set to.
const MEDIUM: &[&str] = &["in", "to"];
/// What asks for something.
const ASKING: &[&str] = &[
    "can", "could", "may", "would", "prefer", "please", "speak", "talk", "continue", "explain", "help",
    "easier", "rather", "possible", "someone", "somebody", "anyone", "anybody", "switch", "better",
];
/// One of these directly after the name makes it a request.
const AFTER: &[&str] = &["speaker", "speaking", "please", "agent", "representative", "operator", "support"];
/// How many words before the name are looked at.
const REACH: usize = 3;
/// One of these just before the request turns it around: "I don't speak English".
const REFUSALS: &[&str] = &["don't", "not", "can't", "cannot", "no", "never", "doesn't", "barely", "hardly"];

/// One of these characters before the name makes it a request.
const CHINESE_BEFORE: &[char] = &['说', '讲', '用', '会', '懂', '找', '要', '转', '换'];
/// One of these phrases after the name makes it a request.
const CHINESE_AFTER: &[&str] = &["客服", "服务", "人工", "专员", "坐席", "接待"];

/// "Yes" to an offer of the agent.
const YES: &[&str] = &["yes", "yeah", "yep", "sure", "please", "ok", "okay", "sí", "oui", "ja"];
/// As above.
const YES_CHINESE: &[&str] = &["好", "是", "对", "要", "可以", "行", "麻烦"];
/// "No" to an offer.
const NO: &[&str] = &["no", "not", "don't", "nope", "fine", "needn't"];
/// As above.
const NO_CHINESE: &[&str] = &["不", "没", "算了"];
/// The longest answer that is still only a yes, in words and in characters.
const ANSWER_LENGTH: (usize, usize) = (6, 8);

/// A language's names with the place of the language.
static NAMES: LazyLock<PhraseTable<usize>> = LazyLock::new(|| {
    let languages = LANGUAGES.iter().enumerate();
    PhraseTable::new(languages.flat_map(|(index, language)| {
        language.words.iter().chain(language.chinese).map(move |name| (*name, index))
    }))
});

/// The language asked for last; none where none was asked for. What the agent offers counts where the customer takes
/// it up.
pub(super) fn requested_language(customer: &[Utterance], agent: &[Utterance]) -> Option<String> {
    customer.iter().rev().find_map(|utterance| {
        let text = Prepared::new(&utterance.text);
        let offer = || {
            let before = agent.iter().rev().find(|offer| offer.span.start_ms <= utterance.span.start_ms)?;
            // Without times, every offer is before everything.
            let has_times = before.span.end_ms > 0;
            (has_times && is_yes(&text)).then(|| offered(&Prepared::new(&before.text))).flatten()
        };
        requested(&text).or_else(offer)
    })
}

fn requested(text: &Prepared) -> Option<String> {
    let found = NAMES.find(text);
    let in_words = found.words.iter().find(|(_, (start, end))| is_requested_in_words(text, *start, *end));
    let in_chinese =
        || found.letters.iter().find(|(_, (start, end))| is_requested_in_chinese(text, *start, *end));
    in_words.or_else(in_chinese).map(|(index, _)| LANGUAGES[*index].tag.to_owned())
}

/// The one language that the agent asks about.
fn offered(text: &Prepared) -> Option<String> {
    let found = NAMES.find(text);
    let asks = text.letters.iter().any(|letter| matches!(letter, '?' | '？' | '吗' | '么'));
    let mut languages: Vec<usize> = found.values().collect();
    languages.dedup();
    match languages[..] {
        [index] if asks => Some(LANGUAGES[index].tag.to_owned()),
        _ => None,
    }
}

fn is_yes(text: &Prepared) -> bool {
    let has = |known: &[&str]| known.iter().any(|word| !text.find_words(word).is_empty());
    let has_chinese = |known: &[&str]| known.iter().any(|word| !text.find_letters(word).is_empty());
    let is_short = text.words.len() <= ANSWER_LENGTH.0 && text.han_count() <= ANSWER_LENGTH.1;
    is_short && (has(YES) || has_chinese(YES_CHINESE)) && !has(NO) && !has_chinese(NO_CHINESE)
}

fn is_requested_in_words(text: &Prepared, start: usize, end: usize) -> bool {
    let has = |known: &[&str], words: &[String]| words.iter().any(|word| known.contains(&word.as_str()));
    let before = &text.words[start.saturating_sub(REACH)..start];
    let is_medium = start > 0 && MEDIUM.contains(&text.words[start - 1].as_str()) && has(ASKING, &text.words);
    let asks = is_medium
        || has(BEFORE, before)
        || text.words.get(end).is_some_and(|word| AFTER.contains(&word.as_str()));
    // "Why don't we speak English" is rarer than "I don't speak English", so a refusal wins.
    asks && !has(REFUSALS, &text.words[start.saturating_sub(REACH + 1)..start])
}

/// 会说英语的, 英文客服; not 不会说英语 and 听不懂英语, but again 会不会说英语.
fn is_requested_in_chinese(text: &Prepared, start: usize, end: usize) -> bool {
    let before = &text.letters[start.saturating_sub(REACH + 1)..start];
    let after: String = text.letters[end..].iter().take(2).collect();
    let near = &text.letters[start.saturating_sub(2)..start];
    let asks =
        near.iter().any(|letter| CHINESE_BEFORE.contains(letter)) || CHINESE_AFTER.contains(&after.as_str());
    let refuses = before.iter().enumerate().any(|(place, letter)| {
        let is_question = place > 0 && before.get(place + 1) == before.get(place - 1);
        *letter == '不' && !is_question
    });
    asks && !refuses
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotion::Span;

    fn requested(text: &str) -> Option<String> {
        requested_language(&[Utterance { span: Span::at(0), text: text.to_owned() }], &[])
    }

    #[test]
    fn requests_are_heard_in_both_languages() {
        for (text, tag) in [
            ("Could you please speak Chinese?", "zh"),
            ("Is there anyone who speaks Mandarin", "zh"),
            ("English please", "en"),
            ("I'd like a Spanish speaking agent", "es"),
            ("¿Alguien habla español?", "es"),
            ("有没有会说英语的", "en"),
            ("会不会说英语", "en"),
            ("请转英文客服", "en"),
            ("能不能讲粤语", "yue"),
            ("請說國語", "zh"),
        ] {
            assert_eq!(requested(text).as_deref(), Some(tag), "{text}");
        }
    }

    #[test]
    fn mentions_and_refusals_are_no_requests() {
        for text in [
            "I don't speak English very well",
            "my Chinese phone is broken",
            "all menus are in Italian",
            "a seat in the Dutch class",
            "我不会说英语",
            "我听不懂英语",
            "这本英语书质量很差",
            "",
        ] {
            assert_eq!(requested(text), None, "{text}");
        }
    }

    #[test]
    fn the_last_request_counts() {
        let utterances = ["English please", "算了，请说中文"]
            .map(|text| Utterance { span: Span::at(0), text: text.to_owned() });
        assert_eq!(requested_language(&utterances, &[]).as_deref(), Some("zh"));
    }
}
