//! The loaded matchers by the names that policies call them by.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use heartline_plugin_host::{
    Host, HostError, HostLimits, Isolation, Matcher, MatcherOptions, ProcessOptions,
};
use serde_json::{Map, Value};

use super::super::StartError;
use super::find::{folders, locate};
use super::states::States;
use super::{MatcherDetail, MatcherInfo};
use crate::cli::MATCHER_PROCESS;
use crate::config::{Config, IsolationChoice, MatcherConfig};
use crate::routing::{PluginScorer, Policy, PolicyBook, Router, Scorer};
use crate::telemetry::record;

/// The matchers of this server. Clones are handles to the same ones.
#[derive(Clone)]
pub(crate) struct Matchers {
    entries: Arc<BTreeMap<String, Entry>>,
    states: States,
}

/// How a matcher is loaded anew.
#[derive(Debug, Default)]
pub struct Reload {
    /// Its settings; none: those that it has.
    pub config: Option<Map<String, Value>>,
    /// Whether it begins with nothing learned.
    pub forget: bool,
}

/// One matcher, and how it was asked for.
struct Entry {
    config: MatcherConfig,
    path: PathBuf,
    matcher: Arc<Matcher>,
}

impl Matchers {
    /// Loads every matcher that the configuration names, with what it had learned.
    ///
    /// # Errors
    /// [`StartError::MatcherMissing`], [`StartError::Matcher`] or [`StartError::MatcherTwice`].
    pub(crate) fn load(config: &Config) -> Result<Self, StartError> {
        let host = host(config);
        let folders = folders(config);
        let mut entries = BTreeMap::new();
        for entry in &config.plugins.matchers {
            let path = locate(entry, &folders)?;
            let matcher = load(&host, &path, entry, config)
                .map_err(|source| StartError::Matcher { path: path.clone(), source: Box::new(source) })?;
            let id = entry.id.clone().unwrap_or_else(|| matcher.descriptor().id.clone());
            let loaded = Entry { config: entry.clone(), path, matcher: Arc::new(matcher) };
            if entries.insert(id.clone(), loaded).is_some() {
                return Err(StartError::MatcherTwice(id));
            }
        }
        let states = States::start(
            &config.plugins,
            entries.iter().map(|(id, entry)| (id.clone(), Arc::clone(&entry.matcher))).collect(),
        )?;
        Ok(Self { entries: Arc::new(entries), states })
    }

    /// The matchers as a router asks them.
    pub(crate) fn pool(&self) -> BTreeMap<String, Arc<dyn Scorer>> {
        let scorer =
            |entry: &Entry| -> Arc<dyn Scorer> { Arc::new(PluginScorer::new(Arc::clone(&entry.matcher))) };
        self.entries.iter().map(|(id, entry)| (id.clone(), scorer(entry))).collect()
    }

    /// The library of a matcher, and how the configuration asks for it; none where there is none of that name.
    pub(super) fn library(&self, id: &str) -> Option<(&Path, &MatcherConfig)> {
        self.entries.get(id).map(|entry| (entry.path.as_path(), &entry.config))
    }

    /// What is told of each, by name.
    pub(crate) fn infos(&self, policy: &Policy) -> Vec<MatcherInfo> {
        let info = |entry: &Entry| MatcherInfo::new(&entry.matcher.current(), &entry.config, Some(policy));
        self.entries.values().map(info).collect()
    }

    /// Everything that is told of one; none where there is none of that name.
    pub(crate) fn detail(&self, id: &str, policy: &Policy) -> Option<MatcherDetail> {
        let entry = self.entries.get(id)?;
        let current = entry.matcher.current();
        Some(MatcherDetail {
            matcher: MatcherInfo::new(&current, &entry.config, Some(policy)),
            generation: current.number(),
            deadline_ms: entry.config.deadline_ms,
            config: current.config().clone(),
            config_schema: current.schema().json().clone(),
            health: entry.matcher.health(),
            metrics: entry.matcher.metrics().into_iter().collect(),
        })
    }

