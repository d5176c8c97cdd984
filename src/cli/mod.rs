//! The command line: what can be typed, what it does, and what it prints.
//!
//! A command prints its answer to one writer and its faults to another, so that tests can run it like a user does.
//! Every fault says what to do, and its kind decides the exit code.

mod analyze;
mod arguments;
mod bars;
mod bench;
mod bench_calls;
mod demo;
mod error;
mod keys;
mod models;
mod plugins;
mod predict;
mod rank;
mod replay;
mod report;
mod serve;
mod tables;

use std::ffi::OsString;
use std::io::Write;

use clap::Parser;
use clap::error::ErrorKind;
use heartline_plugin_host::isolation;

pub use arguments::{Arguments, MATCHER_PROCESS};
pub use error::{CliError, Exit};

use crate::config::Config;
use crate::telemetry::install_logs;
use arguments::Command;

/// Runs the program: the arguments are those of the operating system, the program's own name first.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    output: &mut dyn Write,
    faults: &mut dyn Write,
) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error, output, faults),
    };
    match execute(arguments, output, faults) {
        Ok(()) => Exit::Success,
        // Whoever closed the pipe has seen enough.
        Err(CliError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Success,
        Err(error) => {
            // Where even the faults cannot be written, the exit code still tells.
            let _ = writeln!(faults, "heartline: {}", error.describe());
            error.exit()
        }
    }
}

fn execute(arguments: Arguments, output: &mut dyn Write, faults: &mut dyn Write) -> Result<(), CliError> {
    if let Command::Keys(command) = &arguments.command {
        // Whoever makes the first key has no usable configuration yet.
        return keys::run(command, output);
    }
    if matches!(arguments.command, Command::MatcherProcess) {
        // All that it needs comes from the process that started it.
        return serve_matcher();
    }
    if let Command::Plugins(command) = &arguments.command
        && command.needs_no_config()
    {
        // Whoever writes a matcher need not have a server, and what would be ignored is better refused.
        return match (&arguments.config, arguments.set.as_slice()) {
            (None, []) => plugins::run_without_config(command, output),
            _ => Err(CliError::Usage(
                "--config and --set are the server's; a check takes a matcher's configuration by --matcher-config"
                    .to_owned(),
            )),
        };
    }
    let mut config = Config::load(arguments.config.as_deref(), &arguments.set)?;
    let is_server = matches!(arguments.command, Command::Serve);
    if !is_server && config.telemetry.log_filter == DEFAULT_FILTER {
        // A person who asks one question wants the answer, not the log.
        config.telemetry.log_filter = QUIET_FILTER.to_owned();
    }
    let _logs = install_logs(&config.telemetry)?;
    match arguments.command {
        Command::Serve => serve::run(config, output),
        Command::Keys(command) => keys::run(&command, output),
        Command::Analyze(arguments) => analyze::run(config, arguments, output),
        Command::Demo(arguments) => demo::run(config, &arguments, output),
        Command::Bench(arguments) => bench::run(&config, &arguments, output, faults),
        Command::Predict(command) => predict::run(config, command, faults),
        Command::Replay(arguments) => replay::run(config, &arguments, output),
        Command::Rank(command) => rank::run(&config, &command, output),
        Command::Plugins(arguments) => plugins::run(&config, &arguments, output),
        Command::Models(arguments) => models::run(&config, &arguments, output),
        Command::MatcherProcess => serve_matcher(),
    }
}

/// Runs a matcher for the process at the other end of the pipes.
fn serve_matcher() -> Result<(), CliError> {
    isolation::serve_child().map_err(CliError::MatcherProcess)
}

/// The log filter of the default configuration.
const DEFAULT_FILTER: &str = "info";
/// The log filter of the commands that answer one question.
const QUIET_FILTER: &str = "warn";

/// Help and version are answers; everything else is a fault of usage.
fn refuse(error: &clap::Error, output: &mut dyn Write, faults: &mut dyn Write) -> Exit {
    let text = error.render();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = write!(output, "{text}");
            Exit::Success
        }
        _ => {
            let _ = write!(faults, "{text}");
            Exit::Usage
        }
    }
}
