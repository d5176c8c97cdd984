//! Heartline's emotion models, written in burn, behind an API of plain Rust types.
//!
//! One folder a model: [`text`], [`voice`], [`detector`] (where faces are) and [`face`] (what a face shows).
//! Each has a configuration, blocks with documented shapes, a loader that opens with its table of tensor names,
//! and a front door (`TextModel`, `VoiceModel`, `FaceDetector`, `FaceModel`) that takes and gives plain values.
//! Beside them stand what they share: [`Category`], [`Device`], [`ModelFolder`], [`Weights`], [`Trust`] (when not to
//! answer) and [`ModelError`].
//!
//! Nothing here knows of calls, HTTP or matchers; decoding media is the server's work.
#![forbid(unsafe_code)]

mod category;
pub mod detector;
mod device;
mod direct;
#[cfg(feature = "cuda")]
mod driver;
mod error;
pub mod face;
mod folder;
mod kernels;
mod precision;
mod readback;
mod rgb_image;
mod shapes;
pub mod text;
mod trust;
pub mod voice;
mod weights;

pub use category::{CATEGORY_COUNT, Category};
pub use device::{Device, DeviceChoice};
pub use error::ModelError;
pub use folder::{MANIFEST_FILE, Manifest, ModelFolder, WEIGHTS_FILE};
pub use kernels::keep_kernels;
pub use precision::{Precision, PrecisionChoice};
pub use rgb_image::RgbImage;
pub use trust::{Doubt, FAMILIARITY_FILE, Familiarity, Trust, TrustLimits};
pub use weights::{Weights, WeightsWriter};
