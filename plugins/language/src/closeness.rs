//! How near two languages are to each other.

use crate::Config;
use crate::tag::Tag;

/// The region that stands for all of Latin America, and what is in it.
const LATIN_AMERICA: &str = "419";
const LATIN_AMERICAN: [&str; 20] = [
    "AR", "BO", "BR", "CL", "CO", "CR", "CU", "DO", "EC", "GT", "HN", "MX", "NI", "PA", "PE", "PR", "PY",
    "SV", "UY", "VE",
];

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
    if wanted.language != spoken.language {
        let related = wanted.groups & spoken.groups != 0;
        let factor = config.related_factor as f32;
        return related.then_some(Closeness { kinship: Kinship::Related, factor });
    }
    // A subtag that one side leaves out says nothing against the other: en serves en-GB, and zh serves zh-Hant.
    let differ =
        |left: &Option<String>, right: &Option<String>| left.is_some() && right.is_some() && left != right;
    let mut closeness = Closeness { kinship: Kinship::Same, factor: 1.0 };
    for (is_other, factor) in [
        (differ(&wanted.script, &spoken.script), config.script_factor),
        (
            differ(&wanted.region, &spoken.region)
                && !covers(&wanted.region, &spoken.region)
                && !covers(&spoken.region, &wanted.region),
            config.region_factor,
        ),
    ] {
        if is_other {
            closeness.kinship = Kinship::OtherVariety;
            closeness.factor *= factor as f32;
        }
    }
    Some(closeness)
}

/// Whether one region is a larger one that the other lies in.
fn covers(large: &Option<String>, small: &Option<String>) -> bool {
    large.as_deref() == Some(LATIN_AMERICA)
        && small.as_deref().is_some_and(|region| LATIN_AMERICAN.contains(&region))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Names;

    fn closeness(wanted: &str, spoken: &str) -> Option<(Kinship, f32)> {
        let config = Config::default();
        let names = Names::new(&config);
        let (wanted, spoken) = (Tag::parse(&names, wanted).unwrap(), Tag::parse(&names, spoken).unwrap());
        compare(&config, &wanted, &spoken).map(|found| (found.kinship, found.factor))
    }

    #[test]
    fn a_general_tag_serves_a_special_one_and_the_other_way_round() {
        for (wanted, spoken) in [
            ("en-GB", "en"),
            ("en", "en-GB"),
            ("zh-Hant", "zh"),
            ("zh-Hant-TW", "zh-TW"),
            ("es-419", "es-MX"),
            ("es-AR", "es-419"),
            ("en-001", "en-GB"),
        ] {
            assert_eq!(closeness(wanted, spoken), Some((Kinship::Same, 1.0)), "{wanted} {spoken}");
        }
    }

    #[test]
    fn other_regions_and_scripts_count_a_little_less() {
        assert_eq!(closeness("en-GB", "en-US"), Some((Kinship::OtherVariety, 0.95)));
        assert_eq!(closeness("es-419", "es-ES"), Some((Kinship::OtherVariety, 0.95)));
        assert_eq!(closeness("zh-Hant", "zh-Hans"), Some((Kinship::OtherVariety, 0.9)));
        assert_eq!(closeness("zh-TW", "zh-Hans"), Some((Kinship::OtherVariety, 0.9)));
        let (kinship, factor) = closeness("zh-Hant-TW", "zh-Hans-CN").unwrap();
        assert_eq!(kinship, Kinship::OtherVariety);
        assert!((factor - 0.855).abs() < 1e-6);
    }

    #[test]
    fn names_for_the_same_language_are_the_same() {
        for (wanted, spoken) in
            [("cmn", "zh"), ("zh-cmn", "zh"), ("no", "nb-NO"), ("ar", "arb"), ("iw", "he")]
        {
            assert_eq!(closeness(wanted, spoken), Some((Kinship::Same, 1.0)), "{wanted} {spoken}");
        }
    }

    #[test]
    fn related_is_not_the_same_and_cantonese_is_not_mandarin() {
        assert_eq!(closeness("da", "nb"), Some((Kinship::Related, 0.5)));
        assert_eq!(closeness("ms", "in"), Some((Kinship::Related, 0.5)));
        for other in ["zh", "cmn", "zh-cmn", "zh-Hant"] {
            assert_eq!(closeness("yue", other), None, "{other}");
        }
        assert_eq!(closeness("zh-yue", "yue-HK"), Some((Kinship::Same, 1.0)));
        assert_eq!(closeness("en", "de"), None);
    }
}
