//! Where tensors live and are computed, chosen when the program starts.

use std::str::FromStr;

use burn::tensor::{DType, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::{ModelError, Precision, PrecisionChoice};

/// The most devices that one program serves.
const DEVICES_LIMIT: usize = 64;

/// The choice of devices, as written in a configuration: `auto`, `cpu`, `cuda`, `cuda:0` or `cuda:0,2`; or `flex`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DeviceChoice {
    /// Every CUDA device where the build has CUDA and the machine has a driver, otherwise the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The CPU with the networks that a GPU runs, computed by burn; slower, for checks of them without a GPU.
    Flex,
    /// Every CUDA device there is.
    AllCuda,
    /// The CUDA devices with these indices.
    Cuda(Vec<usize>),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "flex" => Ok(Self::Flex),
            "cuda" => Ok(Self::AllCuda),
            _ => text.strip_prefix("cuda:").and_then(indices).map(Self::Cuda).ok_or_else(|| {
                format!("unknown device \"{text}\"; expected auto, cpu or cuda:N; cuda for all GPUs, cuda:N,M for several, flex for checks")
            }),
        }
    }
}

/// Indices between commas, none of them twice.
fn indices(text: &str) -> Option<Vec<usize>> {
    let found: Vec<usize> = text.split(',').map(|index| index.parse().ok()).collect::<Option<_>>()?;
    let is_twice = |at: usize| found[..at].contains(&found[at]);
    (found.len() <= DEVICES_LIMIT && !(0..found.len()).any(is_twice)).then_some(found)
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
            Self::Flex => formatter.write_str("flex"),
            Self::AllCuda => formatter.write_str("cuda"),
            Self::Cuda(indices) => {
                let indices: Vec<String> = indices.iter().map(ToString::to_string).collect();
                write!(formatter, "cuda:{}", indices.join(","))
            }
        }
    }
}

/// An opened device.
#[derive(Debug, Clone)]
pub struct Device {
    inner: burn::tensor::Device,
    name: String,
    precision: Precision,
    /// Why it is not the GPU, where one would have been taken.
    instead: Option<String>,
}

impl Device {
    /// Opens the devices of a choice, to compute in a precision; there is one at least.
    ///
    /// # Errors
    /// [`ModelError::Device`] where CUDA was asked for and the build or the machine has none, or too few, and where
    /// the CPU was asked for with anything but f32.
    pub fn open_all(choice: &DeviceChoice, precision: PrecisionChoice) -> Result<Vec<Self>, ModelError> {
        match choice {
            DeviceChoice::Cpu => match precision {
                PrecisionChoice::Auto | PrecisionChoice::Given(Precision::F32) => Ok(vec![Self::cpu()]),
                PrecisionChoice::Given(other) => Err(ModelError::Device {
                    asked: "cpu".to_owned(),
                    reason: format!("it computes in f32 only, not in {other}"),
                }),
            },
            DeviceChoice::Flex => {
                let precision =
                    if let PrecisionChoice::Given(given) = precision { given } else { Precision::F32 };
                Ok(vec![Self { name: "flex".to_owned(), precision, ..Self::cpu() }])
            }
            DeviceChoice::AllCuda => Self::cuda(None, choice, precision),
            DeviceChoice::Cuda(indices) => Self::cuda(Some(indices), choice, precision),
            DeviceChoice::Auto => Ok(Self::cuda(None, choice, precision).unwrap_or_else(|error| {
                let instead = match error {
                    ModelError::Device { reason, .. } => reason,
                    other => other.to_string(),
                };
                vec![Self { instead: Some(instead), ..Self::cpu() }]
            })),
        }
    }

    /// Opens the first device of a choice, in the precision that is usual there.
    ///
    /// # Errors
    /// As [`Self::open_all`].
    pub fn open(choice: &DeviceChoice) -> Result<Self, ModelError> {
        let devices = Self::open_all(choice, PrecisionChoice::Auto)?;
        Ok(devices.into_iter().next().unwrap_or_else(Self::cpu))
    }

    /// The CPU.
    #[must_use]
    pub fn cpu() -> Self {
        let inner = burn::tensor::Device::flex();
        Self { inner, name: "cpu".to_owned(), precision: Precision::F32, instead: None }
    }

