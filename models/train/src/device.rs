//! The device of an evaluation.

use clap::Args;
use heartline_models::{Device, DeviceChoice, PrecisionChoice};

use crate::error::TrainError;

/// Where and in what a model is evaluated.
#[derive(Debug, Args)]
pub(crate) struct DeviceArguments {
    /// The device to compute on: `auto`, `cpu` or `cuda:N`; `flex` runs a GPU's network on the CPU.
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    /// The floating-point format: `auto`, or `f32`, `f16` or `bf16` on a GPU and on `flex`.
    #[arg(long, default_value = "auto")]
    precision: PrecisionChoice,
}

impl DeviceArguments {
    /// Opens it; of several devices the first.
    pub(crate) fn open(&self) -> Result<Device, TrainError> {
        let devices = Device::open_all(&self.device, self.precision)?;
        Ok(devices.into_iter().next().unwrap_or_else(Device::cpu))
    }
}
