//! The program `heartline`.
#![forbid(unsafe_code)]

fn main() {}
