//! Converting, training and evaluating the text model.

mod calibration;
mod convert;
mod evaluate;
mod examples;
mod export;
mod figures;
mod labels;
mod loss;
mod settings;
mod source;
mod table;
mod train;
mod unfamiliar;
mod upper;

pub(crate) use convert::{ConvertArguments, convert};
pub(crate) use evaluate::{EvaluateArguments, answers, evaluate};
pub(crate) use examples::{Labelled, read_set};
pub(crate) use labels::category;
pub(crate) use table::Table;
pub(crate) use train::{TrainArguments, train};
