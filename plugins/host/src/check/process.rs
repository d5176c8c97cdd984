//! A child that runs one case: started, read, watched, and ended where it takes too long or too much.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::case::Verdict;
use super::child::Line;
use super::limits::status_number;
use super::report::CheckedMatcher;

/// How often a child is looked at.
const POLL: Duration = Duration::from_millis(3);
/// How long the last output of an ended child is waited for; its own children could hold the pipes open for ever.
const LAST_OUTPUT: Duration = Duration::from_millis(300);
/// The most output that is kept; the rest is read and dropped.
const KEPT_BYTES: usize = 64 << 10;

/// What a child may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChildLimits {
    /// From one sign of life to the next.
    pub(crate) step_time: Duration,
    /// In all.
    pub(crate) whole_time: Duration,
    pub(crate) memory_bytes: u64,
}

/// How a child ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) verdict: Verdict,
    /// What the matcher says of itself, if it came to that.
    pub(crate) matcher: Option<CheckedMatcher>,
    /// What the matcher wrote to standard output and standard error, besides our own lines.
    pub(crate) stray_output: [Stray; 2],
}

/// Output that is not ours.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Stray {
    pub(crate) bytes: usize,
    pub(crate) beginning: String,
}

/// What was read from a pipe so far.
#[derive(Debug)]
struct Heard {
    /// What of the output is no line of ours, up to a limit.
    stray: Vec<u8>,
    stray_bytes: usize,
    /// The line that has not ended yet.
    open_line: Vec<u8>,
    step: Option<String>,
    matcher: Option<CheckedMatcher>,
    verdict: Option<Verdict>,
    last_sign: Instant,
    has_ended: bool,
}

impl Heard {
    fn new() -> Self {
        Self {
            stray: Vec::new(),
            stray_bytes: 0,
            open_line: Vec::new(),
            step: None,
            matcher: None,
            verdict: None,
            last_sign: Instant::now(),
            has_ended: false,
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.open_line.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.open_line.len() > KEPT_BYTES {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.open_line);
        match serde_json::from_slice(&line) {
            Ok(Line::Step(step)) => {
                self.step = Some(step);
                self.last_sign = Instant::now();
            }
            Ok(Line::Matcher(matcher)) => self.matcher = Some(matcher),
            Ok(Line::Verdict(verdict)) => self.verdict = Some(verdict),
            // Our lines begin on a new one, so there are empty ones.
            Err(_) if line.iter().all(u8::is_ascii_whitespace) => {}
            Err(_) => {
                self.stray_bytes += line.len();
                let room = KEPT_BYTES.saturating_sub(self.stray.len());
                self.stray.extend_from_slice(&line[..line.len().min(room)]);
            }
        }
    }

    fn stray(&self) -> Stray {
        Stray { bytes: self.stray_bytes, beginning: crate::services::readable(self.stray.trim_ascii(), 60) }
    }
}

type Shared = Arc<Mutex<Heard>>;

fn locked(heard: &Shared) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads a pipe to its end, on a thread of its own.
fn listen(pipe: Option<impl Read + Send + 'static>) -> Shared {
    let heard = Arc::new(Mutex::new(Heard::new()));
    let Some(mut pipe) = pipe else {
        locked(&heard).has_ended = true;
        return heard;
    };
    let ours = Arc::clone(&heard);
    thread::spawn(move || {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(length) = pipe.read(&mut buffer) {
            if length == 0 {
                break;
            }
            locked(&ours).hear(&buffer[..length]);
        }
        let mut heard = locked(&ours);
        heard.end_line();
        heard.has_ended = true;
    });
    heard
}

/// Why a child was ended.
enum Stopped {
    NoAnswer(Duration),
    TooLong(Duration),
    TooMuchMemory,
}

/// Runs a child to its end, whichever that is.
///
/// # Errors
/// Where it cannot be started.
pub(crate) fn run(command: &mut Command, limits: ChildLimits) -> std::io::Result<Ended> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own, so that the processes which a matcher starts end with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let mut child = command.spawn()?;
    let output = listen(child.stdout.take());
    let errors = listen(child.stderr.take());
    let (status, stopped) = watch(&mut child, &output, limits)?;
    let waited = Instant::now();
    while waited.elapsed() < LAST_OUTPUT && !(locked(&output).has_ended && locked(&errors).has_ended) {
        thread::sleep(POLL);
    }
    let output = locked(&output);
    let errors = locked(&errors);
    let verdict = judge(status, stopped.as_ref(), &output, (&errors.stray(), limits));
    Ok(Ended { verdict, matcher: output.matcher.clone(), stray_output: [output.stray(), errors.stray()] })
}

