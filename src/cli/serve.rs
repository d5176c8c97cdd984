//! `heartline serve`: runs the server until it is told to stop.

use std::io::Write;

use super::CliError;
use crate::app::{App, Ending, stop_signal};
use crate::config::Config;
use crate::telemetry::Metrics;

/// Builds the app, takes the port, serves and drains.
pub(super) fn run(config: Config, output: &mut dyn Write) -> Result<(), CliError> {
    Metrics::install()?;
    let runtime = runtime()?;
    let ending = runtime.block_on(serve(config, output));
    // What is still computing after the drain time is over has nobody left to answer.
    runtime.shutdown_background();
    ending
}

async fn serve(config: Config, output: &mut dyn Write) -> Result<(), CliError> {
    // The port first: loading the models takes seconds that a taken port would waste.
    let listener = App::bind(&config).await?;
    let address = listener.local_addr()?;
    let scheme = if config.server.tls.is_some() { "https" } else { "http" };
    let mut stop = Box::pin(stop_signal()?);
    // Building takes seconds, and minutes where kernels have to be compiled: whoever stops it meanwhile need not wait.
    let building = tokio::task::spawn_blocking(move || App::build(config));
    let app = tokio::select! {
        built = building => built.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?,
        () = &mut stop => {
            tracing::info!("stopped before the models were ready");
            return Ok(());
        }
    };
    writeln!(output, "heartline listens on {scheme}://{address}")?;
    output.flush()?;
    match app.serve(listener, stop).await? {
        Ending::Drained => tracing::info!("stopped: every accepted request was answered"),
        Ending::CutOff => {
            tracing::warn!("stopped: the drain time was over before every request was answered");
        }
    }
    Ok(())
}

/// The threads that everything async runs on.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::Runtime)
}
