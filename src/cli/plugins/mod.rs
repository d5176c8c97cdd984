//! `heartline plugins`: what can be done with matchers. Without a further word it lists them.

mod check;
mod list;
mod new;

use std::io::Write;

use clap::{Args, Subcommand};

use super::CliError;
use super::arguments::OutputArguments;
use crate::config::Config;

use check::{CheckArguments, CheckCaseArguments};
use new::NewArguments;

/// What to do with matchers; nothing said lists them.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct PluginsArguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<PluginsCommand>,
    /// How to print the list.
    #[command(flatten)]
    pub output: OutputArguments,
}

/// What to do with matchers.
#[derive(Debug, Subcommand)]
pub enum PluginsCommand {
    /// Lists the matchers: version, plugin interface, and whether they load.
    List(OutputArguments),
    /// Holds a matcher's library to the contract, out of process: conformance cases and seeded fuzzing.
    Check(CheckArguments),
    /// Writes a complete crate of a new matcher: source, tests, bench and README; docs/plugins.md has the details.
    New(NewArguments),
    /// Runs one case of a check, as its child.
    #[command(hide = true)]
    CheckCase(CheckCaseArguments),
}

impl PluginsArguments {
    /// Whether what is asked for has nothing to do with a server.
    pub(super) const fn needs_no_config(&self) -> bool {
        !matches!(self.command, None | Some(PluginsCommand::List(_)))
    }
}

/// Does what needs no configuration.
pub(super) fn run_without_config(
    arguments: &PluginsArguments,
    output: &mut dyn Write,
) -> Result<(), CliError> {
    match &arguments.command {
        None | Some(PluginsCommand::List(_)) => Ok(()),
        Some(PluginsCommand::New(arguments)) => new::run(arguments, output),
        Some(PluginsCommand::Check(arguments)) => check::run(arguments, output),
        Some(PluginsCommand::CheckCase(arguments)) => check::run_case(arguments),
    }
}

/// Does what needs the configuration.
pub(super) fn run(
    config: &Config,
    arguments: &PluginsArguments,
    output: &mut dyn Write,
) -> Result<(), CliError> {
    let arguments = match &arguments.command {
        Some(PluginsCommand::List(arguments)) => arguments,
        _ => &arguments.output,
    };
    list::run(config, arguments, output)
}
