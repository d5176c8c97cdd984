//! One case of the check: what it is called, what it looks at, and what it may find.

use serde::{Deserialize, Serialize};

use super::cases;
use super::child::Bench;

/// How a case came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The matcher does what the contract says.
    Pass,
    /// The contract is kept, but users will not be happy.
    Warning,
    /// The matcher breaks the contract.
    Fail,
    /// The case could not be tried, or does not concern this matcher.
    Skipped,
}

/// What a case found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// How it came out.
    pub outcome: Outcome,
    /// The finding, as a sentence.
    pub words: String,
    /// Further findings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<String>,
}

impl Verdict {
    pub(crate) fn pass(words: impl Into<String>) -> Self {
        Self { outcome: Outcome::Pass, words: words.into(), further: Vec::new() }
    }

    pub(crate) fn warning(words: impl Into<String>) -> Self {
        Self { outcome: Outcome::Warning, words: words.into(), further: Vec::new() }
    }

    pub(crate) fn fail(words: impl Into<String>) -> Self {
        Self { outcome: Outcome::Fail, words: words.into(), further: Vec::new() }
    }

    pub(crate) fn skipped(words: impl Into<String>) -> Self {
        Self { outcome: Outcome::Skipped, words: words.into(), further: Vec::new() }
    }

    /// A pass with these words, or a warning where there is something to warn of.
    pub(crate) fn unless(warnings: Vec<String>, words: impl Into<String>) -> Self {
        let mut warnings = warnings.into_iter();
        match warnings.next() {
            None => Self::pass(words),
            Some(first) => Self { further: warnings.collect(), ..Self::warning(first) },
        }
    }
}

/// What a case finds: an `Err` is a failure in words.
pub(crate) type Found = Result<Verdict, String>;

/// A case.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Its name, for `--case`.
    pub name: &'static str,
    /// What it looks at.
    pub about: &'static str,
    /// The case that must not fail before this one makes sense.
    pub(crate) needs: Option<&'static str>,
    pub(crate) run: fn(&Bench) -> Found,
}

impl Case {
    const fn new(
        name: &'static str,
        about: &'static str,
        needs: &'static str,
        run: fn(&Bench) -> Found,
    ) -> Self {
        let needs = if needs.is_empty() { None } else { Some(needs) };
        Self { name, about, needs, run }
    }
}

/// All cases, in the order in which they are tried.
pub const CASES: &[Case] = &[
    Case::new("load", "opening and preparing the library, and how long that takes", "", cases::loading::load),
    Case::new("descriptor", "id, name, version and description", "load", cases::loading::descriptor),
    Case::new("schema", "the schema of the configuration and its defaults", "load", cases::config::schema),
    Case::new("unknown-ids", "unknown extensions and reason codes", "load", cases::loading::unknown_ids),
    Case::new("create", "making and ending an instance", "load", cases::loading::create),
    Case::new(
        "config",
        "configurations that are garbage or break the schema",
        "create",
        cases::config::garbage,
    ),
    Case::new("no-agents", "a ranking without agents", "create", cases::scoring::no_agents),
    Case::new("one-agent", "a ranking of one agent", "create", cases::scoring::one_agent),
    Case::new(
        "answers",
        "every row, every range, nothing beyond the columns",
        "one-agent",
        cases::scoring::answers,
    ),
    Case::new("texts", "texts that stay as they are", "one-agent", cases::texts::texts),
    Case::new("many-agents", "a ranking of 100,000 agents", "one-agent", cases::scoring::many_agents),
    Case::new("missing-columns", "each column missing in turn", "one-agent", cases::inputs::missing_columns),
    Case::new("extremes", "unknown and extreme values", "one-agent", cases::inputs::extremes),
    Case::new("growth", "structures of a later minor version", "one-agent", cases::inputs::growth),
    Case::new("fuzz", "seeded random rankings", "one-agent", cases::inputs::fuzz),
    Case::new(
        "determinism",
        "the same input gives the same answer",
        "one-agent",
        cases::repeating::determinism,
    ),
    Case::new("permutation", "agents in another order", "one-agent", cases::repeating::permutation),
    Case::new(
        "deadline",
        "how long rankings of 1,000 and 100,000 agents take",
        "one-agent",
        cases::timing::deadline,
    ),
    Case::new("explain", "factors that add up to the score", "one-agent", cases::explaining::explain),
    Case::new("learn", "outcomes fed back", "one-agent", cases::learning::learn),
    Case::new("state", "what was learned, saved and loaded", "one-agent", cases::learning::state),
    Case::new("threads", "several threads and several instances", "one-agent", cases::threads::threads),
    Case::new("leaks", "memory, threads and files that stay behind", "one-agent", cases::leaks::leaks),
];

/// The case that the parent decides by itself: what the children's output showed.
pub const OUTPUT_CASE: &str = "output";

/// The case of this name.
#[must_use]
pub fn find_case(name: &str) -> Option<&'static Case> {
    CASES.iter().find(|case| case.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_needs_come_before() {
        for (index, case) in CASES.iter().enumerate() {
            let earlier = &CASES[..index];
            assert!(earlier.iter().all(|other| other.name != case.name), "{}", case.name);
            assert!(
                case.needs.is_none_or(|needs| earlier.iter().any(|other| other.name == needs)),
                "{}",
                case.name
            );
        }
        assert!(find_case("load").is_some() && find_case("nothing").is_none());
        assert!(find_case(OUTPUT_CASE).is_none());
    }

    #[test]
    fn the_first_warning_is_the_verdict() {
        assert_eq!(Verdict::unless(Vec::new(), "fine"), Verdict::pass("fine"));
        let verdict = Verdict::unless(vec!["one".into(), "two".into()], "fine");
        assert_eq!((verdict.outcome, verdict.words.as_str()), (Outcome::Warning, "one"));
        assert_eq!(verdict.further, ["two"]);
    }
}
