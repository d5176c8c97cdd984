//! `heartline plugins`: what can be done with matchers. Without a further word it lists them.

mod list;

use std::io::Write;

use clap::{Args, Subcommand};

use super::CliError;
use super::arguments::OutputArguments;
use crate::config::Config;

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
}

/// Does what needs the configuration.
pub(super) fn run(config: &Config, arguments: &PluginsArguments, output: &mut dyn Write) -> Result<(), CliError> {
    match &arguments.command {
        None => list::run(config, &arguments.output, output),
        Some(PluginsCommand::List(arguments)) => list::run(config, arguments, output),
    }
}
