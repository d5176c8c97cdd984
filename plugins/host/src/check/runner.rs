//! The parent's side: which cases run, in what order, and what is made of their findings.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::case::{CASES, Case, OUTPUT_CASE, Outcome, Verdict};
use super::child::Order;
use super::process::{self, ChildLimits, Ended, Stray};
use super::report::{CaseReport, CheckCounts, CheckReport, CheckedMatcher};

/// The version of the report's JSON form.
const FORMAT: u32 = 1;
/// How many times as long as one step a whole case may take.
const STEPS_A_CASE: u32 = 12;
/// The least that a whole case may take.
const LEAST_CASE_TIME: Duration = Duration::from_secs(30);

/// The program that a child runs: it must call [`super::run_case`] with the last two arguments, the library's path and
/// the order.
#[derive(Debug, Clone)]
pub struct CaseProgram {
    /// The program.
    pub program: PathBuf,
    /// Its arguments before those two.
    pub arguments: Vec<OsString>,
}

/// How a check is made.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// The names of the cases to run; empty: all.
    pub cases: Vec<String>,
    /// Where random numbers begin.
    pub seed: u64,
    /// How many random rankings there are.
    pub rounds: u32,
    /// The configuration of the instances, a JSON object.
    pub config: String,
    /// Whether warnings count as failures.
    pub strict: bool,
    /// How long one call of the matcher may take before its process is ended.
    pub time_limit: Duration,
    /// How long a ranking of 1,000 agents may take.
    pub deadline: Duration,
    /// How long loading may take.
    pub load_limit: Duration,
    /// How much memory a case may take, besides what its process needs itself.
    pub memory_bytes: u64,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self {
            cases: Vec::new(),
            seed: 1,
            rounds: 500,
            config: "{}".to_owned(),
            strict: false,
            time_limit: Duration::from_secs(5),
            deadline: Duration::from_millis(50),
            load_limit: Duration::from_secs(1),
            memory_bytes: 1 << 30,
        }
    }
}

/// Makes checks.
#[derive(Debug, Clone)]
pub struct Checker {
    program: CaseProgram,
    options: CheckOptions,
}

impl Checker {
    /// A checker whose children run this program.
    #[must_use]
    pub fn new(program: CaseProgram, options: CheckOptions) -> Self {
        Self { program, options }
    }

    /// Runs the cases one after the other, so that they do not disturb each other's times; `progress` hears of each.
    ///
    /// # Errors
    /// Where a child cannot be started.
    pub fn run(&self, path: &Path, mut progress: impl FnMut(&CaseReport)) -> std::io::Result<CheckReport> {
        let started = Instant::now();
        let mut reports: Vec<CaseReport> = Vec::new();
        let mut matcher: Option<CheckedMatcher> = None;
        let mut strays: Vec<(&'static str, [Stray; 2])> = Vec::new();
        let chosen = CASES.iter().filter(|case| self.is_chosen(case.name));
        for case in chosen {
            let began = Instant::now();
            let verdict = match self.missing_need(case, &reports) {
                Some(need) => Verdict::skipped(format!("because {need} failed")),
                None => {
                    let Ended { verdict, matcher: told, stray_output } = self.child(path, case)?;
                    matcher = matcher.or(told);
                    strays.push((case.name, stray_output));
                    verdict
                }
            };
            reports.push(report(case.name, case.about, verdict, began));
            reports.last().into_iter().for_each(&mut progress);
        }
        if self.is_chosen(OUTPUT_CASE) && !strays.is_empty() {
            let about = "nothing written to standard output and standard error";
            // A matcher that fails may say so: what a runtime prints of a crash is no further fault.
            let failed = |name: &str| {
                reports.iter().any(|case| case.name == name && case.verdict.outcome == Outcome::Fail)
            };
            let verdict = output(strays.iter().filter(|(name, _)| !failed(name)));
            reports.push(report(OUTPUT_CASE, about, verdict, Instant::now()));
            reports.last().into_iter().for_each(&mut progress);
        }
        let counts = CheckCounts::of(&reports);
        Ok(CheckReport {
            format: FORMAT,
            file: path.display().to_string(),
            matcher,
            seed: self.options.seed,
            config: self.options.config.clone(),
            strict: self.options.strict,
            conforms: counts.conform(self.options.strict),
            counts,
            elapsed_ms: milliseconds(started),
            cases: reports,
        })
    }

    fn is_chosen(&self, name: &str) -> bool {
        self.options.cases.is_empty() || self.options.cases.iter().any(|chosen| chosen == name)
    }

    /// The case that failed, or was not tried, and without which this one makes no sense.
    fn missing_need(&self, case: &Case, reports: &[CaseReport]) -> Option<&'static str> {
        let needs = case.needs?;
        let before = reports.iter().find(|report| report.name == needs)?;
        match before.verdict.outcome {
            Outcome::Pass | Outcome::Warning => None,
            Outcome::Fail => Some(needs),
            // Not tried itself: the one to name is the one that failed.
            Outcome::Skipped => {
                let earlier = CASES.iter().find(|case| case.name == needs)?;
                self.missing_need(earlier, reports)
            }
        }
    }

