//! The simulated world: agents with traits, customers with states, and the truth of how calls end.

use heartline_attitude::{Attitude, NeedTable, TraitWeights};
use heartline_plugin_sdk::testing::{self, Agent, Agents};
use heartline_plugin_sdk::{Emotion, Outcome, Request};

const AGENTS: usize = 40;
/// How many agents are free when a customer comes.
const FREE: usize = 5;
/// How much harder each part of a state makes it that a call ends well: the angry are harder to please than the happy.
const HARDNESS: [f64; 10] = [0.0, -0.5, 0.0, 0.8, 1.5, 1.0, 0.8, 0.8, 0.3, 0.5];
/// How much more than the needs, as log-odds, a trait decides.
const GAIN: f64 = 2.0;

/// What each part needs in truth.
pub(crate) type Truth = [[f64; 5]; 10];

/// Numbers that look random and are the same in every run.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A state: one category leads, and one signal may be strong.
    pub(crate) fn customer(&mut self) -> Emotion {
        let leading = (self.next() % 7) as usize;
        let strength = 0.4 + 0.5 * self.share();
        let rest: [f64; 7] = std::array::from_fn(|index| if index == leading { 0.0 } else { self.share() });
        let sum: f64 = rest.iter().sum();
        let categories = std::array::from_fn(|index| {
            (if index == leading { strength } else { (1.0 - strength) * rest[index] / sum }) as f32
        });
        let mut signals = [0, 1, 2].map(|_| 0.2 * self.share() as f32);
        signals[(self.next() % 3) as usize] += 0.6 * self.share() as f32;
        let [frustration, confusion, concern] = signals;
        let abstain = false;
        Emotion {
            categories,
            frustration,
            confusion,
            concern,
            confidence: 0.8,
            abstain,
            ..Emotion::default()
        }
    }

    pub(crate) fn free_agents(&mut self) -> [usize; FREE] {
        let first = self.next() as usize % AGENTS;
        // Steps of a prime that does not divide their number: five different ones.
        let step = [1, 3, 7, 11, 13][self.next() as usize % 5];
        std::array::from_fn(|index| (first + step * index) % AGENTS)
    }

    /// How a call ends that ends well with this chance.
    pub(crate) fn outcome(&mut self, chance: f64) -> Outcome {
        Outcome { is_resolved: Some(self.share() < chance), ..Outcome::default() }
    }
}

pub(crate) struct World {
    truth: Truth,
    traits: Vec<[f32; 5]>,
}

impl World {
    pub(crate) fn new(truth: Truth) -> Self {
        let mut numbers = Numbers(1);
        Self { truth, traits: (0..AGENTS).map(|_| [0; 5].map(|_| numbers.share() as f32)).collect() }
    }

    pub(crate) fn agents(&self, rows: &[usize]) -> Agents {
        let agents = rows.iter().map(|row| Agent { attitude: self.traits[*row], ..Agent::default() });
        Agents::new(&agents.collect::<Vec<_>>())
    }

    /// The free agent whom the matcher prefers.
    pub(crate) fn pick(&self, matcher: &mut Attitude, customer: &Emotion, free: &[usize]) -> usize {
        let scores = testing::score(matcher, &request(customer), &self.agents(free)).unwrap();
        let best = (0..free.len()).max_by(|a, b| scores[*a].score.total_cmp(&scores[*b].score)).unwrap();
        free[best]
    }

    /// The true chance that a call ends well.
    pub(crate) fn chance(&self, customer: &Emotion, agent: usize) -> f64 {
        let Emotion { categories, frustration, confusion, concern, .. } = customer;
        let strengths =
            categories.iter().chain([frustration, confusion, concern]).map(|part| f64::from(*part));
        let mut log_odds = 0.8;
        for ((strength, needs), hardness) in strengths.zip(self.truth).zip(HARDNESS) {
            let fit =
                needs.iter().zip(self.traits[agent]).map(|(need, value)| need * (f64::from(value) - 0.5));
            log_odds += strength * (GAIN * fit.sum::<f64>() - hardness);
        }
        1.0 / (1.0 + (-log_odds).exp())
    }
}

pub(crate) fn request(customer: &Emotion) -> Request<'static> {
    Request { emotion: customer.clone(), ..Request::default() }
}

/// The configured needs as a truth.
pub(crate) fn table(needs: &NeedTable) -> Truth {
    let NeedTable { neutral, happiness, surprise, sadness, anger, disgust, fear, .. } = *needs;
    let NeedTable { frustration, confusion, concern, .. } = *needs;
    [neutral, happiness, surprise, sadness, anger, disgust, fear, frustration, confusion, concern].map(
        |TraitWeights { warmth, calm, patience, clarity, energy }| [warmth, calm, patience, clarity, energy],
    )
}

/// A truth in which every part needs other traits than the table says, as much of them.
pub(crate) fn shifted(truth: &Truth) -> Truth {
    truth.map(|[warmth, calm, patience, clarity, energy]| [clarity, energy, warmth, calm, patience])
}