    #[cfg(feature = "cuda")]
    fn cuda(
        indices: Option<&[usize]>,
        choice: &DeviceChoice,
        precision: PrecisionChoice,
    ) -> Result<Vec<Self>, ModelError> {
        let refused = |reason| ModelError::Device { asked: choice.to_string(), reason };
        let count = crate::driver::probe().map_err(refused)?;
        let indices = indices.map_or_else(|| (0..count.min(DEVICES_LIMIT)).collect(), <[usize]>::to_vec);
        if let Some(missing) = indices.iter().find(|index| **index >= count) {
            return Err(refused(format!("there is no GPU {missing}: the machine has {count}")));
        }
        let precision = if let PrecisionChoice::Given(given) = precision { given } else { Precision::F16 };
        let open = |index: usize| Self {
            inner: burn::tensor::Device::cuda(index),
            name: format!("cuda:{index}"),
            precision,
            instead: None,
        };
        Ok(indices.into_iter().map(open).collect())
    }

    #[cfg(not(feature = "cuda"))]
    fn cuda(_: Option<&[usize]>, choice: &DeviceChoice, _: PrecisionChoice) -> Result<Vec<Self>, ModelError> {
        let reason = "this build has no CUDA; build with --features cuda".to_owned();
        Err(ModelError::Device { asked: choice.to_string(), reason })
    }

    /// The device's name: `cpu`, `flex` or `cuda:N`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// In what the networks compute here.
    #[must_use]
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Why `auto` did not take a GPU; none where it did, or where the choice was another one.
    #[must_use]
    pub fn why_no_gpu(&self) -> Option<&str> {
        self.instead.as_deref()
    }

    /// Whether this is the CPU, where the models run without burn.
    #[must_use]
    pub fn is_cpu(&self) -> bool {
        self.name == "cpu"
    }

    /// Whether this is a GPU.
    #[must_use]
    pub fn is_gpu(&self) -> bool {
        self.name.starts_with("cuda")
    }

    /// What this program has reserved of a GPU's memory, in bytes; none elsewhere. It waits for what is being computed.
    #[must_use]
    pub fn reserved_bytes(&self) -> Option<u64> {
        self.inner.memory_pool_usage().map(|usage| usage.bytes_reserved)
    }

    /// The device as burn knows it, for the training program.
    #[must_use]
    pub fn as_burn(&self) -> &burn::tensor::Device {
        &self.inner
    }

    /// Values as a tensor in the device's precision; they are rounded before they travel.
    pub(crate) fn upload<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
        let data = TensorData::new(values, shape).convert_dtype(self.precision.dtype().into());
        Tensor::from_data(data, (&self.inner, DType::from(self.precision.dtype())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_parse_and_print() {
        for text in ["auto", "cpu", "flex", "cuda", "cuda:1", "cuda:0,2"] {
            assert_eq!(text.parse::<DeviceChoice>().unwrap().to_string(), text);
        }
        for text in ["gpu", "cuda:", "cuda:1,1", "cuda:1,", "cuda:-1", "cuda:x"] {
            assert!(text.parse::<DeviceChoice>().unwrap_err().contains("expected auto"), "{text}");
        }
        let many: Vec<String> = (0..=DEVICES_LIMIT).map(|index| index.to_string()).collect();
        assert!(format!("cuda:{}", many.join(",")).parse::<DeviceChoice>().is_err());
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn cuda_is_refused_where_the_build_has_none() {
        assert!(matches!(Device::open(&DeviceChoice::Cuda(vec![0])), Err(ModelError::Device { .. })));
        let auto = Device::open(&DeviceChoice::Auto).unwrap();
        assert_eq!((auto.name(), auto.why_no_gpu().unwrap().contains("--features cuda")), ("cpu", true));
        assert_eq!(Device::open(&DeviceChoice::Cpu).unwrap().why_no_gpu(), None);
    }

    #[test]
    fn the_cpu_computes_in_f32_only() {
        let half = PrecisionChoice::Given(Precision::F16);
        let error = Device::open_all(&DeviceChoice::Cpu, half).unwrap_err().to_string();
        assert!(error.contains("f32 only"), "{error}");
        let flex = Device::open_all(&DeviceChoice::Flex, half).unwrap();
        assert_eq!((flex[0].name(), flex[0].precision(), flex[0].is_cpu()), ("flex", Precision::F16, false));
    }

    #[test]
    fn values_are_rounded_before_they_travel() {
        let flex = Device::open_all(&DeviceChoice::Flex, PrecisionChoice::Given(Precision::F16)).unwrap();
        let tensor = flex[0].upload(vec![1.0, 2049.0], [2]);
        let values: Vec<f32> = crate::precision::full(tensor).into_data().try_into_vec().unwrap();
        assert_eq!(values, [1.0, 2048.0]);
    }
}