    /// Loads the library of a matcher anew, from the path that the configuration names, while rankings go on. Gives the
    /// new generation, or none where there is no such matcher.
    ///
    /// # Errors
    /// What the host says; the present generation then stays.
    pub(crate) fn reload(&self, id: &str, reload: Reload) -> Option<Result<u64, HostError>> {
        let entry = self.entries.get(id)?;
        let wanted = reload.config.map_or_else(|| entry.matcher.current().config().clone(), Value::Object);
        let replaced = if reload.forget {
            self.states.set_aside(id);
            entry.matcher.replace_afresh(&entry.path, &wanted.to_string())
        } else {
            entry.matcher.replace(&entry.path, &wanted.to_string())
        };
        if let Ok(generation) = &replaced {
            tracing::info!(matcher = id, generation, "a matcher was loaded anew");
        }
        Some(replaced)
    }

    /// Ends a matcher's quarantine; says whether there is such a matcher.
    pub(crate) fn reset(&self, id: &str) -> bool {
        let entry = self.entries.get(id);
        entry.inspect(|entry| entry.matcher.reset()).is_some()
    }

    /// Writes the matchers' health and their own metrics into the metrics of the process.
    pub(crate) fn publish(&self) {
        for (id, entry) in self.entries.iter() {
            record::matcher_health(id, &entry.matcher.health());
            for (name, value) in entry.matcher.metrics() {
                record::matcher_metric(id, name, value);
            }
        }
    }

    /// Writes what the matchers have learned, for the last time. This blocks.
    pub(crate) fn stop(&self) {
        self.states.stop();
    }
}

/// Loads the matchers and joins them with the policies: what a command needs that ranks once.
///
/// # Errors
/// As [`Matchers::load`], or [`StartError::Routing`].
pub(crate) fn load_router(config: &Config) -> Result<(Router, Matchers), StartError> {
    let matchers = Matchers::load(config)?;
    let book = PolicyBook::new(&config.routing.policy, config.routing.policies.clone());
    let router = book.and_then(|book| Router::new(matchers.pool(), book)).map_err(StartError::Routing)?;
    Ok((router, matchers))
}

/// A host that takes whatever the configuration lets a request have.
pub(super) fn host(config: &Config) -> Host {
    let limits = &config.routing.limits;
    let plugins = &config.plugins;
    let host = Host::new(HostLimits {
        max_candidates: limits.max_agents,
        max_needed_skills: limits.max_skills,
        max_generations: plugins.max_generations,
        ..HostLimits::default()
    });
    let host = match &plugins.staging_folder {
        Some(folder) => host.with_staging(folder),
        None => host,
    };
    if plugins.allowed_sha256.is_empty() {
        return host;
    }
    host.with_allowed(plugins.allowed_sha256.iter().cloned())
}

/// The running program. On Linux this is the one in memory, also where its file has been replaced since.
fn own_program() -> PathBuf {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() {
        return running;
    }
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("heartline"))
}

/// Loads one library as the configuration says.
pub(super) fn load(
    host: &Host,
    path: &Path,
    entry: &MatcherConfig,
    config: &Config,
) -> Result<Matcher, HostError> {
    let plugins = &config.plugins;
    let settings = Value::Object(entry.config.clone()).to_string();
    let isolation = match entry.isolation {
        IsolationChoice::None => Isolation::None,
        IsolationChoice::Process => Isolation::Process(ProcessOptions {
            program: plugins.process.program.clone().unwrap_or_else(own_program),
            arguments: vec![MATCHER_PROCESS.into()],
            memory_bytes: plugins.process.memory_bytes,
        }),
    };
    let options = MatcherOptions {
        deadline: entry.deadline(),
        slow_deadline: Duration::from_millis(plugins.slow_deadline_ms),
        breaker: plugins.breaker,
        isolation,
    };
    host.load_with(path, &settings, &options)
}
