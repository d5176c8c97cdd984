//! How near two languages are to each other.

use crate::Config;
use crate::tag::Tag;

/// What one language is to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kinship {
    /// The same, as far as both say.
    Same,
    /// The same in another region or script.
    OtherVariety,
    /// Another, but its speakers can mostly be understood.
    Related,
}

/// How near a spoken language is to the wanted one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Closeness {
    pub(crate) kinship: Kinship,
    /// What speaking it is worth, in [0, 1].
    pub(crate) factor: f32,
}

/// Compares two languages; `None` where they have nothing to do with each other.
pub(crate) fn compare(config: &Config, wanted: &Tag, spoken: &Tag) -> Option<Closeness> {
    let (wanted_name, spoken_name) = (wanted.language.as_str(), spoken.language.as_str());
    if wanted_name != spoken_name && !together(&config.equivalent, wanted_name, spoken_name) {
        let related = together(&config.related, wanted_name, spoken_name);
        return related.then_some(Closeness { kinship: Kinship::Related, factor: config.related_factor });
    }
    let mut closeness = Closeness { kinship: Kinship::Same, factor: 1.0 };
    // A subtag that one side leaves out says nothing against the other: en serves en-GB, and zh serves zh-Hant.
    for (wanted, spoken, factor) in [
        (&wanted.script, &spoken.script, config.script_factor),
        (&wanted.region, &spoken.region, config.region_factor),
    ] {
        if let (Some(wanted), Some(spoken)) = (wanted, spoken)
            && wanted != spoken
        {
            closeness.kinship = Kinship::OtherVariety;
            closeness.factor *= factor;
        }
    }
    Some(closeness)
}

fn together(groups: &[Vec<String>], one: &str, other: &str) -> bool {
    let has = |group: &[String], name: &str| group.iter().any(|member| member.eq_ignore_ascii_case(name));
    groups.iter().any(|group| has(group, one) && has(group, other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closeness(wanted: &str, spoken: &str) -> Option<(Kinship, f32)> {
        let (wanted, spoken) = (Tag::parse(wanted).unwrap(), Tag::parse(spoken).unwrap());
        compare(&Config::default(), &wanted, &spoken).map(|found| (found.kinship, found.factor))
    }

    #[test]
    fn a_general_tag_serves_a_special_one_and_the_other_way_round() {
        for (wanted, spoken) in [("en-GB", "en"), ("en", "en-GB"), ("zh-Hant", "zh"), ("zh-Hant-TW", "zh-TW")]
        {
            assert_eq!(closeness(wanted, spoken), Some((Kinship::Same, 1.0)), "{wanted} {spoken}");
        }
    }

    #[test]
    fn other_regions_and_scripts_count_a_little_less() {
        assert_eq!(closeness("en-GB", "en-US"), Some((Kinship::OtherVariety, 0.95)));
        assert_eq!(closeness("zh-Hant", "zh-Hans"), Some((Kinship::OtherVariety, 0.9)));
        let (kinship, factor) = closeness("zh-Hant-TW", "zh-Hans-CN").unwrap();
        assert_eq!(kinship, Kinship::OtherVariety);
        assert!((factor - 0.855).abs() < 1e-6);
    }

    #[test]
    fn names_for_the_same_language_are_the_same() {
        assert_eq!(closeness("cmn", "zh"), Some((Kinship::Same, 1.0)));
        assert_eq!(closeness("no", "nb-NO"), Some((Kinship::Same, 1.0)));
    }

    #[test]
    fn related_is_not_the_same_and_cantonese_is_not_mandarin() {
        assert_eq!(closeness("da", "nb"), Some((Kinship::Related, 0.5)));
        assert_eq!(closeness("yue", "zh"), None);
        assert_eq!(closeness("zh-yue", "yue-HK"), Some((Kinship::Same, 1.0)));
        assert_eq!(closeness("en", "de"), None);
    }
}
