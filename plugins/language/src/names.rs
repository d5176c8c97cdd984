//! Which names mean the same language, and which languages are related: the configuration's groups, made ready.

use std::collections::HashMap;

use crate::Config;

/// The groups of the configuration, by lower-case name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    canonical: HashMap<String, String>,
    /// One bit for each group of related languages, by canonical name.
    related: HashMap<String, u64>,
}

impl Names {
    pub(crate) fn new(config: &Config) -> Self {
        let mut names = Self::default();
        for group in &config.equivalent {
            let lower: Vec<String> = group.iter().map(|name| name.to_ascii_lowercase()).collect();
            // Groups that share a name are one group: the first name that was given to any of them stands for all.
            let Some(known) =
                lower.iter().find_map(|name| names.canonical.get(name)).or(lower.first()).cloned()
            else {
                continue;
            };
            for name in lower {
                if let Some(other) = names.canonical.insert(name, known.clone()) {
                    names
                        .canonical
                        .values_mut()
                        .filter(|value| **value == other)
                        .for_each(|value| value.clone_from(&known));
                }
            }
        }
        for (index, group) in config.related.iter().enumerate() {
            for name in group {
                let canonical = names.canonical(&name.to_ascii_lowercase()).to_owned();
                *names.related.entry(canonical).or_default() |= 1 << index;
            }
        }
        names
    }

    /// The one name that stands for all names of a language; `name` is lower-case.
    pub(crate) fn canonical<'name>(&'name self, name: &'name str) -> &'name str {
        self.canonical.get(name).map_or(name, |canonical| canonical)
    }

    /// The groups of related languages that a canonical name is in.
    pub(crate) fn groups(&self, canonical: &str) -> u64 {
        self.related.get(canonical).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_share_a_name_are_one() {
        let group = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let equivalent = vec![group(&["aa", "bb"]), group(&["cc", "dd"]), group(&["DD", "bb"]), group(&[])];
        let names = Names::new(&Config { equivalent, ..Config::default() });
        for name in ["aa", "bb", "cc", "dd"] {
            assert_eq!(names.canonical(name), names.canonical("aa"), "{name}");
        }
        assert_eq!(names.canonical("ee"), "ee");
    }

    #[test]
    fn a_relation_holds_for_every_name_of_a_language() {
        let names = Names::new(&Config::default());
        let groups = |name: &str| names.groups(names.canonical(name));
        assert_ne!(groups("nb") & groups("da"), 0);
        assert_ne!(groups("in") & groups("zsm"), 0);
        assert_eq!(groups("en"), 0);
    }
}
