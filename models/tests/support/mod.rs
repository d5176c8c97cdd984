//! The device that the tests run on. It is the CPU unless `HEARTLINE_TEST_DEVICE` says otherwise (`flex`, `cuda:0`),
//! in the precision that `HEARTLINE_TEST_PRECISION` names (`f32`, `f16`, `bf16`).
#![allow(dead_code, reason = "not every test uses all of it")]

use std::sync::LazyLock;

use heartline_models::{Device, Precision};

/// The device of the tests.
pub(crate) fn device() -> &'static Device {
    static DEVICE: LazyLock<Device> = LazyLock::new(|| {
        let setting = |name: &str| std::env::var(name).ok();
        let device = setting("HEARTLINE_TEST_DEVICE").unwrap_or_else(|| "cpu".to_owned());
        let precision = setting("HEARTLINE_TEST_PRECISION").unwrap_or_else(|| "auto".to_owned());
        open(&device, &precision)
    });
    &DEVICE
}

/// Opens a device by the words of a configuration.
pub(crate) fn open(device: &str, precision: &str) -> Device {
    let choice = device.parse().unwrap();
    let devices = Device::open_all(&choice, precision.parse().unwrap()).unwrap();
    devices.into_iter().next().unwrap()
}

/// How far values near 1 may be from those of another computation: what the test allows on a processor, and on the
/// device what its precision and its order of sums allow. GPUs round the factors of f32 products to 11 bits.
pub(crate) fn within(on_a_processor: f32) -> f32 {
    within_on(device(), on_a_processor)
}

/// As [`within`], on some device.
pub(crate) fn within_on(device: &Device, on_a_processor: f32) -> f32 {
    let rounding = match device.precision() {
        Precision::F32 if device.is_gpu() => 5e-3,
        Precision::F32 => 0.0,
        Precision::F16 => 1e-2,
        Precision::Bf16 => 5e-2,
    };
    on_a_processor.max(rounding)
}
