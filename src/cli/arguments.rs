//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::plugins::PluginsArguments;
use crate::app::Role;
use crate::load::{Arrivals, Kind};

/// The command with which the program becomes a matcher's own process.
pub const MATCHER_PROCESS: &str = "matcher-process";

/// Reads the expressions of a customer in words, voice and face, and ranks the agents who could take the call.
#[derive(Debug, Parser)]
#[command(name = "heartline", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 64 wrong usage or configuration, 69 something is not available."
)]
pub struct Arguments {
    /// The configuration file (TOML, with version = 1).
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Sets one key of the configuration over file and environment; may be repeated.
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the server until it is told to stop.
    Serve,
    /// Analyses one call from files and ranks the agents who could take it.
    Analyze(AnalyzeArguments),
    /// Analyses the sample call that comes with the program.
    Demo(DemoArguments),
    /// Predicts a table of texts, clips or pictures, one JSON line a row; docs/predict.md has the details.
    #[command(subcommand)]
    Predict(PredictCommand),
    /// Asks a running server as often as it is told, and measures; docs/load.md has the details.
    Bench(BenchArguments),
    /// Plays the recording of a live call again; docs/events.md has the details.
    Replay(ReplayArguments),
    /// Makes recorded rankings again; docs/policies.md has the details.
    #[command(subcommand)]
    Rank(RankCommand),
    /// Makes API keys; docs/access.md has the details.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Lists, makes and checks matchers; docs/plugins.md has the details.
    Plugins(PluginsArguments),
    /// Runs one matcher for a server that keeps it out of its own process.
    #[command(hide = true, name = MATCHER_PROCESS)]
    MatcherProcess,
    /// Lists the models: version, licence, device, size, and whether their files are whole.
    Models(OutputArguments),
}

/// What a measurement plays.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Plays live calls of the sample in real time, and searches for the most that the server holds.
    Calls(CallsArguments),
}

/// Live calls to play.
#[derive(Debug, Args)]
pub struct CallsArguments {
    /// The server.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// How many calls at the same time; left out, the most that hold are searched.
    #[arg(long, value_name = "CALLS", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub calls: Option<u16>,
    /// The most calls that the search tries.
    #[arg(long, value_name = "CALLS", default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub max_calls: u16,
    /// The frames that each call sends a second.
    #[arg(long, value_name = "FRAMES", default_value_t = 2.0, value_parser = frame_rate)]
    pub frames_per_second: f64,
    /// How long each call lasts.
    #[arg(long, value_name = "MS", default_value_t = 30_000, value_parser = clap::value_parser!(u64).range(5_000..=86_400_000))]
    pub duration_ms: u64,
    /// What of it does not count.
    #[arg(long, value_name = "MS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(..=86_400_000))]
    pub warm_up_ms: u64,
    /// The longest latency that 95 in 100 readings may have.
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=600_000))]
    pub latency_ms: u64,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArguments,
}

fn frame_rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.01..=10.0).contains(&rate) { Ok(rate) } else { Err("not within 0.01 to 10".to_owned()) }
}

/// A recording to play.
#[derive(Debug, Args)]
pub struct ReplayArguments {
    /// The recording.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Whose policy ranks: the one that was recorded, or the one of this configuration.
    #[arg(long, value_name = "SOURCE", default_value = "recording")]
    pub policy_from: PolicyArgument,
    /// Lets media time pass so many times as fast as in the call; without it, it takes no time.
    #[arg(long, value_name = "TIMES", value_parser = speed)]
    pub speed: Option<f64>,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArguments,
}

/// Whose policy ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PolicyArgument {
    /// The one that was recorded.
    Recording,
    /// The one of this configuration.
    Config,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.01..=1e6).contains(&speed) { Ok(speed) } else { Err("not within 0.01 to 1000000".to_owned()) }
}

/// What to do with recorded rankings.
#[derive(Debug, Subcommand)]
pub enum RankCommand {
    /// Ranks as was recorded and says whether it comes out the same, or ranks with another policy.
    Replay(RankReplayArguments),
}

