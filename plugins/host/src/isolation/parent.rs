//! The parent's side: starts children, asks them, and believes nothing.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::files::{AnswerPlaces, Files};
use super::process::{Process, Silence};
use super::wire::{self, Call, Fault, Hello, Question, Told};
use crate::answer::Answer;
use crate::backend::{Backend, Card, Source, Started};
use crate::instance::check_call;
use crate::schema::parse_config;
use crate::services::{Services, readable};
use crate::staging::{Kept, Staged};
use crate::{
    AnswerFault, Candidates, ConfigSchema, Descriptor, Explanation, Extensions, Host, HostError, HostLimits,
    Outcome, ProcessOptions, ScoreRequest, Scored,
};

/// Where children of one library and one configuration come from.
pub(crate) fn source(
    host: &Host,
    staged: Staged,
    config_json: &str,
    options: &ProcessOptions,
) -> Result<Box<dyn Source>, HostError> {
    let limits = *host.limits();
    let keeping = |source| HostError::Process { reason: "the library cannot be kept".to_owned(), source };
    let library = staged.keep().map_err(keeping)?;
    let (config, options) = (config_json.to_owned(), options.clone());
    Ok(Box::new(Children { library, config, options, limits, services: Services::new(limits) }))
}

struct Children {
    /// Kept for the children that may follow the first.
    library: Kept,
    config: String,
    options: ProcessOptions,
    limits: HostLimits,
    services: Arc<Services>,
}

impl Source for Children {
    fn start(&mut self, until: Instant) -> Result<Started, HostError> {
        let unusable =
            |source| HostError::Process { reason: "files cannot be made for it".to_owned(), source };
        let (files, paths, names) = Files::create().map_err(unusable)?;
        let staged = self.library.copy().map_err(unusable)?;
        let source = self.library.source().to_owned();
        let mut child = ChildInstance {
            process: Process::start(&self.options, &self.services)?,
            files,
            limits: self.limits,
            services: Arc::clone(&self.services),
            id: source.display().to_string(),
            source: source.clone(),
            number: 0,
            is_ready: false,
            reasons: HashMap::new(),
        };
        let hello = Hello {
            paths,
            source,
            copy: staged.copy().to_owned(),
            fingerprint: self.library.fingerprint().to_owned(),
            limits: self.limits,
            memory_bytes: self.options.memory_bytes,
        };
        let (descriptor, schema, extensions) = child.open(hello, until)?;
        // The child has all files open, and nobody else is to find them.
        drop((names, staged));
        let config = parse_config(&descriptor.id, &self.config, self.limits.max_config_bytes)?;
        let checked = schema.check(&config);
        checked.map_err(|reason| HostError::ConfigInvalid { id: descriptor.id.clone(), reason })?;
        match child.ask(Call::Create { config: config.to_string() }, until)? {
            Told::Created => child.is_ready = true,
            _ => return Err(child.nonsense("it answers another question")),
        }
        let card = Card::intern(self.library.fingerprint(), &descriptor, schema, extensions);
        Ok(Started { backend: Box::new(child), card, services: Arc::clone(&self.services) })
    }
}

/// An instance in a child.
struct ChildInstance {
    process: Process,
    files: Files,
    /// The library, for errors.
    source: PathBuf,
    limits: HostLimits,
    services: Arc<Services>,
    id: String,
    number: u64,
    /// Whether there is an instance in the child.
    is_ready: bool,
    reasons: HashMap<u32, Arc<str>>,
}

impl ChildInstance {
    fn open(
        &mut self,
        hello: Hello,
        until: Instant,
    ) -> Result<(Descriptor, ConfigSchema, Extensions), HostError> {
        let told = self.ask(Call::Open(Box::new(hello)), until)?;
        let Told::Opened { descriptor, schema, extensions } = told else {
            return Err(self.nonsense("it answers another question"));
        };
        descriptor.check_told(&self.source, &self.limits)?;
        self.id.clone_from(&descriptor.id);
        self.services.name(&descriptor.id);
        // Written out again it may be longer than the matcher's own text, but not by much.
        let limit = self.limits.max_schema_bytes.saturating_mul(2);
        let schema = if schema.len() > limit {
            Err(format!("{} bytes are more than {limit}", schema.len()))
        } else {
            ConfigSchema::parse(&schema)
        };
        let schema = schema.map_err(|reason| HostError::InvalidSchema { id: self.id.clone(), reason })?;
        Ok((descriptor, schema, extensions))
    }

