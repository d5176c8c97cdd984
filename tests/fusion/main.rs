//! Is the fusion better than its best single modality, does it survive a bad one, and how does it follow a call?
//!
//! The readings are real: what the shipped models say of held-out words, voices and faces (`readings.csv`, written by
//! `heartline-train readings`). What is made up is which of them belong together, see [`pairs`], and how a customer's
//! state moves, see [`arcs`]. Every bound stands in [`floors`]; `-- --nocapture` prints the figures.
#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod arcs;
mod course;
mod figures;
mod floors;
mod pairs;
mod picture;
mod random;
mod subsets;
mod table;
mod trouble;
