//! A child as a process: started, listened to, ended.

use std::io::{BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use heartline_plugin_abi::LogLevel;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::wire::{self, Answer, Note};
use crate::services::Services;
use crate::{HostError, ProcessOptions};

/// What of this process's environment a child gets: enough to find libraries, nothing that is secret.
const ENVIRONMENT: [&str; 6] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "LANG", "TZ"];
/// How long a child that was told to end may take for it.
const FAREWELL: Duration = Duration::from_millis(200);
/// The longest line of a child's standard error; longer ones are cut in two.
const MAX_LINE: usize = 1024;

/// A running child.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    answers: Receiver<Answer>,
    /// What it said that made no sense.
    nonsense: Arc<Mutex<Option<String>>>,
    has_ended: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Silence {
    Late,
    Ended(String),
    Nonsense(String),
}

impl Process {
    /// Starts a child. It ends with the thread that starts it, on systems that can do that.
    pub(super) fn start(options: &ProcessOptions, services: &Arc<Services>) -> Result<Self, HostError> {
        let failed = |source| {
            let reason = format!("{} cannot be started", options.program.display());
            HostError::Process { reason, source }
        };
        let kept = ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        let mut child = Command::new(&options.program)
            .args(&options.arguments)
            .env_clear()
            .envs(kept)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: what it starts can be ended with it, and a terminal's interrupt is not for it.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let nonsense = Arc::new(Mutex::new(None));
        let (sender, answers) = sync_channel(1);
        let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let process = Self { child, input, answers, nonsense: Arc::clone(&nonsense), has_ended: false };
        let (Some(output), Some(errors)) = (output, errors) else { return Ok(process) };
        let (listener, reader) = (Arc::clone(services), Arc::clone(services));
        spawn(move || listen(output, &sender, &listener, &nonsense))?;
        spawn(move || read_errors(errors, &reader))?;
        Ok(process)
    }

    /// The pipe to the child.
    pub(super) fn input(&mut self) -> Option<&mut ChildStdin> {
        self.input.as_mut()
    }

    /// Waits for the next answer; a child that gives none in time is killed.
    pub(super) fn answer(&mut self, until: Instant) -> Result<Answer, Silence> {
        use std::sync::mpsc::RecvTimeoutError;
        match self.answers.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(answer) => Ok(answer),
            Err(RecvTimeoutError::Timeout) => {
                self.kill();
                Err(Silence::Late)
            }
            Err(RecvTimeoutError::Disconnected) => Err(self.end()),
        }
    }

    /// Ends a child that has nothing more to say, and says why that is.
    pub(super) fn end(&mut self) -> Silence {
        let was_running = !self.ends_within(FAREWELL);
        let status = self.kill();
        let nonsense = self.nonsense.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (nonsense, status) {
            (Some(words), _) => Silence::Nonsense(words),
            (None, _) if was_running => Silence::Ended("it closed its output".to_owned()),
            (None, Some(status)) => Silence::Ended(describe(status)),
            (None, None) => Silence::Ended("nobody knows how".to_owned()),
        }
    }

    /// Kills the child and all that it started.
    pub(super) fn kill(&mut self) -> Option<ExitStatus> {
        if self.has_ended {
            return None;
        }
        self.has_ended = true;
        // The group is the child's for as long as nobody has waited for the child; what it started may have left it, and
        // then stays.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.kill();
        self.child.wait().ok()
    }

    /// Whether the child ends within a time; its number stays its own.
    fn ends_within(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        loop {
            match waitid(WaitId::Pid(Pid::from_child(&self.child)), look) {
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(1)),
                Ok(status) => return status.is_some(),
                Err(_) => return false,
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The end of its input tells a child to end by itself.
        self.input = None;
        if !self.has_ended {
            self.ends_within(FAREWELL);
        }
        self.kill();
    }
}

fn spawn(body: impl FnOnce() + Send + 'static) -> Result<(), HostError> {
    let started = std::thread::Builder::new().name("matcher-pipe".to_owned()).spawn(body);
    started.map(drop).map_err(|source| HostError::Thread { source })
}

/// Takes what the child says, until it ends or makes no sense.
fn listen(
    output: ChildStdout,
    answers: &SyncSender<Answer>,
    services: &Services,
    nonsense: &Mutex<Option<String>>,
) {
    let mut output = BufReader::new(output);
    let words = loop {
        match wire::read::<Note>(&mut output, wire::MAX_TOLD, |_| wire::no_parcel()) {
            Ok(Some(Note::Line { level, line })) => services.write(LogLevel(level), line.as_bytes()),
            Ok(Some(Note::Answer(answer))) => {
                if answers.try_send(answer).is_err() {
                    break "it answers what nobody asked".to_owned();
                }
            }
            Ok(None) => return,
            Err(error) => break error.to_string(),
        }
    };
    *nonsense.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
}

/// Writes the child's standard error to the log, as far as the limits on log lines allow.
fn read_errors(mut errors: ChildStderr, services: &Services) {
    let mut buffer = [0; MAX_LINE];
    let mut line = Vec::new();
    while let Ok(count @ 1..) = errors.read(&mut buffer) {
        for &byte in &buffer[..count] {
            if byte != b'\n' {
                line.push(byte);
            }
            if byte == b'\n' || line.len() >= MAX_LINE {
                services.write(LogLevel::INFO, &line);
                line.clear();
            }
        }
    }
    if !line.is_empty() {
        services.write(LogLevel::INFO, &line);
    }
}

fn describe(status: ExitStatus) -> String {
    let Some(signal) = status.signal() else {
        return status
            .code()
            .map_or_else(|| status.to_string(), |code| format!("it exited with the code {code}"));
    };
    let meaning = match Signal::from_named_raw(signal) {
        Some(Signal::ABORT) => "it aborted",
        Some(Signal::SEGV) => "it used memory that is not its own or is read-only",
        Some(Signal::BUS) => "it used memory that is not there",
        Some(Signal::ILL) => "it ran an instruction that does not exist",
        Some(Signal::FPE) => "it divided by zero",
        Some(Signal::KILL) => "it was killed",
        _ => "a signal ended it",
    };
    format!("{meaning} (signal {signal})")
}