    /// Asks the child and waits for its answer.
    fn ask(&mut self, call: Call, until: Instant) -> Result<Told, HostError> {
        self.number += 1;
        let left = until.saturating_duration_since(Instant::now());
        let left_us = u64::try_from(left.as_micros()).unwrap_or(u64::MAX);
        let question = Question { number: self.number, left_us, call };
        let Self { process, files, .. } = self;
        let Some(input) = process.input() else { return Err(self.silent(Silence::Late, left)) };
        let written = wire::write(input, &question, wire::MAX_INLINE, |bytes| files.write_parcel(bytes));
        if written.is_err() {
            let silence = self.process.end();
            return Err(self.silent(silence, left));
        }
        let answer = match self.process.answer(until) {
            Ok(answer) => answer,
            Err(silence) => return Err(self.silent(silence, left)),
        };
        if answer.number != self.number {
            return Err(self.nonsense("it answers what nobody asked"));
        }
        for (name, value) in answer.metrics.iter().take(self.limits.max_metrics) {
            self.services.set(name.as_bytes(), *value);
        }
        match answer.result {
            Ok(told) => Ok(told),
            // It can no longer use the memory that it shares with this process.
            Err(Fault::Other { reason }) if self.is_ready => {
                Err(self.failed("the matcher's process cannot go on", std::io::Error::other(reason)))
            }
            Err(fault) => Err(fault.into_error(&self.id, &self.source)),
        }
    }

    fn silent(&self, silence: Silence, limit: Duration) -> HostError {
        let id = self.id.clone();
        match silence {
            Silence::Late => HostError::Overrun { id, limit },
            Silence::Ended(reason) => HostError::Crashed { id, reason },
            Silence::Nonsense(reason) => HostError::Protocol { id, reason },
        }
    }

    /// Ends a child that does not keep to the protocol.
    fn nonsense(&mut self, reason: &str) -> HostError {
        self.process.kill();
        HostError::Protocol { id: self.id.clone(), reason: reason.to_owned() }
    }

    fn failed(&mut self, reason: &str, source: std::io::Error) -> HostError {
        self.process.kill();
        HostError::Process { reason: reason.to_owned(), source }
    }

    fn invalid(&self, fault: AnswerFault) -> HostError {
        HostError::InvalidAnswer { id: self.id.clone(), fault }
    }

    /// Writes the columns of a call, if the child has others.
    fn lay_out(&mut self, place: usize, candidates: &Candidates) -> Result<wire::NewColumns, HostError> {
        let layout = self.files.lay_out(place, candidates);
        layout.map_err(|source| self.failed("the columns cannot be written", source))
    }

    /// The text of a reason code, asked of the child once a code.
    fn describe(&mut self, row: usize, code: u32, until: Instant) -> Result<Arc<str>, HostError> {
        if let Some(text) = self.reasons.get(&code) {
            return Ok(Arc::clone(text));
        }
        let limit = self.limits.max_reason_codes;
        if self.reasons.len() >= limit {
            return Err(self.invalid(AnswerFault::TooManyReasons { limit }));
        }
        let text = match self.ask(Call::Describe { code }, until)? {
            Told::Described(Some(text)) if !text.is_empty() => text,
            Told::Described(_) => return Err(self.invalid(AnswerFault::UnknownReason { row, code })),
            _ => return Err(self.nonsense("it answers another question")),
        };
        let text: Arc<str> = readable(text.as_bytes(), self.limits.max_text_bytes).into();
        self.reasons.insert(code, Arc::clone(&text));
        Ok(text)
    }

    /// Reads and checks the answer that the child has left.
    fn read_answer(
        &mut self,
        places: &AnswerPlaces,
        written: u32,
        until: Instant,
    ) -> Result<Scored, HostError> {
        let columns = self.files.answers(places);
        let [scores, confidences, codes, marks] =
            columns.map_err(|source| self.failed("the answer cannot be read", source))?;
        let answer = Answer::from_columns(
            numbers(&scores, f32::from_ne_bytes),
            numbers(&confidences, f32::from_ne_bytes),
            numbers(&codes, u32::from_ne_bytes),
            marks,
        );
        let mut failure = None;
        let checked = answer.check(written, |row, code| {
            self.describe(row, code, until).map_err(|error| {
                failure = Some(error);
                AnswerFault::UnknownReason { row, code }
            })
        });
        match failure {
            Some(error) => Err(error),
            None => checked.map_err(|fault| self.invalid(fault)),
        }
    }
}

