//! `heartline plugins check`: holds a matcher's library to the contract, one case a process.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use heartline_plugin_host::check::{
    self, CASES, CaseProgram, CaseReport, CheckOptions, CheckReport, Checker, OUTPUT_CASE, Outcome,
};
use serde_json::{Map, Value};

use crate::cli::CliError;
use crate::cli::arguments::OutputArguments;
use crate::cli::tables::{table, word};

/// A library to check.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 the matcher conforms, 1 it does not, 64 wrong usage, 69 there is no such file."
)]
pub struct CheckArguments {
    /// The matcher's library.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// A case to run; may be repeated. Without it, all run.
    #[arg(long, value_name = "NAME", value_parser = case_names())]
    pub case: Vec<String>,
    /// The configuration of the instances: a JSON object, or a file that holds one.
    #[arg(long, value_name = "JSON|FILE", default_value = "{}")]
    pub matcher_config: String,
    /// Where random inputs begin; the same seed gives the same ones.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// How many random rankings there are.
    #[arg(long, value_name = "ROUNDS", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rounds: u32,
    /// Takes warnings for failures.
    #[arg(long)]
    pub strict: bool,
    /// How long a call may take before its process is ended.
    #[arg(long, value_name = "MS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(10..=600_000))]
    pub time_limit_ms: u64,
    /// How long a ranking of 1,000 agents may take.
    #[arg(long, value_name = "MS", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=600_000))]
    pub deadline_ms: u64,
    /// How long loading may take.
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=600_000))]
    pub load_limit_ms: u64,
    /// How much memory a case may take.
    #[arg(long, value_name = "MIB", default_value_t = 1_024, value_parser = clap::value_parser!(u64).range(64..=1_048_576))]
    pub memory_mib: u64,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArguments,
}

/// One case of a check.
#[derive(Debug, Args)]
pub struct CheckCaseArguments {
    /// The matcher's library.
    pub file: PathBuf,
    /// What the parent orders.
    pub order: OsString,
}

fn case_names() -> PossibleValuesParser {
    PossibleValuesParser::new(CASES.iter().map(|case| case.name).chain([OUTPUT_CASE]))
}

/// The child's side.
pub(super) fn run_case(arguments: &CheckCaseArguments) -> Result<(), CliError> {
    check::run_case(&arguments.file, &arguments.order).map_err(CliError::Usage)
}

/// Checks and prints. A matcher that does not conform is a failure.
pub(super) fn run(arguments: &CheckArguments, output: &mut dyn Write) -> Result<(), CliError> {
    let file = &arguments.file;
    if !file.is_file() {
        let message = format!("there is no file {}; name the library that the build made", file.display());
        return Err(CliError::Unusable(message));
    }
    if arguments.case == [OUTPUT_CASE] {
        let words = "the case output looks at what other cases print; name one of them as well";
        return Err(CliError::Usage(words.to_owned()));
    }
    let options = CheckOptions {
        cases: arguments.case.clone(),
        seed: arguments.seed,
        rounds: arguments.rounds,
        config: matcher_config(&arguments.matcher_config)?,
        strict: arguments.strict,
        time_limit: Duration::from_millis(arguments.time_limit_ms),
        deadline: Duration::from_millis(arguments.deadline_ms),
        load_limit: Duration::from_millis(arguments.load_limit_ms),
        memory_bytes: arguments.memory_mib << 20,
    };
    let program = std::env::current_exe().map_err(CliError::Runtime)?;
    let arguments_of_child = vec!["plugins".into(), "check-case".into()];
    let checker = Checker::new(CaseProgram { program, arguments: arguments_of_child }, options);
    let report = checker.run(file, |_| {}).map_err(CliError::Runtime)?;
    if arguments.output.json {
        writeln!(output, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        write_table(&report, output)?;
    }
    if report.conforms { Ok(()) } else { Err(CliError::DoesNotConform(refusal(&report))) }
}

/// The configuration as text: given as such, or read from a file.
fn matcher_config(given: &str) -> Result<String, CliError> {
    let text = if given.trim_start().starts_with('{') {
        given.to_owned()
    } else {
        let path = Path::new(given);
        std::fs::read_to_string(path)
            .map_err(|error| CliError::Unusable(format!("cannot read {}: {error}", path.display())))?
    };
    match serde_json::from_str::<Map<String, Value>>(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(CliError::Usage(format!("--matcher-config is not a JSON object: {error}"))),
    }
}

fn write_table(report: &CheckReport, output: &mut dyn Write) -> Result<(), CliError> {
    if let Some(matcher) = &report.matcher {
        writeln!(
            output,
            "{} {} ({}), matcher ABI {}",
            matcher.id, matcher.version, matcher.name, matcher.abi
        )?;
    }
    let mut table = table(["Case", "Outcome", "Time", "Finding"]);
    for case in &report.cases {
        let findings: Vec<&str> =
            std::iter::once(&case.verdict.words).chain(&case.verdict.further).map(String::as_str).collect();
        let time = if case.elapsed_ms < 0.05 { String::new() } else { format!("{:.0} ms", case.elapsed_ms) };
        table.add_row([case.name.clone(), word(&case.verdict.outcome), time, findings.join("\n")]);
    }
    writeln!(output, "{table}")?;
    let counts = report.counts;
    let conforms = if report.conforms { "conforms" } else { "does not conform" };
    writeln!(
        output,
        "{} {conforms}: {} passed, {} with a warning, {} failed, {} skipped, seed {}, {:.1} s",
        report.file,
        counts.pass,
        counts.warning,
        counts.fail,
        counts.skipped,
        report.seed,
        report.elapsed_ms / 1e3
    )?;
    Ok(())
}

/// What is wrong, one finding a line.
fn refusal(report: &CheckReport) -> String {
    let counts = |case: &&CaseReport| match case.verdict.outcome {
        Outcome::Fail => true,
        Outcome::Warning => report.strict,
        Outcome::Pass | Outcome::Skipped => false,
    };
    let lines =
        report.cases.iter().filter(counts).map(|case| format!("\n  {}: {}", case.name, case.verdict.words));
    let lines: String = lines.collect();
    let lines = if lines.is_empty() { ": nothing of it could be tried".to_owned() } else { lines };
    format!("{} does not conform{lines}", report.file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_given_as_text_or_as_a_file() {
        assert_eq!(matcher_config(" {\"a\": 1}").unwrap(), " {\"a\": 1}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, "{}").unwrap();
        assert_eq!(matcher_config(&path.display().to_string()).unwrap(), "{}");
        assert!(matches!(matcher_config("{"), Err(CliError::Usage(_))));
        assert!(matches!(matcher_config("nowhere.json"), Err(CliError::Unusable(_))));
        std::fs::write(&path, "[]").unwrap();
        assert!(matches!(matcher_config(&path.display().to_string()), Err(CliError::Usage(_))));
    }
}
