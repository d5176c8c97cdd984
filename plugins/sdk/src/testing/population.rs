//! Agents and requests of every kind, the same at every run.

use super::{Agent, feeling, helps, must, speaks};
use crate::{Category, Emotion, Outcomes, Request, Spoken, WorstMoment};

const SKILLS: [&str; 6] = ["refunds", "billing", "returns", "technical", "contracts", "complaints"];
const LANGUAGES: [&str; 6] = ["en", "en-GB", "zh-Hans", "de", "pt-BR", "yue"];

/// A small generator: tests need variety, not chance.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        // The constants of Knuth's MMIX; the high bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// A share in hundredths.
    fn share(&mut self) -> f32 {
        self.below(101) as f32 / 100.0
    }

    fn count(&mut self, limit: u64) -> u32 {
        u32::try_from(self.below(limit)).unwrap_or(0)
    }
}

/// Ordinary agents, some of whom little is known, and two at the edges of what is possible.
pub(super) fn agents() -> Vec<Agent> {
    let mut numbers = Numbers(2024);
    let mut agents: Vec<Agent> = (0..40).map(|_| agent(&mut numbers)).collect();
    let most = Outcomes { resolved: u32::MAX, unresolved: u32::MAX, upset_resolved: u32::MAX, upset_unresolved: 0 };
    agents.push(Agent {
        attitude: [1.0; 5],
        active_tasks: u32::MAX,
        capacity: u32::MAX,
        idle_ms: u64::MAX,
        outcomes: most,
        ..Agent::default().skill("refunds", 5.0).language("en", 7.0)
    });
    agents.push(Agent { attitude: [0.0; 5], capacity: 0, ..Agent::default() });
    agents
}

fn agent(numbers: &mut Numbers) -> Agent {
    let mut agent = Agent {
        active_tasks: numbers.count(4),
        capacity: 1 + numbers.count(4),
        idle_ms: numbers.below(3_600_000),
        ..Agent::default()
    };
    for skill in SKILLS {
        if numbers.below(2) == 0 {
            agent = agent.skill(skill, 1.0 + 4.0 * numbers.share());
        }
    }
    for tag in LANGUAGES {
        if numbers.below(3) == 0 {
            agent = agent.language(tag, 1.0 + 6.0 * numbers.share());
        }
    }
    for place in &mut agent.attitude {
        *place = if numbers.below(5) == 0 { f32::NAN } else { numbers.share() };
    }
    if numbers.below(3) > 0 {
        let [resolved, unresolved, upset_resolved, upset_unresolved] =
            [100, 40, 30, 20].map(|limit| numbers.count(limit));
        agent.outcomes = Outcomes {
            resolved: resolved + upset_resolved,
            unresolved: unresolved + upset_unresolved,
            upset_resolved,
            upset_unresolved,
        };
    }
    if numbers.below(2) == 0 {
        agent = agent.attribute("tenure_months", numbers.below(240) as f64);
    }
    if numbers.below(2) == 0 {
        agent = agent.attribute("night_shift", numbers.below(2) == 0);
    }
    match numbers.below(3) {
        0 => agent,
        1 => agent.attribute("site", "Leeds"),
        _ => agent.attribute("site", "重庆"),
    }
}

/// Customers from one of whom nothing is known to one of whom everything is, at its edge.
pub(super) fn requests() -> Vec<Request<'static>> {
    let angry = Emotion { valence: -0.7, arousal: 0.6, frustration: 0.8, ..feeling(Category::Anger, 0.6, 0.8) };
    let confused = Emotion { confusion: 0.9, concern: 0.4, ..feeling(Category::Neutral, 0.7, 0.5) };
    let worst = WorstMoment { at_ms: u64::MAX, valence: -1.0, category: 6 };
    let extreme = Emotion {
        at_ms: u64::MAX,
        valence: -1.0,
        arousal: 1.0,
        dominance: -1.0,
        frustration: 1.0,
        confusion: 1.0,
        concern: 1.0,
        valence_per_minute: -1000.0,
        worst: Some(worst),
        ..feeling(Category::Fear, 1.0, 1.0)
    };
    vec![
        Request::default(),
        Request {
            emotion: angry,
            needs: vec![must("refunds", 3.0), helps("billing", 2.0)],
            languages: vec![speaks("en", 1.0)],
            complexity: 0.5,
            waiting_ms: 90_000,
            ..Request::default()
        },
        Request {
            emotion: confused,
            needs: vec![helps("nobody has this", 5.0)],
            languages: vec![
                Spoken { tag: "zh-Hans", share: 0.7, level: Some(7.0) },
                Spoken { tag: "en", share: 0.3, level: Some(2.5) },
            ],
            interpreter: true,
            complexity: 0.2,
            waiting_ms: 5_000,
            ..Request::default()
        },
        Request {
            emotion: extreme,
            needs: SKILLS.map(|skill| must(skill, 5.0)).to_vec(),
            languages: vec![speaks("tlh", 1.0)],
            complexity: 1.0,
            waiting_ms: u64::MAX,
            time_limit: Some(std::time::Duration::from_secs(60)),
            ..Request::default()
        },
    ]
}
