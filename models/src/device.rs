//! Where tensors live and are computed, chosen when the program starts.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ModelError;

/// The choice of a device, as written in a configuration: `auto`, `cpu` or `cuda:N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DeviceChoice {
    /// The first CUDA device where the build has CUDA and the machine has a driver, otherwise the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The CUDA device with this index.
    Cuda(usize),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|index| index.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| format!("unknown device \"{text}\"; expected auto, cpu or cuda:N")),
        }
    }
}

impl TryFrom<String> for DeviceChoice {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<DeviceChoice> for String {
    fn from(choice: DeviceChoice) -> Self {
        choice.to_string()
    }
}

impl std::fmt::Display for DeviceChoice {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Cpu => formatter.write_str("cpu"),
            Self::Cuda(index) => write!(formatter, "cuda:{index}"),
        }
    }
}

/// An opened device.
#[derive(Debug, Clone)]
pub struct Device {
    inner: burn::tensor::Device,
    name: String,
    /// Why it is not the GPU, where one would have been taken.
    instead: Option<String>,
}

impl Device {
    /// Opens the device of a choice.
    ///
    /// # Errors
    /// [`ModelError::Device`] where CUDA was asked for and the build or the machine has none.
    pub fn open(choice: DeviceChoice) -> Result<Self, ModelError> {
        match choice {
            DeviceChoice::Cpu => Ok(Self::cpu()),
            DeviceChoice::Cuda(index) => Self::cuda(index),
            DeviceChoice::Auto => Ok(Self::cuda(0).unwrap_or_else(|error| {
                let instead = match error {
                    ModelError::Device { reason, .. } => reason,
                    other => other.to_string(),
                };
                Self { instead: Some(instead), ..Self::cpu() }
            })),
        }
    }

    /// The CPU.
    #[must_use]
    pub fn cpu() -> Self {
        Self { inner: burn::tensor::Device::flex(), name: "cpu".to_owned(), instead: None }
    }

    #[cfg(feature = "cuda")]
    fn cuda(index: usize) -> Result<Self, ModelError> {
        crate::driver::probe(index)
            .map_err(|reason| ModelError::Device { asked: format!("cuda:{index}"), reason })?;
        Ok(Self { inner: burn::tensor::Device::cuda(index), name: format!("cuda:{index}"), instead: None })
    }

    #[cfg(not(feature = "cuda"))]
    fn cuda(index: usize) -> Result<Self, ModelError> {
        Err(ModelError::Device {
            asked: format!("cuda:{index}"),
            reason: "this build has no CUDA; build with --features cuda".to_owned(),
        })
    }

    /// The device's name, as in a configuration: `cpu` or `cuda:N`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why `auto` did not take a GPU; none where it did, or where the choice was another one.
    #[must_use]
    pub fn why_no_gpu(&self) -> Option<&str> {
        self.instead.as_deref()
    }

    /// Whether this is the CPU.
    #[must_use]
    pub fn is_cpu(&self) -> bool {
        self.name == "cpu"
    }

    /// The device as burn knows it, for the training program.
    #[must_use]
    pub fn as_burn(&self) -> &burn::tensor::Device {
        &self.inner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_parse_and_print() {
        for text in ["auto", "cpu", "cuda:1"] {
            assert_eq!(text.parse::<DeviceChoice>().unwrap().to_string(), text);
        }
        assert_eq!("cuda".parse(), Ok(DeviceChoice::Cuda(0)));
        assert!("gpu".parse::<DeviceChoice>().unwrap_err().contains("expected auto"));
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn cuda_is_refused_where_the_build_has_none() {
        assert!(matches!(Device::open(DeviceChoice::Cuda(0)), Err(ModelError::Device { .. })));
        let auto = Device::open(DeviceChoice::Auto).unwrap();
        assert_eq!((auto.name(), auto.why_no_gpu().unwrap().contains("--features cuda")), ("cpu", true));
        assert_eq!(Device::open(DeviceChoice::Cpu).unwrap().why_no_gpu(), None);
    }
}
