//! The child's side: one case in a process of its own, which says what it is doing and at last what it found.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::case::{Verdict, find_case};
use super::limits;
use super::random::Random;
use super::report::CheckedMatcher;
use super::subject::{Instance, Subject};

/// How long a loop of one case goes on, whatever it wanted to do.
const LOOP_BUDGET: Duration = Duration::from_secs(3);

/// Which part of the time limit a loop without a sign of life may take.
const SILENT_SHARE: u32 = 4;

/// What a child is told to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) case: String,
    pub(crate) seed: u64,
    pub(crate) rounds: u32,
    /// The configuration of the instances.
    pub(crate) config: String,
    /// How long a child may give no sign of life.
    pub(crate) time_limit: Duration,
    pub(crate) deadline: Duration,
    pub(crate) load_limit: Duration,
    pub(crate) memory_bytes: u64,
}

/// A line of a child's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Line {
    /// What it is doing from now on.
    Step(String),
    /// What the matcher says of itself.
    Matcher(CheckedMatcher),
    /// What it found; the last line.
    Verdict(Verdict),
}

/// What a case works with.
pub(crate) struct Bench {
    path: PathBuf,
    order: Order,
}

impl Bench {
    /// Says what the child is doing from now on: the last such words are those of a crash.
    pub(crate) fn step(&self, words: impl AsRef<str>) {
        print(&Line::Step(words.as_ref().to_owned()));
    }

    pub(crate) fn order(&self) -> &Order {
        &self.order
    }

    /// The random numbers of this case: others for each case, the same for each run.
    pub(crate) fn random(&self) -> Random {
        let mixed = self
            .order
            .case
            .bytes()
            .fold(self.order.seed, |mixed, byte| mixed.rotate_left(7) ^ u64::from(byte));
        Random::new(mixed)
    }

    /// The library, initialised.
    pub(crate) fn subject(&self) -> Result<Subject, String> {
        let subject = Subject::open(&self.path, |words| self.step(words))?;
        print(&Line::Matcher(CheckedMatcher::from(subject.descriptor())));
        Ok(subject)
    }

    /// An instance with the configuration of this run.
    pub(crate) fn instance<'subject>(
        &self,
        subject: &'subject Subject,
    ) -> Result<Instance<'subject>, String> {
        self.step("creating an instance");
        let config = self.order.config.as_str();
        subject.create(config.as_bytes()).map_err(|told| {
            let shown: String = config.chars().take(80).collect();
            format!("no instance could be made from the configuration {shown}: {told}")
        })
    }

    /// Whether a loop that says each of its steps may go on; it began then.
    pub(crate) fn may_go_on(&self, started: Instant) -> bool {
        started.elapsed() < LOOP_BUDGET
    }

    /// Whether a loop that says nothing in between may go on; it began then.
    pub(crate) fn may_stay_silent(&self, started: Instant) -> bool {
        started.elapsed() < self.order.time_limit / SILENT_SHARE
    }
}

#[cfg(test)]
impl Bench {
    /// A bench without a library.
    pub(crate) fn of_tests(case: &str) -> Self {
        let second = Duration::from_secs(1);
        let order = Order {
            case: case.to_owned(),
            seed: 1,
            rounds: 10,
            config: "{}".to_owned(),
            time_limit: second,
            deadline: second,
            load_limit: second,
            memory_bytes: 1 << 30,
        };
        Self { path: PathBuf::new(), order }
    }
}

/// Writes a line of our own. It begins on a new line, whatever the matcher has written.
fn print(line: &Line) {
    let Ok(line) = serde_json::to_string(line) else { return };
    let mut output = std::io::stdout().lock();
    // Where nobody reads, nobody asks.
    let _ = output.write_all(format!("\n{line}\n").as_bytes());
    let _ = output.flush();
}

/// Runs one case and prints what it finds, as the child of [`super::Checker`]; `order` is what that passes.
///
/// # Errors
/// Where the order cannot be understood, in words.
pub fn run_case(path: &Path, order: &OsStr) -> Result<(), String> {
    let order = order.to_str().ok_or("the order is no text")?;
    let order: Order =
        serde_json::from_str(order).map_err(|error| format!("the order is not valid: {error}"))?;
    let case = find_case(&order.case).ok_or_else(|| format!("there is no case {}", order.case))?;
    limits::apply(order.memory_bytes);
    let bench = Bench { path: path.to_owned(), order };
    let verdict = (case.run)(&bench).unwrap_or_else(Verdict::fail);
    print(&Line::Verdict(verdict));
    Ok(())
}
