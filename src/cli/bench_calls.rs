//! `heartline bench calls`: how many live calls a running server holds.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use super::arguments::CallsArguments;
use super::bench::milliseconds;
use super::tables::table;
use super::{CliError, serve};
use crate::app::paths;
use crate::config::Config;
use crate::load::{CallsPlan, CallsReport, LoadError, Script, Target, measure, search_calls};

/// Measures and prints. Where the calls, or not even one of them, do not hold, that is a failure of the whole.
pub(super) fn run(
    config: &Config,
    arguments: &CallsArguments,
    output: &mut dyn Write,
    faults: &mut dyn Write,
) -> Result<(), CliError> {
    let folder = paths::find(&config.samples.folder);
    let script = Arc::new(Script::of_sample(&folder, arguments.frames_per_second)?);
    if arguments.warm_up_ms >= arguments.duration_ms {
        let (name, bounds) = ("--warm-up-ms", "below --duration-ms");
        return Err(LoadError::Plan { name, bounds }.into());
    }
    let plan = CallsPlan {
        duration: Duration::from_millis(arguments.duration_ms),
        warm_up: Duration::from_millis(arguments.warm_up_ms),
        bound: Duration::from_millis(arguments.latency_ms),
        max_calls: usize::from(arguments.max_calls),
    };
    serve::runtime()?.block_on(async {
        let target = Target::find(&arguments.url).await?;
        let Some(calls) = arguments.calls else {
            let found = search_calls(&target, &script, &plan, |report| tell(report, faults)).await?;
            if arguments.output.json {
                writeln!(output, "{}", serde_json::to_string_pretty(&found)?)?;
            } else if let Some(best) =
                found.trials.iter().filter(|trial| trial.held).max_by_key(|trial| trial.calls)
            {
                writeln!(output, "{}", report_table(best))?;
                let bound = milliseconds(best.bound_ms);
                writeln!(
                    output,
                    "The most calls that hold {bound} at p95 without losing audio: {}.",
                    best.calls
                )?;
            }
            let example = found.trials.iter().find_map(|trial| trial.example_failure.clone());
            return found.calls.map(drop).ok_or(CliError::NothingAnswered(example));
        };
        let report = measure(&target, &script, &plan, usize::from(calls)).await?;
        if arguments.output.json {
            writeln!(output, "{}", serde_json::to_string_pretty(&report)?)?;
        } else {
            writeln!(output, "{}", report_table(&report))?;
        }
        match report.latency_ms {
            Some(_) => Ok(()),
            None => Err(CliError::NothingAnswered(report.example_failure)),
        }
    })
}

/// One line a trial, so that whoever waits sees the search move.
fn tell(report: &CallsReport, faults: &mut dyn Write) {
    let p95 = report.latency_ms.map_or_else(|| "none".to_owned(), |found| milliseconds(found.p95));
    let verdict = if report.held { "hold" } else { "fail" };
    let (dropped, sent) = (report.frames_dropped, report.frames_sent);
    // Who cannot be told of the progress is told the end of it.
    let _ = writeln!(
        faults,
        "{} calls: {verdict}, p95 {p95}, {dropped} of {sent} frames dropped, {} windows of speech skipped",
        report.calls, report.windows_skipped
    );
}

fn report_table(report: &CallsReport) -> comfy_table::Table {
    let mut table = table(["", &format!("{} calls of {:.0} s", report.calls, report.duration_s)]);
    let mut line = |name: &str, value: String| {
        table.add_row([name, &value]);
    };
    line("held", if report.held { "yes".to_owned() } else { "no".to_owned() });
    let named = report.latency_ms.map(|latency| ("all".to_owned(), latency));
    let each = report.by_modality.iter().map(|(modality, latency)| (modality.clone(), *latency));
    for (name, latency) in named.into_iter().chain(each) {
        let parts = [("p50", latency.p50), ("p95", latency.p95), ("p99", latency.p99), ("max", latency.max)];
        let parts = parts.map(|(part, value)| format!("{part} {}", milliseconds(value)));
        line(&format!("latency, {name}"), parts.join(", "));
    }
    let (read, sent, dropped) = (report.frames_read, report.frames_sent, report.frames_dropped);
    line("frames", format!("{read} read of {sent} sent, {dropped} dropped for lack of time"));
    let (windows, bytes) = (report.windows_skipped, report.audio_skipped_bytes);
    line("audio lost", format!("{windows} windows of speech, {bytes} bytes"));
    for stage in &report.stages {
        line(stage.stage, format!("{:.3} s of work a second", stage.busy));
    }
    if let Some(bytes) = report.memory_bytes_a_call {
        line("memory a call", format!("{:.0} KB", bytes as f64 / 1e3));
    }
    line("generator's lag", format!("at worst {}", milliseconds(report.lag_ms)));
    if report.failed > 0 {
        let example = report.example_failure.clone().unwrap_or_default();
        line("failed", format!("{} calls; the first: {example}", report.failed));
    }
    table
}
