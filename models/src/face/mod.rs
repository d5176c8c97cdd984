//! Emotion from a face: a convolutional network on aligned grey crops.
//!
//! [`crop`] turns a photograph and a found face into a [`FaceCrop`]: the face turned upright, scaled to the framing
//! the network was trained on, and rated for its quality. [`FaceModel`] reads crops. Below them stand the network's
//! parts, one block a file: [`Convolution`], [`Residual`], [`FaceNetwork`]; `direct` is the
//! same network on the CPU without burn; the loader opens with its tensor names.
//!
//! Finding faces is the work of [`crate::detector`].

mod config;
mod convolution;
mod crop;
mod direct;
mod loader;
mod model;
mod network;
mod quality;
mod residual;

pub use config::{CROP_SIDE, FaceConfig, LABEL_COUNT, LABELS, VoteModel};
pub use convolution::Convolution;
pub use crop::{FaceCrop, crop};
pub use loader::{load, store};
pub use model::{FaceModel, FacePrediction};
pub use network::FaceNetwork;
pub use residual::Residual;
