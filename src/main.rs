//! The program `heartline`: everything it does lives in the library's `cli`.
#![forbid(unsafe_code)]

use std::io::{stderr, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    let exit = heartline::cli::run(std::env::args_os(), &mut stdout(), &mut stderr());
    ExitCode::from(exit.code())
}
