//! `heartline bench`: asks a running server and measures.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use super::arguments::{BenchArguments, BenchCommand};
use super::tables::table;
use super::{CliError, serve};
use crate::app::paths;
use crate::config::Config;
use crate::load::{
    Arrivals, Client, Load, Plan, Report, Requests, SearchPlan, SearchReport, Target, Trial, search,
};

/// The clients where neither their number nor a rate is given.
const DEFAULT_CONCURRENCY: usize = 8;

/// Measures and prints. Where no request was answered well, that is a failure of the whole.
pub(super) fn run(
    config: &Config,
    arguments: &BenchArguments,
    output: &mut dyn Write,
    faults: &mut dyn Write,
) -> Result<(), CliError> {
    if let Some(BenchCommand::Calls(calls)) = &arguments.command {
        return super::bench_calls::run(config, calls, output, faults);
    }
    let requests = Arc::new(requests(config, arguments)?);
    let plan = plan(arguments);
    plan.check()?;
    serve::runtime()?.block_on(async {
        let target = Target::find(&arguments.url).await?;
        let client = Arc::new(Client::new(target, plan.timeout));
        match arguments.latency_ms.filter(|_| arguments.search) {
            Some(bound_ms) => {
                let wanted = SearchPlan {
                    arrivals: arguments.arrivals.into(),
                    start: arguments.rate,
                    ..SearchPlan::new(Duration::from_millis(bound_ms))
                };
                let tell = |trial: &Trial| tell(trial, faults);
                let report = search(&client, &requests, &plan, &wanted, tell).await?;
                print_search(&report, arguments.output.json, output)
            }
            None => {
                let report = crate::load::run(&client, &requests, &plan).await?;
                print_report(&report, arguments.output.json, output)
            }
        }
    })
}

fn requests(config: &Config, arguments: &BenchArguments) -> Result<Requests, CliError> {
    let rows = usize::from(arguments.rows);
    let Some(path) = &arguments.path else {
        let folder = paths::find(&config.samples.folder);
        return Ok(Requests::of_kind(arguments.kind.into(), rows, &folder)?);
    };
    let mut headers = vec![("content-type".to_owned(), arguments.content_type.clone())];
    for header in &arguments.header {
        let (name, value) = header
            .split_once('=')
            .ok_or_else(|| CliError::Usage(format!("--header {header} is not NAME=VALUE")))?;
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    Ok(Requests::of_files(&arguments.request, path, &headers, rows)?)
}

fn plan(arguments: &BenchArguments) -> Plan {
    let load = match (arguments.rate, arguments.concurrency) {
        (Some(rate), _) => Load::Open { rate, arrivals: arguments.arrivals.into() },
        (None, concurrency) => {
            Load::Closed { concurrency: concurrency.map_or(DEFAULT_CONCURRENCY, usize::from) }
        }
    };
    Plan {
        warm_up: Duration::from_millis(arguments.warm_up_ms),
        duration: Duration::from_millis(arguments.duration_ms),
        timeout: Duration::from_millis(arguments.timeout_ms),
        bound: arguments.latency_ms.map(Duration::from_millis),
        max_in_flight: usize::from(arguments.max_in_flight),
        seed: arguments.seed,
        ..Plan::new(load)
    }
}

/// One line a trial, so that whoever waits sees the search move.
fn tell(trial: &Trial, faults: &mut dyn Write) {
    let p99 = trial.report.latency_ms.map_or_else(|| "none".to_owned(), |found| milliseconds(found.p99));
    let verdict = if trial.held { "holds" } else { "fails" };
    let goodput = trial.report.goodput * 100.0;
    // Who cannot be told of the progress is told the end of it.
    let _ = writeln!(
        faults,
        "{:.2} requests a second: {verdict}, p99 {p99}, {goodput:.1} % good{}",
        trial.rate,
        saturation(&trial.report)
    );
}

fn saturation(report: &Report) -> &'static str {
    if report.is_generator_saturated { "; the generator could not keep up" } else { "" }
}

fn print_search(report: &SearchReport, json: bool, output: &mut dyn Write) -> Result<(), CliError> {
    let best =
        report.trials.iter().filter(|trial| trial.held).max_by(|one, other| one.rate.total_cmp(&other.rate));
    if json {
        writeln!(output, "{}", serde_json::to_string_pretty(report)?)?;
    } else if let Some(best) = best {
        writeln!(output, "{}", report_table(&best.report))?;
        writeln!(
            output,
            "The highest rate that holds {} at p99: {:.2} requests, {:.2} rows a second.",
            milliseconds(report.bound_ms),
            best.rate,
            best.report.rows_per_second
        )?;
    }
    match best {
        Some(_) => Ok(()),
        None => {
            let example = report.trials.iter().find_map(|trial| trial.report.example_failure.clone());
            let found = example.unwrap_or_else(|| "an answer beyond the bound".to_owned());
            Err(CliError::NothingAnswered(Some(found)))
        }
    }
}

fn print_report(report: &Report, json: bool, output: &mut dyn Write) -> Result<(), CliError> {
    if json {
        writeln!(output, "{}", serde_json::to_string_pretty(report)?)?;
    } else {
        writeln!(output, "{}", report_table(report))?;
    }
    if report.latency_ms.is_none() {
        return Err(CliError::NothingAnswered(report.example_failure.clone()));
    }
    Ok(())
}

