//! Where the faces are: a port of YuNet-s, a small single-shot detector with five landmarks a face.
//!
//! [`FaceDetector`] is the front door. `scaling` brings pictures to the network's size, [`DetectorNetwork`] and its
//! [`Separable`] convolutions compute (on the CPU `direct` does), `decoding` turns numbers into boxes. What a face shows is the work of
//! [`crate::face`].

mod config;
mod decoding;
mod direct;
mod face_box;
mod loader;
mod model;
mod network;
mod scaling;
mod separable;

pub use config::DetectorConfig;
pub use face_box::FaceBox;
pub use loader::{HEADS, load, names};
pub use model::FaceDetector;
pub use network::{DetectorNetwork, STRIDES};
pub use separable::Separable;
