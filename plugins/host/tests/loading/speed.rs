//! How long a ranking of many agents takes. Ignored by default, because a number is no pass or fail:
//! `cargo test --release -p heartline-plugin-host --test loading -- --ignored --nocapture speed`

use std::sync::Arc;
use std::time::Instant;

use heartline_plugin_host::{AgentColumns, Candidates, Emotion, OutcomeCounts, ScoreRequest, SpokenLanguage};

use crate::support::{self, built_library};

const AGENTS: usize = 10_000;
const ROUNDS: usize = 50;

fn many() -> Arc<Candidates> {
    let skills = ["refunds", "billing", "technical", "sales", "delivery", "returns", "warranty", "accounts"];
    let languages = ["en", "en-GB", "zh", "zh-Hant", "de", "fr", "es", "pt-BR"];
    let mut builder = Candidates::builder();
    for index in 0..AGENTS {
        let level = |step: usize, top: usize| (1 + (index * step) % top) as f32;
        let skill = |step: usize| (skills[(index + step * step) % 8], level(step + 3, 5));
        let share = |step: usize| Some(((index * step) % 101) as f32 / 100.0);
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
                outcomes: OutcomeCounts {
                    resolved: 50,
                    unresolved: 9,
                    upset_resolved: 12,
                    upset_unresolved: 4,
                },
                attributes: &[],
            })
            .unwrap();
    }
    Arc::new(builder.build())
}

#[test]
#[ignore = "measures, and passes or fails by nothing"]
fn speed_of_ten_thousand_agents() {
    let started = Instant::now();
    let candidates = many();
    println!("building the columns of {AGENTS} agents: {:?}", started.elapsed());
    let emotion = Emotion {
        categories: [0.2, 0.0, 0.0, 0.2, 0.6, 0.0, 0.0],
        frustration: 0.5,
        confidence: 0.8,
        abstain: false,
        ..Emotion::default()
    };
    let chinese = SpokenLanguage { tag: "zh-Hant".to_owned(), share: 1.0, level: Some(7.0) };
    let request = Arc::new(ScoreRequest {
        emotion,
        languages: vec![chinese],
        needed_skills: vec![("refunds".to_owned(), 3.0, true), ("billing".to_owned(), 2.0, false)],
        complexity: 0.5,
        ..ScoreRequest::default()
    });
    for name in ["skill", "attitude", "language"] {
        let matcher = support::load(&built_library(&format!("heartline-{name}")), "{}").unwrap();
        let mut inside = Vec::new();
        let mut whole = Vec::new();
        for _ in 0..ROUNDS {
            let started = Instant::now();
            let scored = matcher.score(&request, &candidates).unwrap();
            whole.push(started.elapsed());
            inside.push(scored.elapsed);
        }
        whole.sort();
        inside.sort();
        println!(
            "{name}: {AGENTS} agents, median of {ROUNDS}: {:?} in the matcher, {:?} with checks and reasons",
            inside[ROUNDS / 2],
            whole[ROUNDS / 2]
        );
    }
}