fn report_table(report: &Report) -> comfy_table::Table {
    let mut table = table(["", &format!("{}{}", report.url, report.path)]);
    let mut line = |name: &str, value: String| {
        table.add_row([name, &value]);
    };
    line("load", describe(report));
    let answers = report.answers.iter().map(|(status, count)| format!("{count} with {status}"));
    let unanswered = [
        ("without a connection", report.unanswered.unconnected),
        ("broken off", report.unanswered.broken),
        ("not answered in time", report.unanswered.late),
        ("not sent", report.unanswered.unsent),
    ];
    let unanswered =
        unanswered.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{count} {name}"));
    let found: Vec<String> = answers.chain(unanswered).collect();
    line("requests", format!("{} sent: {}", report.sent, found.join(", ")));
    let bound = report.bound_ms.map(|bound| format!(" within {}", milliseconds(bound))).unwrap_or_default();
    let (share, good) = (report.goodput * 100.0, report.good_per_second);
    line("good", format!("{} ({share:.1} %){bound}, {good:.2} a second", report.good));
    let (requests, rows) = (report.requests_per_second, report.rows_per_second);
    line("throughput", format!("{requests:.2} requests, {rows:.2} rows a second"));
    if let Some(latency) = report.latency_ms {
        let named = [
            ("p50", latency.p50),
            ("p90", latency.p90),
            ("p95", latency.p95),
            ("p99", latency.p99),
            ("p99.9", latency.p99_9),
            ("max", latency.max),
        ];
        let named = named.map(|(name, value)| format!("{name} {}", milliseconds(value)));
        line("latency", named.join(", "));
    }
    let lag = report.lag_ms;
    let (p50, p99, max) = (milliseconds(lag.p50), milliseconds(lag.p99), milliseconds(lag.max));
    line("generator's lag", format!("p50 {p50}, p99 {p99}, max {max}{}", saturation(report)));
    if let Some(example) = &report.example_failure {
        line("first failure", example.clone());
    }
    table
}

fn describe(report: &Report) -> String {
    let load = match report.load {
        Load::Closed { concurrency: 1 } => "1 client".to_owned(),
        Load::Closed { concurrency } => format!("{concurrency} clients"),
        Load::Open { rate, arrivals: Arrivals::Constant } => format!("{rate:.2} a second, evenly spread"),
        Load::Open { rate, arrivals: Arrivals::Poisson } => format!("{rate:.2} a second, Poisson"),
    };
    let rows = report.rows_per_request;
    format!("{load}, {rows} rows each, {:.1} s after {:.1} s of warm-up", report.duration_s, report.warm_up_s)
}

/// A time with three digits that mean something.
pub(super) fn milliseconds(value: f64) -> String {
    match value {
        value if value < 10.0 => format!("{value:.2} ms"),
        value if value < 100.0 => format!("{value:.1} ms"),
        value => format!("{value:.0} ms"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::arguments::{Arguments, Command};
    use super::*;

    fn parse(arguments: &[&str]) -> Result<BenchArguments, clap::Error> {
        let all = ["heartline", "bench"].iter().chain(arguments);
        match Arguments::try_parse_from(all)?.command {
            Command::Bench(arguments) => Ok(arguments),
            other => panic!("{other:?} is another command"),
        }
    }

    #[test]
    fn loads_are_chosen_by_what_is_given() {
        let load = |arguments: &[&str]| plan(&parse(arguments).unwrap()).load;
        assert_eq!(load(&[]), Load::Closed { concurrency: 8 });
        assert_eq!(load(&["--concurrency", "3"]), Load::Closed { concurrency: 3 });
        assert_eq!(
            load(&["--rate", "2.5", "--arrivals", "constant"]),
            Load::Open { rate: 2.5, arrivals: Arrivals::Constant }
        );
    }

    #[test]
    fn arguments_that_contradict_each_other_or_go_too_far_are_refused() {
        for arguments in [
            &["--concurrency", "2", "--rate", "3"][..],
            &["--concurrency", "0"],
            &["--search"],
            &["--request", "a.json"],
            &["--path", "/v1/rank"],
            &["--request", "a.json", "--path", "/v1/rank", "--kind", "face"],
            &["--rows", "1025"],
            &["--duration-ms", "0"],
            &["--timeout-ms", "600001"],
            &["--max-in-flight", "0"],
        ] {
            assert!(parse(arguments).is_err(), "{arguments:?}");
        }
        parse(&["--search", "--latency-ms", "50", "--rate", "9"]).unwrap();
    }

    #[test]
    fn headers_have_a_name_and_a_value() {
        let config = Config::from_sources(&crate::config::Sources::default()).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let file = file.path().display().to_string();
        let with = |header: &str| {
            let arguments = parse(&["--request", &file, "--path", "/x", "--header", header]).unwrap();
            requests(&config, &arguments)
        };
        with("x-one=1=2").unwrap();
        assert!(matches!(with("x-one: 1"), Err(CliError::Usage(_))));
    }

    #[test]
    fn times_keep_three_digits() {
        assert_eq!([0.123, 12.34, 1234.5].map(milliseconds), ["0.12 ms", "12.3 ms", "1234 ms"]);
    }
}