    fn child(&self, path: &Path, case: &Case) -> std::io::Result<Ended> {
        let CheckOptions { seed, rounds, config, time_limit, deadline, load_limit, memory_bytes, .. } =
            &self.options;
        let order = Order {
            case: case.name.to_owned(),
            seed: *seed,
            rounds: *rounds,
            config: config.clone(),
            time_limit: *time_limit,
            deadline: *deadline,
            load_limit: *load_limit,
            memory_bytes: *memory_bytes,
        };
        let mut command = Command::new(&self.program.program);
        command.args(&self.program.arguments).arg(path).arg(serde_json::to_string(&order)?);
        let limits = ChildLimits {
            step_time: *time_limit,
            whole_time: (*time_limit * STEPS_A_CASE).max(LEAST_CASE_TIME),
            memory_bytes: *memory_bytes,
        };
        process::run(&mut command, limits)
    }
}

fn milliseconds(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 1e4).round() / 10.0
}

fn report(name: &str, about: &str, verdict: Verdict, began: Instant) -> CaseReport {
    CaseReport { name: name.to_owned(), about: about.to_owned(), verdict, elapsed_ms: milliseconds(began) }
}

/// What was written where nothing should be: a server's standard output belongs to the server.
fn output<'strays>(strays: impl Iterator<Item = &'strays (&'static str, [Stray; 2])>) -> Verdict {
    let mut warnings = Vec::new();
    for (case, streams) in strays {
        for (stray, name) in streams.iter().zip(["standard output", "standard error"]) {
            if stray.bytes > 0 {
                let Stray { bytes, beginning } = stray;
                warnings.push(format!("it wrote {bytes} bytes to {name} in the case {case}: {beginning:?}"));
            }
        }
    }
    Verdict::unless(warnings, "it wrote nothing of its own; its log lines go through the host")
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    /// A checker whose child is a shell script that gets the path as `$0` and the order as `$1`.
    fn checker(script: &str, cases: &[&str]) -> Checker {
        let program = CaseProgram { program: "sh".into(), arguments: vec!["-c".into(), script.into()] };
        let cases = cases.iter().map(|name| (*name).to_owned()).collect();
        Checker::new(program, CheckOptions { cases, ..CheckOptions::default() })
    }

    fn outcomes(report: &CheckReport) -> Vec<(&str, Outcome)> {
        report.cases.iter().map(|case| (case.name.as_str(), case.verdict.outcome)).collect()
    }

    #[test]
    fn what_cannot_be_loaded_is_not_tried_further() {
        let report = checker("kill -ABRT $$", &[]).run(Path::new("x.so"), |_| {}).unwrap();
        assert_eq!(outcomes(&report)[0], ("load", Outcome::Fail));
        let rest = &report.cases[1..report.cases.len() - 1];
        assert!(rest.iter().all(|case| case.verdict.words == "because load failed"), "{rest:?}");
        assert!(!report.conforms && report.matcher.is_none());
        assert_eq!(report.cases.len(), CASES.len() + 1);
    }

    #[test]
    fn chosen_cases_run_alone_and_are_told_their_order() {
        let script = r#"case "$1" in *'"seed":1'*) o=pass ;; *) o=fail ;; esac
            echo "{\"verdict\":{\"outcome\":\"$o\",\"words\":\"$0\"}}""#;
        let mut heard = Vec::new();
        let report =
            checker(script, &["fuzz"]).run(Path::new("x.so"), |case| heard.push(case.name.clone())).unwrap();
        assert_eq!(outcomes(&report), [("fuzz", Outcome::Pass)]);
        assert_eq!((report.cases[0].verdict.words.as_str(), heard), ("x.so", vec!["fuzz".to_owned()]));
        assert!(report.conforms);
    }

    #[test]
    fn stray_output_is_a_warning() {
        let script = r#"echo hello; echo '{"verdict":{"outcome":"pass","words":""}}'"#;
        let report = checker(script, &["fuzz", OUTPUT_CASE]).run(Path::new("x.so"), |_| {}).unwrap();
        assert_eq!(report.cases[1].verdict.outcome, Outcome::Warning);
        assert!(
            report.cases[1].verdict.words.contains("6 bytes to standard output in the case fuzz: \"hello\"")
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        let program = CaseProgram { program: "/nowhere/at/all".into(), arguments: Vec::new() };
        assert!(Checker::new(program, CheckOptions::default()).run(Path::new("x.so"), |_| {}).is_err());
    }
}
