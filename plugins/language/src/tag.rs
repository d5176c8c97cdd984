//! A BCP 47 tag, reduced to what decides whether two people understand each other.

use oxilangtag::LanguageTag;

use crate::names::Names;

/// Primary subtags that name no language.
const NO_LANGUAGE: [&str; 4] = ["und", "mul", "zxx", "mis"];
/// The region that stands for the whole world, and so for none.
const WORLD: &str = "001";
/// Where the usual script of a language follows from the region.
const REGION_SCRIPTS: [(&str, &str, &str); 7] = [
    ("zh", "TW", "Hant"),
    ("zh", "HK", "Hant"),
    ("zh", "MO", "Hant"),
    ("zh", "CN", "Hans"),
    ("zh", "SG", "Hans"),
    ("zh", "MY", "Hans"),
    ("yue", "HK", "Hant"),
];

/// The subtags of a language that matter here, in their usual letter case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    /// The language itself, by the name that stands for all its names: `en`, `zh`, or an extended language such as `yue`.
    pub(crate) language: String,
    /// The groups of related languages that it is in.
    pub(crate) groups: u64,
    /// The script, `Hant`; where the tag does not name it, the one that follows from the region.
    pub(crate) script: Option<String>,
    /// The region, `GB`.
    pub(crate) region: Option<String>,
}

impl Tag {
    /// Reads a tag; `None` where it is not well-formed or names no language.
    pub(crate) fn parse(names: &Names, text: &str) -> Option<Self> {
        // Underscores are common in the wild, in the names of locales.
        let tag = LanguageTag::parse_and_normalize(&text.trim().replace('_', "-")).ok()?;
        // An extended language stands for itself: zh-yue is Cantonese, whatever else zh may be.
        let language = tag.extended_language_subtags().last().unwrap_or_else(|| tag.primary_language());
        // Of a private tag (x-...) the library gives the whole text, which is the name of no language.
        let alphabetic = language.bytes().all(|byte| byte.is_ascii_alphabetic());
        if !((2..=8).contains(&language.len()) && alphabetic && !NO_LANGUAGE.contains(&language)) {
            return None;
        }
        let lower = language.to_ascii_lowercase();
        let language = names.canonical(&lower).to_owned();
        let region = tag.region().filter(|region| *region != WORLD).map(str::to_owned);
        let usual = || {
            let found = REGION_SCRIPTS.iter().find(|(name, place, _)| {
                names.canonical(name) == language && region.as_deref() == Some(*place)
            });
            found.map(|(_, _, script)| *script)
        };
        let script = tag.script().or_else(usual).map(str::to_owned);
        Some(Self { groups: names.groups(&language), language, script, region })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    fn parts(text: &str) -> Option<(String, Option<String>, Option<String>)> {
        let names = Names::new(&Config::default());
        Tag::parse(&names, text).map(|tag| (tag.language, tag.script, tag.region))
    }

    #[test]
    fn tags_are_read_in_any_letter_case() {
        assert_eq!(parts("zh-hant-tw"), Some(("zh".into(), Some("Hant".into()), Some("TW".into()))));
        assert_eq!(parts("EN_gb"), Some(("en".into(), None, Some("GB".into()))));
        assert_eq!(parts(" de "), Some(("de".into(), None, None)));
    }

    #[test]
    fn an_extended_language_stands_for_itself_and_every_name_for_the_language() {
        assert_eq!(parts("zh-yue-Hant"), Some(("yue".into(), Some("Hant".into()), None)));
        assert_eq!(parts("zh-cmn"), parts("zh"));
        assert_eq!(parts("cmn-Hans"), parts("zh-Hans"));
        assert_eq!(parts("IW"), parts("he"));
    }

    #[test]
    fn the_script_follows_from_the_region_where_it_usually_does() {
        assert_eq!(parts("zh-TW"), Some(("zh".into(), Some("Hant".into()), Some("TW".into()))));
        assert_eq!(parts("zh-Hans-TW"), Some(("zh".into(), Some("Hans".into()), Some("TW".into()))));
        assert_eq!(parts("de-CH"), Some(("de".into(), None, Some("CH".into()))));
        assert_eq!(parts("en-001"), parts("en"));
    }

    #[test]
    fn what_names_no_language_is_no_tag() {
        for text in ["", "und", "und-Latn", "x-pirate", "mul", "not a tag", "e"] {
            assert_eq!(parts(text), None, "{text:?}");
        }
    }
}
