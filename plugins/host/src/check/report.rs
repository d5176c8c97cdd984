//! What a whole check found, as programs read it.

use serde::{Deserialize, Serialize};

use super::case::{Outcome, Verdict};
use crate::Descriptor;

/// What a check found. The JSON form is stable: fields may be added, `format` counts up where one changes.
#[derive(Debug, Clone, Serialize)]
pub struct CheckReport {
    /// The version of this form.
    pub format: u32,
    /// The library.
    pub file: String,
    /// What the matcher says of itself; nothing where it could not be read.
    pub matcher: Option<CheckedMatcher>,
    /// Where the random numbers began.
    pub seed: u64,
    /// The configuration of the instances.
    pub config: String,
    /// Whether warnings count as failures.
    pub strict: bool,
    /// Whether the matcher conforms.
    pub conforms: bool,
    /// How many cases came out how.
    pub counts: CheckCounts,
    /// How long everything took.
    pub elapsed_ms: f64,
    /// Every case.
    pub cases: Vec<CaseReport>,
}

/// What the matcher says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedMatcher {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// The version of the ABI it was built against.
    pub abi: String,
}

impl From<&Descriptor> for CheckedMatcher {
    fn from(descriptor: &Descriptor) -> Self {
        let Descriptor { id, name, version, abi_major, abi_minor, .. } = descriptor;
        let abi = format!("{abi_major}.{abi_minor}");
        Self { id: id.clone(), name: name.clone(), version: version.clone(), abi }
    }
}

/// How many cases came out how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CheckCounts {
    /// Passed.
    pub pass: usize,
    /// Passed with a warning.
    pub warning: usize,
    /// Failed.
    pub fail: usize,
    /// Not tried.
    pub skipped: usize,
}

impl CheckCounts {
    pub(crate) fn of(cases: &[CaseReport]) -> Self {
        let count = |outcome| cases.iter().filter(|case| case.verdict.outcome == outcome).count();
        Self {
            pass: count(Outcome::Pass),
            warning: count(Outcome::Warning),
            fail: count(Outcome::Fail),
            skipped: count(Outcome::Skipped),
        }
    }

    /// Whether a matcher with these counts conforms. One of which nothing was tried does not.
    pub(crate) fn conform(self, strict: bool) -> bool {
        self.fail == 0 && self.pass + self.warning > 0 && !(strict && self.warning > 0)
    }
}

/// What one case found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CaseReport {
    /// The case.
    pub name: String,
    /// What it looks at.
    pub about: String,
    /// What it found.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// How long it took, with starting its process.
    pub elapsed_ms: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(verdict: Verdict) -> CaseReport {
        CaseReport { name: "a".into(), about: "b".into(), verdict, elapsed_ms: 1.0 }
    }

    #[test]
    fn warnings_fail_only_where_they_are_told_to() {
        let counts = CheckCounts::of(&[report(Verdict::pass("")), report(Verdict::warning(""))]);
        assert!(counts.conform(false) && !counts.conform(true));
        assert!(!CheckCounts::of(&[report(Verdict::pass("")), report(Verdict::fail(""))]).conform(false));
    }

    #[test]
    fn a_matcher_of_which_nothing_was_tried_does_not_conform() {
        assert!(!CheckCounts::of(&[report(Verdict::skipped(""))]).conform(false));
    }

    #[test]
    fn a_case_is_one_flat_object() {
        let json = serde_json::to_value(report(Verdict::fail("no"))).unwrap();
        assert_eq!(json["outcome"], "fail");
        assert_eq!(json["words"], "no");
        assert!(json.get("further").is_none());
    }
}
