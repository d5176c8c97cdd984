//! A BCP 47 tag, reduced to what decides whether two people understand each other.

use oxilangtag::LanguageTag;

/// Primary subtags that name no language.
const NO_LANGUAGE: [&str; 4] = ["und", "mul", "zxx", "mis"];

/// The subtags of a language that matter here, in their usual letter case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    /// The language itself: `en`, `zh`, or an extended language such as `yue`.
    pub(crate) language: String,
    /// The script, `Hant`.
    pub(crate) script: Option<String>,
    /// The region, `GB`.
    pub(crate) region: Option<String>,
}

impl Tag {
    /// Reads a tag; `None` where it is not well-formed or names no language.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // Underscores are common in the wild, in the names of locales.
        let tag = LanguageTag::parse_and_normalize(&text.trim().replace('_', "-")).ok()?;
        // An extended language stands for itself: zh-yue is Cantonese, whatever else zh may be.
        let language = tag.extended_language_subtags().last().unwrap_or_else(|| tag.primary_language());
        // Of a private tag (x-...) the library gives the whole text, which is the name of no language.
        let alphabetic = language.bytes().all(|byte| byte.is_ascii_alphabetic());
        let named = (2..=8).contains(&language.len()) && alphabetic && !NO_LANGUAGE.contains(&language);
        named.then(|| Self {
            language: language.to_ascii_lowercase(),
            script: tag.script().map(str::to_owned),
            region: tag.region().map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(String, Option<String>, Option<String>)> {
        Tag::parse(text).map(|tag| (tag.language, tag.script, tag.region))
    }

    #[test]
    fn tags_are_read_in_any_letter_case() {
        assert_eq!(parts("zh-hant-tw"), Some(("zh".into(), Some("Hant".into()), Some("TW".into()))));
        assert_eq!(parts("EN_gb"), Some(("en".into(), None, Some("GB".into()))));
        assert_eq!(parts(" de "), Some(("de".into(), None, None)));
        assert_eq!(parts("zh-yue-HK"), Some(("yue".into(), None, Some("HK".into()))));
    }

    #[test]
    fn what_names_no_language_is_no_tag() {
        for text in ["", "und", "und-Latn", "x-pirate", "mul", "not a tag", "e"] {
            assert_eq!(parts(text), None, "{text:?}");
        }
    }
}
