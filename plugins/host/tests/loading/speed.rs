//! How long a ranking takes, and what a process of its own adds to a call. Ignored by default, because a number is no
//! pass or fail: `cargo test --release -p heartline-plugin-host --test loading -- --ignored --nocapture speed`

use std::sync::Arc;
use std::time::{Duration, Instant};

use heartline_plugin_host::{
    AgentColumns, Candidates, Emotion, Matcher, MatcherOptions, OutcomeCounts, ScoreRequest, SpokenLanguage,
};

use crate::support::{built_library, host, patient};

fn many(agents: usize) -> Arc<Candidates> {
    let skills = ["refunds", "billing", "technical", "sales", "delivery", "returns", "warranty", "accounts"];
    let languages = ["en", "en-GB", "zh", "zh-Hant", "de", "fr", "es", "pt-BR"];
    let mut builder = Candidates::builder();
    for index in 0..agents {
        let level = |step: usize, top: usize| (1 + (index * step) % top) as f32;
        let skill = |step: usize| (skills[(index + step * step) % 8], level(step + 3, 5));
        let share = |step: usize| Some(((index * step) % 101) as f32 / 100.0);
        let outcomes = OutcomeCounts { resolved: 50, unresolved: 9, upset_resolved: 12, upset_unresolved: 4 };
        builder
            .push(&AgentColumns {
                skills: &[skill(0), skill(1), skill(2)],
                languages: &[
                    (languages[index % 8], level(3, 7)),
                    (languages[(index + 1 + index % 7) % 8], level(5, 7)),
                ],
                attitude: [share(3), share(7), share(11), share(13), share(17)],
                active_tasks: 0,
                capacity: 1,
                idle_ms: index as u64,
                outcomes,
                attributes: &[],
            })
            .unwrap();
    }
    Arc::new(builder.build())
}

fn angry() -> Arc<ScoreRequest> {
    let emotion = Emotion {
        categories: [0.2, 0.0, 0.0, 0.2, 0.6, 0.0, 0.0],
        frustration: 0.5,
        confidence: 0.8,
        abstain: false,
        ..Emotion::default()
    };
    let chinese = SpokenLanguage { tag: "zh-Hant".to_owned(), share: 1.0, level: Some(7.0) };
    Arc::new(ScoreRequest {
        emotion,
        languages: vec![chinese],
        needed_skills: vec![("refunds".to_owned(), 3.0, true), ("billing".to_owned(), 2.0, false)],
        complexity: 0.5,
        ..ScoreRequest::default()
    })
}

fn median(rounds: usize, mut body: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<_> = (0..rounds).map(|_| body()).collect();
    times.sort();
    times[rounds / 2]
}

/// The median of whole calls, as the caller sees them.
fn whole(rounds: usize, mut call: impl FnMut()) -> Duration {
    median(rounds, || {
        let started = Instant::now();
        call();
        started.elapsed()
    })
}

fn near(path: &std::path::Path) -> Matcher {
    host().load_with(path, "{}", &patient()).unwrap()
}

#[test]
#[ignore = "measures, and passes or fails by nothing"]
fn speed_of_ten_thousand_agents() {
    let candidates = many(10_000);
    for name in ["skill", "attitude", "language"] {
        let matcher = near(&built_library(&format!("heartline-{name}")));
        let inside = median(50, || matcher.score(&angry(), &candidates).unwrap().elapsed);
        let whole = whole(50, || drop(matcher.score(&angry(), &candidates).unwrap()));
        println!(
            "{name}: 10,000 agents: {inside:?} in the matcher, {whole:?} with the guard, checks and reasons"
        );
    }
}

#[test]
#[ignore = "measures, and passes or fails by nothing"]
#[cfg(target_os = "linux")]
fn speed_of_a_process_of_its_own() {
    use heartline_plugin_host::{Isolation, ProcessOptions};

    let path = built_library("heartline-skill");
    let process = ProcessOptions::new(crate::support::built_program("matcher_process"), []);
    let options = MatcherOptions { isolation: Isolation::Process(process), ..patient() };
    let mut direct = host().open(&path).unwrap().create("{}").unwrap();
    let (near, far) = (near(&path), host().load_with(&path, "{}", &options).unwrap());
    println!("agents | direct | guarded | own process | own process, new columns | process / guarded");
    for agents in [10, 1_000, 100_000] {
        let rounds = if agents > 10_000 { 60 } else { 1_000 };
        let (request, candidates) = (angry(), many(agents));
        let snapshots: Vec<_> = (0..20).map(|_| many(agents)).collect();
        let mut next = 0;
        let bare = whole(rounds, || drop(direct.score(&request, &candidates).unwrap()));
        let guarded = whole(rounds, || drop(near.score(&request, &candidates).unwrap()));
        let own = whole(rounds, || drop(far.score(&request, &candidates).unwrap()));
        let fresh = whole(20, || {
            drop(far.score(&request, &snapshots[next]).unwrap());
            next += 1;
        });
        let ratio = own.as_secs_f64() / guarded.as_secs_f64();
        println!("{agents} | {bare:?} | {guarded:?} | {own:?} | {fresh:?} | {ratio:.1}");
    }
    let restart = whole(5, || drop(host().load_with(&path, "{}", &options).unwrap()));
    println!("to start a process and the matcher in it: {restart:?}");
}
