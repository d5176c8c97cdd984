//! What stays behind: memory that keeps growing, threads that keep running, files that stay open.

use std::time::{Duration, Instant};

use crate::check::case::{Found, Verdict};
use crate::check::child::Bench;
use crate::check::limits::{open_files, status_bytes, status_number};
use crate::check::subject::{Instance, Subject};
use crate::check::world::World;

/// How many measurements there are after the first, which fills caches and pools.
const MEASUREMENTS: usize = 4;
/// How long the work before each measurement takes at most.
const ROUND_TIME: Duration = Duration::from_millis(400);
/// How often the work is done before each measurement, if there is time.
const REPEATS: u64 = 2_000;
/// Growth below this many bytes a repeat is noise of the allocator.
const NOISE_BYTES: u64 = 24;
/// Growth below this in all is noise too.
const LEAST_GROWTH: u64 = 192 << 10;

pub(crate) fn leaks(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    let world = World::seeded(&mut bench.random(), 20);
    if status_bytes("VmRSS:").is_none() {
        return Ok(Verdict::skipped("this system does not tell how much memory a process has"));
    }
    let files = open_files();
    let threads = status_number("self", "Threads:");
    let config = bench.order().config.as_bytes();
    let lives = growth(bench, &mut || {
        let mut instance: Instance<'_> = subject.create(config).map_err(|told| told.to_string())?;
        instance.score(&world).map(drop)
    })?;
    judge(lives, "an instance that is created, used and destroyed")?;
    judge(scoring(bench, &subject, &world)?, "a ranking")?;
    if let (Some(before), Some(after)) = (files, open_files())
        && after > before
    {
        return Err(format!("{} files stay open after all instances were destroyed", after - before));
    }
    let mut warnings = Vec::new();
    if let (Some(before), Some(after)) = (threads, status_number("self", "Threads:"))
        && after > before
    {
        let more = after - before;
        warnings.push(format!("{more} threads run on after all instances were destroyed"));
    }
    let words = format!("{} lives of instances left no memory, thread or file behind", lives.repeats);
    Ok(Verdict::unless(warnings, words))
}

fn scoring(bench: &Bench, subject: &Subject, world: &World) -> Result<Growth, String> {
    let mut instance = bench.instance(subject)?;
    growth(bench, &mut || instance.score(world).map(drop))
}

/// How memory has grown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Growth {
    repeats: u64,
    /// In all, after the first measurement.
    bytes: u64,
    /// In every one of the measurements at least.
    least_per_repeat: u64,
}

fn growth(bench: &Bench, work: &mut dyn FnMut() -> Result<(), String>) -> Result<Growth, String> {
    let mut repeats = 0;
    let mut round = || -> Result<(u64, u64), String> {
        let started = Instant::now();
        let mut done = 0;
        bench.step("doing the same over and over, to see what stays behind");
        let may_go_on = |started: Instant| bench.may_stay_silent(started) && started.elapsed() < ROUND_TIME;
        while done < REPEATS && (done < 3 || may_go_on(started)) {
            work()?;
            done += 1;
        }
        repeats += done;
        let bytes = status_bytes("VmRSS:").ok_or("the memory of this process cannot be read")?;
        Ok((bytes, done))
    };
    let (first, _) = round()?;
    let (mut last, mut least) = (first, u64::MAX);
    for _ in 0..MEASUREMENTS {
        let (bytes, done) = round()?;
        least = least.min(bytes.saturating_sub(last) / done.max(1));
        last = bytes;
    }
    Ok(Growth { repeats, bytes: last.saturating_sub(first), least_per_repeat: least })
}

fn judge(growth: Growth, what: &str) -> Result<(), String> {
    if growth.least_per_repeat < NOISE_BYTES || growth.bytes < LEAST_GROWTH {
        return Ok(());
    }
    Err(format!(
        "it leaks memory: {what} leaves about {} bytes behind, {} KiB after {} of them",
        growth.least_per_repeat,
        growth.bytes >> 10,
        growth.repeats
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn work_that_keeps_memory_is_told_from_work_that_does_not() {
        let bench = Bench::of_tests("leaks");
        let mut kept: Vec<Vec<u8>> = Vec::new();
        let mut leak = || {
            kept.push(vec![1; 1_000]);
            Ok(())
        };
        let words = judge(growth(&bench, &mut leak).unwrap(), "this").unwrap_err();
        assert!(words.contains("it leaks memory: this leaves about"), "{words}");
    }

    #[test]
    fn a_little_growth_is_noise() {
        let steady = Growth { repeats: 8_000, bytes: 1 << 30, least_per_repeat: 0 };
        let small = Growth { repeats: 100, bytes: 4_096, least_per_repeat: 40 };
        assert_eq!((judge(steady, ""), judge(small, "")), (Ok(()), Ok(())));
    }
}
