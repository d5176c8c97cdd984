//! The networks on the CPU, computed directly over plain slices.
//!
//! burn describes the networks, trains them and runs them on GPUs. On the CPU its operations each write their result
//! to memory, turn layouts around for every convolution and keep weights as they came; here weights are arranged once
//! when a model is loaded, values stay in one layout ([`Sheet`]) and what follows a product is done while its result
//! is in the cache. Each model has a file `direct.rs` that is its network in these terms, and a test that it gives
//! what its burn network gives.
//!
//! From below: [`lanes`] (eight numbers at once), [`tile`] (the one inner loop of all products), [`Packed`] (weights
//! and bias of a product), [`depthwise`], [`curves`] (exponentials and what is made of them), [`norm`] and
//! [`attention`]. [`Scratch`] is memory that is used again; `crew` says which thread works on what.

pub(crate) mod attention;
mod crew;
pub(crate) mod curves;
pub(crate) mod depthwise;
mod lanes;
pub(crate) mod norm;
mod packed;
mod scratch;
mod sheet;
mod tile;

pub(crate) use crew::{crew, each_row, share};
pub(crate) use curves::Finish;
pub(crate) use lanes::{Eight, LANES};
pub(crate) use packed::Packed;
pub(crate) use scratch::Scratch;
pub(crate) use sheet::Sheet;
pub(crate) use tile::Reading;
