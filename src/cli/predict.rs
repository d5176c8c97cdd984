//! `heartline predict`: the models over a table, one JSON line a row.

use std::io::Write;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

use super::arguments::{PredictArguments, PredictCommand};
use super::{CliError, serve};
use crate::config::Config;
use crate::predict::{Limits, Manifest, Output, PredictError, Predictor, Summary, Task, predict};

/// Predicts every row; the answers go to the output file, the summary to `faults`, where people look.
pub(super) fn run(config: Config, command: PredictCommand, faults: &mut dyn Write) -> Result<(), CliError> {
    let (task, arguments) = command.into_task();
    Output::check(&arguments.output, &arguments.input, arguments.force)?;
    let manifest = Manifest::open(&arguments.input, &task, Limits::default())?;
    // Opened before the models are loaded, so that a wrong name costs no time.
    let output = Output::create(&arguments.output)?;
    let runtime = serve::runtime()?;
    let predictor = Predictor::start(config, task)?;
    let summary = runtime.block_on(work(&predictor, &manifest, &arguments, output))?;
    write_summary(&summary, &arguments.output, faults)?;
    if summary.errors == summary.rows {
        let output = arguments.output.clone();
        return Err(PredictError::NothingPredicted { rows: summary.rows, output }.into());
    }
    Ok(())
}

async fn work(
    predictor: &Predictor,
    manifest: &Manifest,
    arguments: &PredictArguments,
    mut output: Output,
) -> Result<Summary, PredictError> {
    let limit = arguments.limit.unwrap_or(u64::MAX);
    let progress = progress(manifest.len().min(limit));
    let rows = manifest.rows()?.take(usize::try_from(limit).unwrap_or(usize::MAX));
    let summary = predict(predictor, rows, |line| {
        progress.inc(1);
        output.write(line)
    });
    let summary = summary.await?;
    progress.finish_and_clear();
    output.finish()?;
    predictor.engine().shutdown().await;
    Ok(summary)
}

/// A bar that shows only on a terminal.
fn progress(rows: u64) -> ProgressBar {
    let bar = ProgressBar::new(rows);
    let template = "{wide_bar} {human_pos}/{human_len} rows  {per_sec}  {eta} left";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn write_summary(summary: &Summary, output: &Path, faults: &mut dyn Write) -> Result<(), CliError> {
    let Summary { rows, errors, abstentions, .. } = summary;
    let (seconds, rate) = (summary.elapsed.as_secs_f64(), summary.rows_per_second());
    writeln!(
        faults,
        "{rows} rows in {seconds:.1} s ({rate:.1} a second): {errors} errors, {abstentions} abstentions; {}",
        output.display()
    )?;
    Ok(())
}

impl PredictCommand {
    fn into_task(self) -> (Task, PredictArguments) {
        match self {
            Self::Text { language, files } => (Task::Text { language }, files),
            Self::Voice { files } => (Task::Voice, files),
            Self::Face { crops, files } => (Task::Face { are_crops: crops }, files),
        }
    }
}