/// Recorded rankings to make again.
#[derive(Debug, Args)]
pub struct RankReplayArguments {
    /// A file of rankings, or a ranking's identifier; left out, all rankings of routing.records.folder.
    #[arg(value_name = "FILE|ID")]
    pub rankings: Option<String>,
    /// Ranks with another policy and says what would change: a file (TOML), or a policy of the configuration.
    #[arg(long, value_name = "FILE|NAME")]
    pub what_if: Option<String>,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArguments,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Makes a new key and prints it once, with the line that the configuration needs.
    New {
        /// Who will have it; the name goes to the log.
        #[arg(value_name = "NAME")]
        name: String,
        /// How to print.
        #[command(flatten)]
        output: OutputArguments,
    },
}

/// How to print.
#[derive(Debug, Clone, Args)]
pub struct OutputArguments {
    /// Prints JSON for programs instead of tables for people.
    #[arg(long)]
    pub json: bool,
}

/// A call from files.
#[derive(Debug, Args)]
pub struct AnalyzeArguments {
    /// The customer's voice: WAV, FLAC, MP3, Ogg Vorbis, AAC or M4A.
    #[arg(long, value_name = "FILE")]
    pub audio: Option<PathBuf>,
    /// The customer's face: one picture, or a folder of pictures named like 1500ms.jpg.
    #[arg(long, value_name = "FOLDER|FILE")]
    pub video: Option<PathBuf>,
    /// The transcript: lines such as "[00:01.5 - 00:03.2] customer: words", or one JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// The agents to rank, as JSON.
    #[arg(long, value_name = "FILE")]
    pub agents: Option<PathBuf>,
    /// The customer's language as a BCP 47 tag, where it is known.
    #[arg(long, value_name = "TAG")]
    pub language: Option<String>,
    /// A skill that the issue needs, as NAME or NAME=LEVEL with a level of 1 to 5; may be repeated.
    #[arg(long, value_name = "NAME[=LEVEL]")]
    pub skill: Vec<String>,
    /// How long the customer has waited, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub waiting_ms: u64,
    /// Whose voice the audio is.
    #[arg(long, value_name = "ROLE", default_value = "customer")]
    pub audio_role: RoleArgument,
    /// Whose face the video shows.
    #[arg(long, value_name = "ROLE", default_value = "customer")]
    pub video_role: RoleArgument,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArguments,
}

/// What the rows of a table are.
#[derive(Debug, Subcommand)]
pub enum PredictCommand {
    /// Texts: a tab-separated table with the columns id and text.
    Text {
        /// The language of all texts as a BCP 47 tag; without it, each text's own is found.
        #[arg(long, value_name = "TAG")]
        language: Option<String>,
        /// From where to where.
        #[command(flatten)]
        files: PredictArguments,
    },
    /// Clips of speech: a tab-separated table with the column path, and id if you like.
    Voice {
        /// From where to where.
        #[command(flatten)]
        files: PredictArguments,
    },
    /// Pictures: a table with the column path, a list of paths, or a folder.
    Face {
        /// The pictures are faces already, so that none has to be found.
        #[arg(long)]
        crops: bool,
        /// From where to where.
        #[command(flatten)]
        files: PredictArguments,
    },
}

/// From where to where.
#[derive(Debug, Args)]
pub struct PredictArguments {
    /// The table; relative paths in it start from its folder.
    #[arg(long, value_name = "FILE")]
    pub input: PathBuf,
    /// The file of answers, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// Replaces the output where it is there already.
    #[arg(long)]
    pub force: bool,
    /// Predicts only the first rows.
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
}

