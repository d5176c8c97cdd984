//! The messages, the server and a client, as made of `proto/inference.proto`.
#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::needless_pass_by_value,
    clippy::semicolon_if_nothing_returned,
    clippy::too_many_lines,
    clippy::wildcard_imports,
    reason = "the code is made by a program"
)]

tonic::include_proto!("inference");
