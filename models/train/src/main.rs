//! The program `heartline-train`: converts source weights, trains the models and evaluates them.
//!
//! One folder a model; [`checkpoint`], [`metrics`] and [`report`] are shared by all of them. Nothing here is part of the server.
#![forbid(unsafe_code)]

mod calibrate;
mod checkpoint;
mod detector;
mod device;
mod error;
mod face;
mod fusion;
mod metrics;
mod precision;
mod report;
mod text;
mod voice;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::TrainError;

/// Converts, trains and evaluates Heartline's models.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Turn source weights into Heartline's own format.
    #[command(subcommand)]
    Convert(Convert),
    /// Train a model.
    #[command(subcommand)]
    Train(Train),
    /// Write what the shipped models say of data they did not learn from: what the fusion is learned from.
    Readings(fusion::ReadingsArguments),
    /// Find out when a finished model should rather not answer.
    #[command(subcommand)]
    Calibrate(calibrate::Calibrate),
    /// Print a model's figures on a data set.
    #[command(subcommand)]
    Evaluate(Evaluate),
}

#[derive(Debug, Subcommand)]
enum Convert {
    /// The text encoder, its vocabulary pruned.
    Text(text::ConvertArguments),
    /// The voice encoder's lower blocks.
    Voice(voice::ConvertArguments),
    /// The face detector.
    Detector(detector::ConvertArguments),
}

#[derive(Debug, Subcommand)]
enum Train {
    /// The text model's upper blocks and heads.
    Text(text::TrainArguments),
    /// The voice model's head.
    Voice(voice::TrainArguments),
    /// The face network.
    Face(face::TrainArguments),
    /// The numbers of the fusion.
    Fusion(fusion::TrainArguments),
}

#[derive(Debug, Subcommand)]
enum Evaluate {
    /// The text model.
    Text(text::EvaluateArguments),
    /// The voice model.
    Voice(voice::EvaluateArguments),
    /// The face network.
    Face(face::EvaluateArguments),
    /// The face detector.
    Detector(detector::EvaluateArguments),
    /// All models on a device and in a format, beside the CPU in f32.
    Precision(precision::PrecisionArguments),
}

fn run(command: &Command) -> Result<(), TrainError> {
    match command {
        Command::Convert(Convert::Text(arguments)) => text::convert(arguments),
        Command::Convert(Convert::Voice(arguments)) => voice::convert(arguments),
        Command::Convert(Convert::Detector(arguments)) => detector::convert(arguments),
        Command::Train(Train::Text(arguments)) => text::train(arguments),
        Command::Train(Train::Voice(arguments)) => voice::train(arguments),
        Command::Train(Train::Face(arguments)) => face::train(arguments),
        Command::Readings(arguments) => fusion::readings(arguments),
        Command::Train(Train::Fusion(arguments)) => fusion::train(arguments),
        Command::Calibrate(what) => calibrate::calibrate(what),
        Command::Evaluate(Evaluate::Text(arguments)) => text::evaluate(arguments),
        Command::Evaluate(Evaluate::Voice(arguments)) => voice::evaluate(arguments),
        Command::Evaluate(Evaluate::Face(arguments)) => face::evaluate(arguments),
        Command::Evaluate(Evaluate::Detector(arguments)) => detector::evaluate(arguments),
        Command::Evaluate(Evaluate::Precision(arguments)) => precision::evaluate(arguments),
    }
}

#[expect(clippy::print_stderr, reason = "the one place where the program says why it failed")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("heartline-train: {}", error::chain(&error));
            ExitCode::FAILURE
        }
    }
}