/// A measurement of a running server.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BenchArguments {
    /// What to play instead of single requests.
    #[command(subcommand)]
    pub command: Option<BenchCommand>,
    /// The server; other servers than this one are measured with --request.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// What is asked, made of the sample call.
    #[arg(long, value_name = "KIND", default_value = "text", conflicts_with = "request")]
    pub kind: KindArgument,
    /// A file that is sent as a request's body; may be repeated, then they take turns.
    #[arg(long, value_name = "FILE", requires = "path")]
    pub request: Vec<PathBuf>,
    /// The path that files are sent to.
    #[arg(long, value_name = "PATH", requires = "request")]
    pub path: Option<String>,
    /// The content type of files.
    #[arg(long, value_name = "TYPE", default_value = "application/json", requires = "request")]
    pub content_type: String,
    /// A further header of the requests, as NAME=VALUE; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", requires = "request")]
    pub header: Vec<String>,
    /// The rows of each request: texts or pictures of a built-in kind, or what the files are said to hold.
    #[arg(long, value_name = "ROWS", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub rows: u16,
    /// How many clients ask, each of which waits for its answer first; 8 where nothing else is chosen.
    #[arg(long, value_name = "CLIENTS", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    #[arg(conflicts_with_all = ["rate", "search"])]
    pub concurrency: Option<u16>,
    /// How many requests leave each second, however slow the answers are; with --search, the rate to start with.
    #[arg(long, value_name = "REQUESTS")]
    pub rate: Option<f64>,
    /// How these requests are spread.
    #[arg(long, value_name = "SPREAD", default_value = "poisson")]
    pub arrivals: ArrivalsArgument,
    /// Searches the highest rate at which 99 in 100 requests are answered well within --latency-ms.
    #[arg(long, requires = "latency_ms")]
    pub search: bool,
    /// The longest latency of a good answer.
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=600_000))]
    pub latency_ms: Option<u64>,
    /// How long the server is asked before anything counts.
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(..=86_400_000))]
    pub warm_up_ms: u64,
    /// For how long it counts; for each rate, with --search.
    #[arg(long, value_name = "MS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
    pub duration_ms: u64,
    /// How long an answer is waited for.
    #[arg(long, value_name = "MS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=600_000))]
    pub timeout_ms: u64,
    /// The most requests under way with --rate or --search; one more is not sent and counts as failed.
    #[arg(long, value_name = "REQUESTS", default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub max_in_flight: u16,
    /// Where the random numbers of Poisson arrivals begin; the same seed gives the same moments.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArguments,
}

/// The built-in kinds of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KindArgument {
    /// The customer's words.
    Text,
    /// The customer's voice.
    Voice,
    /// The customer's face.
    Face,
    /// The whole call.
    Analyze,
}

/// How requests are spread over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ArrivalsArgument {
    /// Always the same time apart.
    Constant,
    /// Independent of each other, as many people ask.
    Poisson,
}

/// The demo.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Which of the two sample calls.
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    pub language: DemoLanguage,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArguments,
}

/// The languages of the sample calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DemoLanguage {
    /// English.
    En,
    /// Chinese.
    Zh,
}

/// Whose voice or face a recording shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleArgument {
    /// The customer's.
    Customer,
    /// The agent's; refused unless the configuration names a lawful basis.
    Agent,
}

impl From<RoleArgument> for Role {
    fn from(role: RoleArgument) -> Self {
        match role {
            RoleArgument::Customer => Self::Customer,
            RoleArgument::Agent => Self::Agent,
        }
    }
}

impl From<KindArgument> for Kind {
    fn from(kind: KindArgument) -> Self {
        match kind {
            KindArgument::Text => Self::Text,
            KindArgument::Voice => Self::Voice,
            KindArgument::Face => Self::Face,
            KindArgument::Analyze => Self::Analyze,
        }
    }
}

impl From<ArrivalsArgument> for Arrivals {
    fn from(arrivals: ArrivalsArgument) -> Self {
        match arrivals {
            ArrivalsArgument::Constant => Self::Constant,
            ArrivalsArgument::Poisson => Self::Poisson,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn global_flags_stand_anywhere() {
        let before = Arguments::try_parse_from(["heartline", "--set", "a.b=1", "demo"]).unwrap();
        let after = Arguments::try_parse_from(["heartline", "demo", "--set", "a.b=1"]).unwrap();
        assert_eq!(before.set, after.set);
    }
}
