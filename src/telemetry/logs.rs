//! What is written to standard error, and how it looks.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use super::{LogFormat, TelemetryConfig, TelemetryError};

/// Checks the directives of a log filter.
///
/// # Errors
/// [`TelemetryError::Filter`]
pub fn check_filter(filter: &str) -> Result<(), TelemetryError> {
    parse(filter).map(|_| ())
}

/// Starts writing logs to standard error. A second call changes nothing: the process has one log.
///
/// # Errors
/// [`TelemetryError::Filter`]
pub fn install_logs(config: &TelemetryConfig) -> Result<(), TelemetryError> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(parse(&config.log_filter)?)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(true);
    let installed = match config.log_format {
        LogFormat::Text => builder.finish().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    };
    if installed.is_err() {
        tracing::debug!("logs were set up before");
    }
    Ok(())
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
            let config = TelemetryConfig { log_format, log_filter: "off".to_owned() };
            install_logs(&config).unwrap();
        }
    }
}
