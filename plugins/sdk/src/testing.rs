//! A bench for a matcher's own tests: agents without a host, scores without a library.
//!
//! ```
//! use heartline_plugin_sdk::Request;
//! use heartline_plugin_sdk::testing::{Agent, Agents};
//!
//! let agents = Agents::new(&[Agent { skills: vec![("refunds", 4.0)], ..Agent::default() }]);
//! let request = agents.resolve(Request::default(), &[("refunds", 3.0, true)]);
//! assert_eq!(request.needs[0].skill, Some(0));
//! ```

use heartline_plugin_abi as abi;
use heartline_plugin_abi::TRAIT_COUNT;

use crate::candidates::Rows;
use crate::{Candidates, Matcher, MatcherError, Outcomes, Request, Score, Scores, SkillNeed, config};

/// One agent of a test.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Skills with their proficiency, 1 to 5.
    pub skills: Vec<(&'static str, f32)>,
    /// BCP 47 tags with their CEFR number.
    pub languages: Vec<(&'static str, f32)>,
    /// Warmth, calm, patience, clarity, energy; NaN where unknown.
    pub attitude: [f32; TRAIT_COUNT],
    /// How many tasks the agent has now.
    pub active_tasks: u32,
    /// How many tasks the agent can have at once.
    pub capacity: u32,
    /// How long the agent has been without a new task, in ms.
    pub idle_ms: u64,
    /// How past calls ended.
    pub outcomes: Outcomes,
}

impl Default for Agent {
    fn default() -> Self {
        Self {
            skills: Vec::new(),
            languages: Vec::new(),
            attitude: [f32::NAN; TRAIT_COUNT],
            active_tasks: 0,
            capacity: 1,
            idle_ms: 0,
            outcomes: Outcomes::default(),
        }
    }
}

/// The columns of some agents.
#[derive(Debug, Clone, Default)]
pub struct Agents {
    skills: OwnedRows,
    languages: OwnedRows,
    attitudes: Vec<f32>,
    active_tasks: Vec<u32>,
    capacities: Vec<u32>,
    idle_ms: Vec<u64>,
    outcomes: Vec<Outcomes>,
}

#[derive(Debug, Clone)]
struct OwnedRows {
    names: Vec<&'static str>,
    offsets: Vec<u32>,
    ids: Vec<u32>,
    levels: Vec<f32>,
}

impl Default for OwnedRows {
    fn default() -> Self {
        Self { names: Vec::new(), offsets: vec![0], ids: Vec::new(), levels: Vec::new() }
    }
}

impl OwnedRows {
    fn push(&mut self, entries: &[(&'static str, f32)]) {
        for (name, level) in entries {
            let index = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
                self.names.push(name);
                self.names.len() - 1
            });
            // A test has not four billion skills.
            self.ids.push(u32::try_from(index).unwrap_or(abi::NONE));
            self.levels.push(*level);
        }
        self.offsets.push(u32::try_from(self.ids.len()).unwrap_or(abi::NONE));
    }

    fn rows(&self) -> Rows<'_> {
        Rows { offsets: &self.offsets, ids: &self.ids, levels: &self.levels }
    }
}

impl Agents {
    /// Collects agents into columns.
    #[must_use]
    pub fn new(agents: &[Agent]) -> Self {
        let mut columns = Self::default();
        for agent in agents {
            columns.skills.push(&agent.skills);
            columns.languages.push(&agent.languages);
            columns.attitudes.extend(agent.attitude);
            columns.active_tasks.push(agent.active_tasks);
            columns.capacities.push(agent.capacity);
            columns.idle_ms.push(agent.idle_ms);
            columns.outcomes.push(agent.outcomes);
        }
        columns
    }

    /// The columns as a matcher sees them.
    #[must_use]
    pub fn candidates(&self) -> Candidates<'_> {
        Candidates {
            count: self.active_tasks.len(),
            snapshot: 0,
            skill_names: self.skills.names.clone(),
            language_tags: self.languages.names.clone(),
            skills: self.skills.rows(),
            languages: self.languages.rows(),
            attitudes: &self.attitudes,
            active_tasks: &self.active_tasks,
            capacities: &self.capacities,
            idle_ms: &self.idle_ms,
            outcomes: &self.outcomes,
            attributes: Vec::new(),
        }
    }

    /// Gives a request these needed skills (name, proficiency, whether a must), with their ids as a host would.
    #[must_use]
    pub fn resolve<'call>(
        &self,
        mut request: Request<'call>,
        needs: &[(&'call str, f32, bool)],
    ) -> Request<'call> {
        let resolve = |&(name, level, must_have): &(&'call str, f32, bool)| {
            let index = self.skills.names.iter().position(|known| *known == name);
            let skill = index.and_then(|index| u32::try_from(index).ok());
            SkillNeed { name, skill, level, must_have }
        };
        request.needs = needs.iter().map(resolve).collect();
        request
    }
}

/// Makes an instance as a host would.
///
/// # Errors
/// What the host would be told.
pub fn create<M: Matcher>(config_json: &str) -> Result<M, MatcherError> {
    config::create(config_json)
}

/// Scores as a host would, and holds the answer to what a host demands.
///
/// # Errors
/// What the matcher says, or [`MatcherError::Failed`] where a host would refuse the answer.
pub fn score<M: Matcher>(
    matcher: &mut M,
    request: &Request<'_>,
    agents: &Agents,
) -> Result<Vec<Score>, MatcherError> {
    let candidates = agents.candidates();
    let count = candidates.len();
    let (mut scores, mut confidences) = (vec![f32::NAN; count], vec![f32::NAN; count]);
    let (mut reason_codes, mut eligible) = (vec![abi::NONE; count], vec![u8::MAX; count]);
    let mut answer = Scores {
        scores: &mut scores,
        confidences: &mut confidences,
        reason_codes: &mut reason_codes,
        eligible: &mut eligible,
    };
    matcher.score(request, &candidates, &mut answer)?;
    (0..count)
        .map(|row| {
            let score = Score {
                score: scores[row],
                eligible: eligible[row] == 1,
                confidence: confidences[row],
                reason: reason_codes[row],
            };
            let valid = eligible[row] <= 1
                && (0.0..=1.0).contains(&score.score)
                && (0.0..=1.0).contains(&score.confidence)
                && M::REASONS.iter().any(|reason| reason.code == score.reason);
            let refuse = || MatcherError::Failed(format!("row {row} is not a valid answer: {score:?}"));
            valid.then_some(score).ok_or_else(refuse)
        })
        .collect()
}
