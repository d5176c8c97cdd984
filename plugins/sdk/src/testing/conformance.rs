//! The contract, held against a matcher inside its own tests. `heartline plugins check` does the same and more to the
//! finished library, from outside.

use std::fmt;

use heartline_plugin_abi::Status;

use super::bench::BenchError;
use super::{Agent, Agents, Bench, Column, population};
use crate::{Matcher, Outcome, Request, Score};

/// How far two scores of the same agent may be apart: the order of a sum has its say in the last digits.
const TOLERANCE: f32 = 1e-5;
/// How far an explanation may be from the score.
const EXPLAIN_TOLERANCE: f32 = 0.01;

/// What of the contract a matcher does not keep.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
pub struct Nonconformity(Vec<String>);

impl Nonconformity {
    /// The faults, in words.
    #[must_use]
    pub fn faults(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Nonconformity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the matcher does not keep the contract: {}", self.0.join("; "))
    }
}

// A test that unwraps shows this.
impl fmt::Debug for Nonconformity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Holds a matcher to the contract, with agents and customers of many kinds: valid answers, the same answer to the same
/// question, whatever the order of the agents and whichever columns are missing, explanations that add up, a state that
/// survives its instance.
///
/// # Errors
/// Every fault that was found, in words.
pub fn conforms<M: Matcher>(config_json: &str) -> Result<(), Nonconformity> {
    conforms_with::<M>(config_json, &[], &[])
}

/// As [`conforms`], with agents and customers of your own besides: those with the attributes that your matcher reads.
///
/// # Errors
/// Every fault that was found, in words.
pub fn conforms_with<M: Matcher>(
    config_json: &str,
    agents: &[Agent],
    requests: &[Request<'_>],
) -> Result<(), Nonconformity> {
    let mut all_agents = population::agents();
    all_agents.extend_from_slice(agents);
    let mut all_requests: Vec<Request<'_>> = population::requests();
    all_requests.extend_from_slice(requests);
    let mut check = Check::<M> {
        config_json,
        agents: all_agents,
        requests: all_requests,
        faults: Vec::new(),
        matcher: std::marker::PhantomData,
    };
    match check.run() {
        Ok(()) => {}
        Err(error) => check.faults.push(error.to_string()),
    }
    if check.faults.is_empty() { Ok(()) } else { Err(Nonconformity(check.faults)) }
}

struct Check<'call, M> {
    config_json: &'call str,
    agents: Vec<Agent>,
    requests: Vec<Request<'call>>,
    faults: Vec<String>,
    matcher: std::marker::PhantomData<fn(M)>,
}