impl Backend for ChildInstance {
    fn score(
        &mut self,
        request: &ScoreRequest,
        candidates: &Candidates,
        until: Instant,
    ) -> Result<Scored, HostError> {
        if check_call(&self.limits, request, candidates.len())? == 0 {
            return Ok(Scored::default());
        }
        let columns = self.lay_out(0, candidates)?;
        let places = AnswerPlaces::new(candidates.len());
        let cleared = self.files.clear_answers(&places);
        cleared.map_err(|source| self.failed("there is no place for an answer", source))?;
        let started = Instant::now();
        let Told::Scored { written, elapsed_us } =
            self.ask(Call::Score { request: request.clone(), columns }, until)?
        else {
            return Err(self.nonsense("it answers another question"));
        };
        // The child cannot have taken longer than the parent has waited.
        let elapsed = Duration::from_micros(elapsed_us).min(started.elapsed());
        let scored = self.read_answer(&places, written, until)?;
        Ok(Scored { elapsed, ..scored })
    }

    fn explain(
        &mut self,
        request: &ScoreRequest,
        candidates: &Candidates,
        rows: &[usize],
        until: Instant,
    ) -> Result<Vec<Explanation>, HostError> {
        let count = check_call(&self.limits, request, candidates.len())?;
        if let Some(row) = rows.iter().find(|row| **row >= count as usize) {
            return Err(HostError::InvalidRequest {
                field: "row",
                reason: format!("{row} is not below {count}"),
            });
        }
        let mut explanations = Vec::with_capacity(rows.len());
        for &row in rows {
            let columns = self.lay_out(0, candidates)?;
            match self.ask(Call::Explain { request: request.clone(), columns, row }, until)? {
                Told::Explained(Some(explanation)) => {
                    explanation.check(&self.limits).map_err(|fault| self.invalid(fault))?;
                    explanations.push(explanation);
                }
                Told::Explained(None) => return Ok(Vec::new()),
                _ => return Err(self.nonsense("it answers another question")),
            }
        }
        Ok(explanations)
    }

    fn learn(
        &mut self,
        request: &ScoreRequest,
        candidate: &Candidates,
        outcome: &Outcome,
        until: Instant,
    ) -> Result<bool, HostError> {
        outcome.check()?;
        if check_call(&self.limits, request, candidate.len())? != 1 {
            let reason = format!("there are {}, an outcome belongs to one", candidate.len());
            return Err(HostError::InvalidRequest { field: "candidates", reason });
        }
        let columns = self.lay_out(1, candidate)?;
        match self.ask(Call::Learn { request: request.clone(), columns, outcome: *outcome }, until)? {
            Told::Learned(learns) => Ok(learns),
            _ => Err(self.nonsense("it answers another question")),
        }
    }

    fn save(&mut self, until: Instant) -> Result<Option<Vec<u8>>, HostError> {
        let length = match self.ask(Call::Save, until)? {
            Told::Saved(Some(length)) => length,
            Told::Saved(None) => return Ok(None),
            _ => return Err(self.nonsense("it answers another question")),
        };
        let state = self.files.read_parcel(length, self.limits.max_state_bytes);
        state.map(Some).map_err(|_| self.nonsense("it saved another state than it says"))
    }

    fn load(&mut self, bytes: &[u8], until: Instant) -> Result<bool, HostError> {
        let limit = self.limits.max_state_bytes;
        if bytes.len() > limit {
            let reason = format!("it has more than {limit} bytes");
            return Err(HostError::State { id: self.id.clone(), reason });
        }
        let written = self.files.write_parcel(bytes);
        written.map_err(|source| self.failed("the state cannot be written", source))?;
        match self.ask(Call::Restore { length: bytes.len() }, until)? {
            Told::Restored(keeps) => Ok(keeps),
            _ => Err(self.nonsense("it answers another question")),
        }
    }
}

/// Bytes as the numbers that they are.
fn numbers<T>(bytes: &[u8], read: impl Fn([u8; 4]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|bytes| read(*bytes)).collect()
}