/// Waits for the end of a child, and ends it where it takes too long or too much.
fn watch(
    child: &mut Child,
    output: &Shared,
    limits: ChildLimits,
) -> std::io::Result<(ExitStatus, Option<Stopped>)> {
    let started = Instant::now();
    let process = child.id().to_string();
    locked(output).last_sign = started;
    loop {
        if let Some(status) = child.try_wait()? {
            // What it has started itself may still be there.
            end_group(child);
            return Ok((status, None));
        }
        let silence = locked(output).last_sign.elapsed();
        let memory_bytes = status_number(&process, "RssAnon:").map_or(0, |kilobytes| kilobytes * 1024);
        let stopped = if silence > limits.step_time {
            Some(Stopped::NoAnswer(limits.step_time))
        } else if started.elapsed() > limits.whole_time {
            Some(Stopped::TooLong(limits.whole_time))
        } else {
            (memory_bytes > limits.memory_bytes).then_some(Stopped::TooMuchMemory)
        };
        if stopped.is_some() {
            end_group(child);
            // Where the group is not ours to end, the child is.
            let _ = child.kill();
            return Ok((child.wait()?, stopped));
        }
        thread::sleep(POLL);
    }
}

/// Ends the child's process group. The child has not been waited for yet, or only just, so that its number is its own.
#[cfg(unix)]
fn end_group(child: &Child) {
    let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

/// There are no process groups here.
#[cfg(not(unix))]
fn end_group(_child: &Child) {}

fn judge(
    status: ExitStatus,
    stopped: Option<&Stopped>,
    output: &Heard,
    (errors, limits): (&Stray, ChildLimits),
) -> Verdict {
    let at = output.step.as_deref().map_or_else(|| "at the start".to_owned(), |step| format!("while {step}"));
    let mebibytes = limits.memory_bytes >> 20;
    match stopped {
        Some(Stopped::NoAnswer(limit)) => {
            return Verdict::fail(format!("it did not answer within {} {at}", seconds(*limit)));
        }
        Some(Stopped::TooLong(limit)) => {
            return Verdict::fail(format!("the case was not over within {}, it ended {at}", seconds(*limit)));
        }
        Some(Stopped::TooMuchMemory) => {
            return Verdict::fail(format!("it took more than {mebibytes} MiB of memory {at}"));
        }
        None => {}
    }
    let memory = if errors.beginning.contains("memory allocation of") {
        format!(", because there was no more memory than {mebibytes} MiB")
    } else {
        String::new()
    };
    let has_answered = output.verdict.is_some();
    let at = if has_answered { "when its process ended".to_owned() } else { at };
    if let Some(signal) = signal(status) {
        return Verdict::fail(format!("it crashed (signal {signal}) {at}{memory}"));
    }
    match (&output.verdict, status.code()) {
        (Some(verdict), Some(0)) => verdict.clone(),
        (None, Some(0)) => Verdict::fail(format!("it ended the process {at}")),
        (_, code) => {
            let code = code.map_or_else(|| "no code".to_owned(), |code| format!("exit code {code}"));
            Verdict::fail(format!("it ended the process with {code} {at}: {}", errors.beginning))
        }
    }
}

fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 1.0 { format!("{} ms", duration.as_millis()) } else { format!("{seconds} s") }
}