impl<M: Matcher> Check<'_, M> {
    fn run(&mut self) -> Result<(), BenchError> {
        self.configurations();
        let mut bench = Bench::new::<M>(self.config_json)?;
        let agents = Agents::new(&self.agents);
        for index in 0..self.requests.len() {
            let request = self.requests[index].clone();
            let Some(scores) = self.score(&mut bench, index, "", &agents) else { continue };
            self.same(&mut bench, (index, " asked again"), &agents, &scores);
            let mut another = Bench::new::<M>(self.config_json)?;
            self.same(&mut another, (index, " of a new instance"), &agents, &scores);
            // The same agents at another address and with another number.
            let copy = Agents::new(&self.agents);
            self.same(&mut bench, (index, " with a copy of the columns"), &copy, &scores);
            self.permuted(&mut bench, index, &scores);
            self.missing(&mut bench, index, &agents);
            self.explained(&mut bench, (index, &request), &agents, &scores);
        }
        self.few(&mut bench);
        self.learned(&mut bench, &agents)?;
        self.metrics(&bench);
        Ok(())
    }

    /// What is no configuration is refused, and does not panic.
    fn configurations(&mut self) {
        let unknown = r#"{"a key that nobody would choose": 1}"#;
        for config in ["", "[]", "{", "null", unknown] {
            let made: Result<M, _> = super::create(config);
            match made {
                Ok(_) => self.faults.push(format!(
                    "the configuration {config:?} is accepted; give the type #[serde(deny_unknown_fields)]"
                )),
                Err(error) if error.status() == Status::BAD_CONFIG => {}
                Err(error) => self.faults.push(format!("the configuration {config:?} gives: {error}")),
            }
        }
    }

    /// A valid answer, or a fault.
    fn score(&mut self, bench: &mut Bench, index: usize, what: &str, agents: &Agents) -> Option<Vec<Score>> {
        match bench.score(&self.requests[index], agents) {
            Ok(scores) => Some(scores),
            Err(error) => {
                self.faults.push(format!("request {index}{what}: {error}"));
                None
            }
        }
    }

    /// The same question has the same answer.
    fn same(&mut self, bench: &mut Bench, (index, what): (usize, &str), agents: &Agents, scores: &[Score]) {
        if self.score(bench, index, what, agents).is_some_and(|again| !equal(scores, &again)) {
            self.faults.push(format!("request {index}{what}: another answer to the same question"));
        }
    }

    /// An agent's score does not depend on the agent's row.
    fn permuted(&mut self, bench: &mut Bench, index: usize, scores: &[Score]) {
        let mut reversed = self.agents.clone();
        reversed.reverse();
        let what = " with the agents in reverse";
        let Some(mut found) = self.score(bench, index, what, &Agents::new(&reversed)) else { return };
        found.reverse();
        if !equal(scores, &found) {
            self.faults.push(format!("request {index}{what}: an agent's answer depends on the row"));
        }
    }

    /// Every column may be missing.
    fn missing(&mut self, bench: &mut Bench, index: usize, agents: &Agents) {
        for column in Column::ALL {
            self.score(bench, index, &format!(" without {column:?}"), &agents.clone().without(column));
        }
        let bare = Column::ALL.into_iter().fold(agents.clone(), Agents::without);
        self.score(bench, index, " without any column", &bare);
    }

    /// Explanations add up to the score and change nothing.
    fn explained(
        &mut self,
        bench: &mut Bench,
        (index, request): (usize, &Request<'_>),
        agents: &Agents,
        scores: &[Score],
    ) {
        for (row, score) in scores.iter().enumerate() {
            let what = format!("request {index}, row {row}");
            let factors = match bench.explain(request, agents, row) {
                Ok(None) => return,
                Ok(Some(factors)) => factors,
                Err(error) => {
                    self.faults.push(format!("{what}: explain: {error}"));
                    return;
                }
            };
            let sum: f32 = factors.iter().map(|factor| factor.contribution).sum();
            // Where the room is full there may have been more factors than fit.
            let is_whole = factors.len() < 64;
            if score.eligible && is_whole && (sum - score.score).abs() > EXPLAIN_TOLERANCE {
                self.faults
                    .push(format!("{what}: the contributions sum to {sum}, the score is {}", score.score));
                return;
            }
        }
        if self.score(bench, index, " after explaining", agents).is_some_and(|again| !equal(scores, &again)) {
            self.faults.push(format!("request {index}: explaining changes the answer"));
        }
    }

    /// No agent and one agent are answers as well.
    fn few(&mut self, bench: &mut Bench) {
        for index in 0..self.requests.len() {
            self.score(bench, index, " with no agent", &Agents::new(&[]));
            let one = Agents::new(&self.agents[..1]);
            self.score(bench, index, " with one agent", &one);
        }
    }

    /// What was learned survives the instance, and what is no state changes nothing.
    fn learned(&mut self, bench: &mut Bench, agents: &Agents) -> Result<(), BenchError> {
        let outcomes = [
            Outcome {
                is_resolved: Some(true),
                rating: Some(1.0),
                valence_change: Some(0.4),
                ..Outcome::default()
            },
            Outcome {
                is_resolved: Some(false),
                is_transferred: true,
                valence_change: Some(-2.0),
                ..Outcome::default()
            },
            Outcome { handling_ms: Some(u64::MAX), ..Outcome::default() },
        ];
        for (turn, agent) in self.agents.clone().iter().enumerate() {
            let request = &self.requests[turn % self.requests.len()];
            let before = bench.save()?;
            let agent = Agents::new(std::slice::from_ref(agent));
            let Err(error) = bench.learn(request, &agent, &outcomes[turn % 3]) else { continue };
            if error.status() != Some(Status::FAILED) {
                self.faults.push(format!("learn: {error}"));
                break;
            }
            if bench.save()? != before {
                self.faults
                    .push(format!("learn: an outcome that was refused has changed the state: {error}"));
                break;
            }
        }
        let Some(state) = bench.save()? else { return Ok(()) };
        if bench.save()?.as_ref() != Some(&state) {
            self.faults.push("saved twice, the state has other bytes".to_owned());
        }
        let mut heir = Bench::new::<M>(self.config_json)?;
        heir.load(&state)?;
        if heir.save()?.as_ref() != Some(&state) {
            self.faults.push("loaded and saved, the state has other bytes".to_owned());
        }
        for index in 0..self.requests.len() {
            let before = self.score(bench, index, " after learning", agents);
            let after = self.score(&mut heir, index, " after loading", agents);
            if let (Some(before), Some(after)) = (before, after)
                && !equal(&before, &after)
            {
                self.faults.push(format!("request {index}: with the loaded state another answer"));
            }
        }
        for garbage in [b"no state of yours".as_slice(), &[0xff; 64], &state[..state.len() / 2]] {
            match heir.load(garbage) {
                // Few bytes may well be a state.
                Ok(_) => drop(heir.load(&state)?),
                Err(error) if error.status() == Some(Status::BAD_STATE) => {
                    if heir.save()?.as_ref() != Some(&state) {
                        self.faults.push("bytes that are no state changed the state".to_owned());
                    }
                }
                Err(error) => self.faults.push(format!("bytes that are no state give: {error}")),
            }
        }
        Ok(())
    }

    /// A host drops metrics with other names.
    fn metrics(&mut self, bench: &Bench) {
        let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
        for name in bench.metrics().keys() {
            if name.is_empty() || !name.chars().all(is_plain) {
                self.faults.push(format!("a host drops the metric {name:?}: its letters are a-z, 0-9 and _"));
            }
        }
    }
}

fn equal(one: &[Score], other: &[Score]) -> bool {
    let near = |left: f32, right: f32| (left - right).abs() <= TOLERANCE;
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| {
            near(one.score, other.score)
                && near(one.confidence, other.confidence)
                && (one.eligible, one.reason) == (other.eligible, other.reason)
        })
}
