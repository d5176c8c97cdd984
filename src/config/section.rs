//! How another room's settings become a section of the configuration.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::emotion::FusionConfig;
use crate::live::LiveConfig;
use crate::live::webhooks::WebhooksConfig;
use crate::media::MediaLimits;
use crate::routing::{RecordsConfig, RoutingLimits};

/// A section of the configuration that another room owns.
///
/// The default lists every key: a key that the serialised default does not show is unknown. Use
/// `#[serde(default, deny_unknown_fields)]`, so that a file may set any part of it.
pub trait Section: Default + Serialize + DeserializeOwned {
    /// What is wrong with the values: pairs of a key below the section and a problem in words that name the value
    /// and its bounds.
    fn validate(&self) -> Vec<(String, String)>;
}

impl Section for MediaLimits {
    fn validate(&self) -> Vec<(String, String)> {
        let faults = self.faults().into_iter();
        let split = faults.map(|fault| match fault.split_once(' ') {
            Some((key, problem)) => (key.to_owned(), problem.to_owned()),
            None => (String::new(), fault),
        });
        split.collect()
    }
}

impl Section for FusionConfig {
    fn validate(&self) -> Vec<(String, String)> {
        let Err(error) = Self::validate(self) else { return Vec::new() };
        error.faults().iter().map(|fault| (fault.field.clone(), fault.reason.clone())).collect()
    }
}

impl Section for LiveConfig {
    fn validate(&self) -> Vec<(String, String)> {
        Self::validate(self)
    }
}

impl Section for WebhooksConfig {
    fn validate(&self) -> Vec<(String, String)> {
        Self::validate(self)
    }
}

impl Section for RoutingLimits {
    fn validate(&self) -> Vec<(String, String)> {
        Self::validate(self)
    }
}

impl Section for RecordsConfig {
    fn validate(&self) -> Vec<(String, String)> {
        Self::validate(self)
    }
}
