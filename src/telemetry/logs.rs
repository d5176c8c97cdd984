//! What is written to standard error, and how it looks.

use std::io::IsTerminal;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::traces::Export;
use super::{LogFormat, TelemetryConfig, TelemetryError};

/// Checks the directives of a log filter.
///
/// # Errors
/// [`TelemetryError::Filter`]
pub fn check_filter(filter: &str) -> Result<(), TelemetryError> {
    parse(filter).map(|_| ())
}

/// The running log. Traces that are still to be sent are sent when it is dropped.
#[derive(Debug)]
pub struct Logs {
    _export: Option<Export>,
}

/// Starts writing logs to standard error and sending traces. A second call changes nothing: the process has one log.
///
/// # Errors
/// [`TelemetryError::Filter`] or [`TelemetryError::Traces`].
pub fn install_logs(config: &TelemetryConfig) -> Result<Logs, TelemetryError> {
    let export = config.traces.as_ref().map(Export::start).transpose()?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(true);
    let lines = match config.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // The filter is for the lines; a trace without its spans would be of no use.
    let lines = lines.with_filter(parse(&config.log_filter)?);
    let spans = export.as_ref().map(|export| export.layer().with_filter(LevelFilter::INFO));
    let installed = tracing_subscriber::registry().with(lines).with(spans).try_init();
    if installed.is_err() {
        tracing::debug!("logs were set up before");
    }
    Ok(Logs { _export: export })
}

fn parse(filter: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::builder()
        .parse(filter)
        .map_err(|error| TelemetryError::Filter { filter: filter.to_owned(), reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_checked() {
        assert!(check_filter("heartline=debug,info").is_ok());
        let error = check_filter("heartline=loud").unwrap_err();
        assert!(error.to_string().contains("heartline=loud"), "{error}");
    }

    #[test]
    fn installing_twice_is_harmless() {
        for log_format in [LogFormat::Text, LogFormat::Json] {
            let config = TelemetryConfig { log_format, log_filter: "off".to_owned(), traces: None };
            drop(install_logs(&config).unwrap());
        }
    }
}