/// The signal that ended a child, with its name where that is a common one.
#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<String> {
    let number = std::os::unix::process::ExitStatusExt::signal(&status)?;
    let name = match number {
        4 => ", illegal instruction",
        6 => ", abort",
        7 => ", bus error",
        8 => ", arithmetic error",
        9 => ", killed",
        11 => ", segmentation fault",
        15 => ", terminated",
        _ => "",
    };
    Some(format!("{number}{name}"))
}

/// There are no signals here.
#[cfg(not(unix))]
fn signal(_status: ExitStatus) -> Option<String> {
    None
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::check::case::Outcome;

    const LIMITS: ChildLimits = ChildLimits {
        step_time: Duration::from_millis(400),
        whole_time: Duration::from_secs(5),
        memory_bytes: 64 << 20,
    };

    fn ended(script: &str) -> Ended {
        run(Command::new("sh").args(["-c", script]), LIMITS).unwrap()
    }

    fn words(script: &str) -> String {
        let ended = ended(script);
        assert_eq!(ended.verdict.outcome, Outcome::Fail, "{script}");
        ended.verdict.words
    }

    #[test]
    fn an_answer_is_taken_from_among_other_output() {
        let script = r#"printf 'hello'; printf '\n{"step":"x"}\n'; echo oops >&2
            printf '{"verdict":{"outcome":"pass","words":"fine"}}\n'; printf 'bye'"#;
        let ended = ended(script);
        assert_eq!(ended.verdict, Verdict::pass("fine"));
        assert_eq!((ended.stray_output[0].bytes, ended.stray_output[1].beginning.as_str()), (9, "oops"));
    }

    #[test]
    fn every_end_has_its_words() {
        let step = r#"echo '{"step":"scoring 1 agent"}';"#;
        let cases = [
            ("kill -ABRT $$", "it crashed (signal 6, abort) while scoring 1 agent"),
            ("kill -SEGV $$", "it crashed (signal 11, segmentation fault) while scoring 1 agent"),
            ("exit 0", "it ended the process while scoring 1 agent"),
            ("echo why >&2; exit 3", "it ended the process with exit code 3 while scoring 1 agent: why"),
            ("sleep 20", "it did not answer within 400 ms while scoring 1 agent"),
            (
                r#"echo '{"verdict":{"outcome":"pass","words":""}}'; kill -SEGV $$"#,
                "it crashed (signal 11, segmentation fault) when its process ended",
            ),
            (
                "echo 'memory allocation of 1 bytes failed' >&2; kill -ABRT $$",
                "it crashed (signal 6, abort) while scoring 1 agent, because there was no more memory than 64 MiB",
            ),
        ];
        for (script, expected) in cases {
            assert_eq!(words(&format!("{step} {script}")), expected);
        }
        assert_eq!(words("exit 0"), "it ended the process at the start");
    }

    #[test]
    fn signs_of_life_keep_a_child_alive_but_not_for_ever() {
        let limits = ChildLimits { whole_time: Duration::from_secs(1), ..LIMITS };
        let script = r#"while :; do echo '{"step":"going on"}'; sleep 0.1; done"#;
        let ended = run(Command::new("sh").args(["-c", script]), limits).unwrap();
        assert_eq!(ended.verdict.words, "the case was not over within 1 s, it ended while going on");
    }

    #[test]
    fn endless_output_is_dropped_and_counted() {
        let mut heard = Heard::new();
        for _ in 0..100 {
            heard.hear(&[b'x'; 10_000]);
        }
        heard.end_line();
        assert_eq!(heard.stray().bytes, 1_000_000);
        assert!(heard.stray.len() <= KEPT_BYTES && heard.open_line.is_empty());
    }
}
