//! Reports on a model: what its judged answers are worth, as figures, Markdown tables and pictures.
//!
//! An evaluation fills a [`Report`] with [`AnswerSet`]s (rows whose truth is known), [`KindSet`]s (inputs that the model
//! was not made for) and further tasks. [`figures`] holds what is measured of a set; [`calibration`] and [`risk`] are
//! its arithmetic. [`charts`] draws, on a [`canvas`]. Which rows are judged is each model's own business.

mod answer;
mod calibration;
mod canvas;
mod charts;
mod document;
mod figures;
mod kinds;
mod risk;

pub(crate) use answer::{Answer, AnswerSet, Trust};
pub(crate) use document::Report;
pub(crate) use kinds::KindSet;
