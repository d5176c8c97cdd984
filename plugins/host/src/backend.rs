//! What a worker calls: an instance in this process or in another one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::services::Services;
use crate::staging::Staged;
use crate::{
    Candidates, ConfigSchema, Descriptor, Explanation, Extensions, Host, HostError, Instance, Library,
    Outcome, ScoreRequest, Scored,
};

/// What never changes of a library: equal libraries share it, and it is kept for the rest of the process, as they are.
#[derive(Debug)]
pub(crate) struct Card {
    pub(crate) fingerprint: String,
    pub(crate) descriptor: Descriptor,
    pub(crate) schema: ConfigSchema,
    pub(crate) extensions: Extensions,
}

impl Card {
    /// The card of a library with this fingerprint.
    pub(crate) fn intern(
        fingerprint: &str,
        descriptor: &Descriptor,
        schema: ConfigSchema,
        extensions: Extensions,
    ) -> &'static Self {
        static CARDS: Mutex<BTreeMap<String, &'static Card>> = Mutex::new(BTreeMap::new());
        let mut cards = CARDS.lock().unwrap_or_else(PoisonError::into_inner);
        cards.entry(fingerprint.to_owned()).or_insert_with(|| {
            let (fingerprint, descriptor) = (fingerprint.to_owned(), descriptor.clone());
            Box::leak(Box::new(Self { fingerprint, descriptor, schema, extensions }))
        })
    }
}

/// An instance, wherever it runs. `until` is when the caller stops waiting.
pub(crate) trait Backend: Send {
    fn score(
        &mut self,
        request: &ScoreRequest,
        candidates: &Candidates,
        until: Instant,
    ) -> Result<Scored, HostError>;

    /// Empty where the matcher does not explain.
    fn explain(
        &mut self,
        request: &ScoreRequest,
        candidates: &Candidates,
        rows: &[usize],
        until: Instant,
    ) -> Result<Vec<Explanation>, HostError>;

    fn learn(
        &mut self,
        request: &ScoreRequest,
        candidate: &Candidates,
        outcome: &Outcome,
        until: Instant,
    ) -> Result<bool, HostError>;

    fn save(&mut self, until: Instant) -> Result<Option<Vec<u8>>, HostError>;

    fn load(&mut self, bytes: &[u8], until: Instant) -> Result<bool, HostError>;
}

/// A backend that is ready.
pub(crate) struct Started {
    pub(crate) backend: Box<dyn Backend>,
    pub(crate) card: &'static Card,
    pub(crate) services: Arc<Services>,
}

/// Where backends come from: one at the beginning, another after each that ended.
pub(crate) trait Source: Send {
    fn start(&mut self, until: Instant) -> Result<Started, HostError>;
}

/// Makes instances in this process.
pub(crate) struct InProcess {
    host: Host,
    config: String,
    staged: Option<Staged>,
    library: Option<Library>,
}

impl InProcess {
    pub(crate) fn new(host: &Host, staged: Staged, config: &str) -> Self {
        Self { host: host.clone(), config: config.to_owned(), staged: Some(staged), library: None }
    }

    fn library(&mut self) -> Result<&Library, HostError> {
        if let Some(staged) = self.staged.take() {
            self.library = Some(Library::open(&staged, *self.host.limits())?);
        }
        // Without a library the first start has failed, and nothing is started after that.
        self.library.as_ref().ok_or_else(|| HostError::Busy { id: String::new() })
    }
}

impl Source for InProcess {
    fn start(&mut self, _until: Instant) -> Result<Started, HostError> {
        let config = self.config.clone();
        let library = self.library()?;
        let instance = library.create(&config)?;
        let (schema, extensions) = (library.config_schema()?, library.extensions()?);
        let card = Card::intern(library.fingerprint(), library.descriptor(), schema, extensions);
        let services = instance.services();
        Ok(Started { backend: Box::new(instance), card, services })
    }
}

impl Backend for Instance {
    fn score(
        &mut self,
        request: &ScoreRequest,
        candidates: &Candidates,
        until: Instant,
    ) -> Result<Scored, HostError> {
        self.set_end(until);
        Instance::score(self, request, candidates)
    }

    fn explain(
        &mut self,
        request: &ScoreRequest,
        candidates: &Candidates,
        rows: &[usize],
        until: Instant,
    ) -> Result<Vec<Explanation>, HostError> {
        self.set_end(until);
        let mut explanations = Vec::with_capacity(rows.len());
        for &row in rows {
            if Instant::now() >= until {
                return Err(HostError::OutOfTime { id: self.descriptor().id.clone() });
            }
            match Instance::explain(self, request, candidates, row)? {
                Some(explanation) => explanations.push(explanation),
                None => return Ok(Vec::new()),
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
        self.set_end(until);
        Instance::learn(self, request, candidate, outcome)
    }

    fn save(&mut self, _until: Instant) -> Result<Option<Vec<u8>>, HostError> {
        Instance::save(self)
    }

    fn load(&mut self, bytes: &[u8], _until: Instant) -> Result<bool, HostError> {
        Instance::load(self, bytes)
    }
}
