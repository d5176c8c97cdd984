//! What is wrong with a configuration: every fault at once, each with its key, where it was set and what to do.

use std::path::PathBuf;

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: it is the default.
    Default,
    /// In the configuration file.
    File(PathBuf),
    /// In an environment variable of this name.
    Variable(String),
    /// On the command line.
    Flag,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Variable(name) => formatter.write_str(name),
            Self::Flag => formatter.write_str("command line"),
        }
    }
}

/// One fault of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    /// The key's full path, such as `engine.queue_rows` or `plugins.matchers[1].path`; empty where the whole source
    /// is at fault.
    pub key: String,
    /// Where the value was set.
    pub origin: Origin,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub advice: String,
}

impl std::fmt::Display for ConfigFault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.key.is_empty() {
            write!(formatter, "{}: {}", self.origin, self.problem)?;
        } else {
            write!(formatter, "{} ({}): {}", self.key, self.origin, self.problem)?;
        }
        if self.advice.is_empty() { Ok(()) } else { write!(formatter, "; {}", self.advice) }
    }
}

/// Every fault of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    /// The faults; never empty.
    pub faults: Vec<ConfigFault>,
}

impl std::fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = self.faults.len();
        write!(formatter, "the configuration has {count} fault{}", if count == 1 { "" } else { "s" })?;
        self.faults.iter().try_for_each(|fault| write!(formatter, "\n  {fault}"))
    }
}

impl std::error::Error for ConfigErrors {}
