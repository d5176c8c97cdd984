//! Holds a matcher's library to the contract, out of process: every case runs in a child of its own with a time limit
//! and a memory limit, so that a matcher which crashes, hangs or eats memory costs that case and nothing else.
//!
//! [`Checker::run`] is the parent's side: it starts a program with given arguments for each case, reads what it says,
//! and makes a [`CheckReport`]. [`run_case`] is what that program calls: the child's side. The cases themselves call the
//! matcher through the ABI rather than through [`crate::Instance`], because they pass what that never would: columns
//! that are missing, structures that have grown, configurations that no schema allows.

mod case;
mod cases;
mod child;
mod grown;
mod limits;
mod process;
mod random;
mod report;
mod room;
mod runner;
mod subject;
mod world;

pub use case::{CASES, Case, OUTPUT_CASE, Outcome, Verdict, find_case};
pub use child::run_case;
pub use report::{CaseReport, CheckCounts, CheckReport, CheckedMatcher};
pub use runner::{CaseProgram, CheckOptions, Checker};
