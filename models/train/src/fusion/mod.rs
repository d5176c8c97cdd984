//! Learning the fusion: readings of the shipped models, pairs of them by label, and the numbers that make them
//! agree.
//!
//! [`mod@readings`] runs the models over data they did not learn from and writes a [`table`] of probabilities and
//! labels; [`text`], [`voice`] and [`face`] each know how their modality is read and spoilt. [`pairs`] puts readings
//! of the same category together, [`pool`] is the server's formula with free numbers, [`search`] finds those numbers
//! and [`mod@train`] writes them down.

mod face;
mod pairs;
mod pool;
mod readings;
mod search;
mod table;
mod text;
mod train;
mod voice;

pub(crate) use readings::{ReadingsArguments, readings};
pub(crate) use train::{TrainArguments, train};
