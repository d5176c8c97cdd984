//! How long the three shipped matchers take for a ranking, called as the server calls them, with all checks of their
//! answers, beside the floor: the time to read every byte that they must read once and to write every byte of the answers.
//!
//! `cargo bench -p heartline-plugin-host --bench matchers`
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a bench prints, and has nobody to tell"
)]

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use heartline_plugin_host::{
    AgentColumns, Candidates, Emotion, Host, HostLimits, Instance, OutcomeCounts, ScoreRequest,
    SpokenLanguage, library_file_name,
};

const SKILLS: [&str; 12] = [
    "refunds",
    "billing",
    "technical",
    "sales",
    "delivery",
    "returns",
    "warranty",
    "accounts",
    "fraud",
    "orders",
    "contracts",
    "complaints",
];
const LANGUAGES: [&str; 10] = ["en", "en-GB", "zh", "zh-Hant", "de", "fr", "es", "es-MX", "pt-BR", "da"];
const NAMES: [&str; 3] = ["skill", "attitude", "language"];
/// Bytes of an answer's row: score, confidence, reason code and eligible.
const ANSWER_BYTES: usize = 13;

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound) as usize
    }

    fn entries(&mut self, names: &[&'static str], most: u64, top: u64) -> Vec<(&'static str, f32)> {
        let (start, count) = (self.below(names.len() as u64), 1 + self.below(most));
        (0..count).map(|step| (names[(start + step) % names.len()], (1 + self.below(top)) as f32)).collect()
    }
}

/// Agents with 1 to 6 skills and 1 to 3 languages; one trait in ten is unknown. Gives the bytes to read as well.
fn agents(count: usize) -> (Candidates, usize) {
    let mut numbers = Numbers(7);
    let mut builder = Candidates::builder();
    let mut entries = 0;
    for index in 0..count {
        let skills = numbers.entries(&SKILLS, 6, 5);
        let languages = numbers.entries(&LANGUAGES, 3, 7);
        entries += skills.len() + languages.len();
        let mut number = |bound| u32::try_from(numbers.below(bound)).unwrap();
        let mut share = || (number(10) > 0).then(|| number(101) as f32 / 100.0);
        let attitude = [share(), share(), share(), share(), share()];
        let outcomes = OutcomeCounts {
            resolved: 20 + number(80),
            unresolved: 5 + number(20),
            upset_resolved: number(20),
            upset_unresolved: number(5),
        };
        builder
            .push(&AgentColumns {
                skills: &skills,
                languages: &languages,
                attitude,
                active_tasks: 0,
                capacity: 1,
                idle_ms: index as u64,
                outcomes,
                ..AgentColumns::default()
            })
            .unwrap();
    }
    // Two columns of offsets, an id and a level an entry, five traits, four counts.
    (builder.build(), 2 * 4 * (count + 1) + 8 * entries + 20 * count + 16 * count)
}

fn request() -> ScoreRequest {
    let emotion = Emotion {
        categories: [0.2, 0.0, 0.0, 0.2, 0.6, 0.0, 0.0],
        frustration: 0.5,
        confidence: 0.8,
        abstain: false,
        ..Emotion::default()
    };
    let need = |name: &str, level, must_have| (name.to_owned(), level, must_have);
    ScoreRequest {
        emotion,
        languages: vec![SpokenLanguage { tag: "en-US".to_owned(), share: 1.0, level: Some(7.0) }],
        needed_skills: vec![
            need("refunds", 3.0, true),
            need("billing", 2.0, false),
            need("orders", 2.0, false),
        ],
        complexity: 0.5,
        waiting_ms: 90_000,
        ..ScoreRequest::default()
    }
}

fn load(name: &str) -> Instance {
    let executable = std::env::current_exe().unwrap();
    let deps = executable.parent().unwrap();
    let file = library_file_name(&format!("heartline-{name}"));
    let folders: [PathBuf; 2] = [deps.to_owned(), deps.parent().unwrap().to_owned()];
    let modified = |path: &PathBuf| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let found =
        folders.iter().map(|folder| folder.join(&file)).filter(|path| path.is_file()).max_by_key(modified);
    let path = found.unwrap_or_else(|| panic!("{file} is in none of {folders:?}"));
    Host::new(HostLimits::default()).open(&path).unwrap().create("{}").unwrap()
}

/// The median of many runs, and the fastest.
fn measure(rounds: usize, mut run: impl FnMut() -> Duration) -> (Duration, Duration) {
    let mut times: Vec<Duration> = (0..rounds).map(|_| run()).collect();
    times.sort_unstable();
    (times[rounds / 2], times[0])
}

/// Reads as many bytes as the matchers must read, and writes as many as they must write.
fn floor(rounds: usize, read_bytes: usize, count: usize) -> (Duration, Duration) {
    let columns = vec![1_u64; read_bytes / 8];
    let mut answers = vec![0_u8; NAMES.len() * ANSWER_BYTES * count];
    measure(rounds, || {
        let started = Instant::now();
        let sum = black_box(&columns).iter().fold(0, |sum: u64, value| sum.wrapping_add(*value));
        black_box(&mut answers).fill(sum as u8);
        started.elapsed()
    })
}

fn rank(count: usize, rounds: usize, aim: Duration) {
    let (candidates, read_bytes) = agents(count);
    let request = request();
    let mut matchers = NAMES.map(load);
    println!("{count} agents, median (fastest) of {rounds} rankings");
    for (name, matcher) in NAMES.iter().zip(&mut matchers) {
        let mut inside = Vec::new();
        let (whole, fastest) = measure(rounds, || {
            let started = Instant::now();
            inside.push(black_box(matcher.score(&request, &candidates).unwrap()).elapsed);
            started.elapsed()
        });
        inside.sort_unstable();
        println!(
            "  {name:9} {whole:>10.1?} ({fastest:.1?}), of that {:.1?} in the matcher",
            inside[rounds / 2]
        );
    }
    let (whole, fastest) = measure(rounds, || {
        let started = Instant::now();
        matchers
            .iter_mut()
            .for_each(|matcher| drop(black_box(matcher.score(&request, &candidates).unwrap())));
        started.elapsed()
    });
    // Rankings of agents that no matcher has seen before, as after each change of an agent.
    let mut turn = 0;
    let fresh = [candidates, agents(count).0];
    let (first, _) = measure(rounds.min(301), || {
        turn += 1;
        let started = Instant::now();
        for matcher in &mut matchers {
            drop(black_box(matcher.score(&request, &fresh[turn % 2]).unwrap()));
        }
        started.elapsed()
    });
    println!("  the same  {first:>10.1?} where the agents have changed since the ranking before");
    let (least, _) = floor(rounds, read_bytes, count);
    let rate = count as f64 / whole.as_secs_f64() / 1e6;
    println!(
        "  all three {whole:>10.1?} ({fastest:.1?}), {rate:.1} million agents a second; the aim is {aim:?}"
    );
    println!(
        "  floor     {least:>10.1?} for {} bytes read and {} written; all three take {:.1} times that",
        read_bytes,
        NAMES.len() * ANSWER_BYTES * count,
        whole.as_secs_f64() / least.as_secs_f64()
    );
}

fn main() {
    rank(1_000, 3_001, Duration::from_micros(60));
    rank(100_000, 101, Duration::from_millis(5));
}
