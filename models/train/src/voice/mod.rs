//! Converting, training and evaluating the voice model.
//!
//! [`ctranslate2`] reads the source weights and [`mod@convert`] keeps what the model needs of them. [`clips`] reads a data
//! set, [`signal`] and [`augment`] make a studio sound like a call, [`features`] runs the frozen encoder once and
//! keeps its frames on disk, [`sampler`] draws balanced batches, [`callers`]
//! makes up what was heard before, [`fit`] trains the heads, [`calibrate`] finds the
//! temperature and [`mod@evaluate`] prints the figures of a finished model folder.

mod augment;
mod calibrate;
mod callers;
mod clips;
mod convert;
mod ctranslate2;
mod evaluate;
mod features;
mod fit;
mod moments;
mod package;
mod recipe;
mod sampler;
mod signal;
mod unfamiliar;

pub(crate) use augment::Condition;
pub(crate) use clips::{Clip, decode, read_split, windows};
pub(crate) use convert::{ConvertArguments, convert};
pub(crate) use evaluate::{EvaluateArguments, average, evaluate, hear, largest};
pub(crate) use fit::{TrainArguments, train};
pub(crate) use signal::{Noise, add_noise, telephone};
