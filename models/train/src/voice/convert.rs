//! `convert voice`: from CTranslate2's Whisper-base to a folder with the encoder's lower blocks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use heartline_models::voice::{EncoderConfig, FrontEnd};
use heartline_models::{Device, Manifest, TrustLimits, WEIGHTS_FILE, Weights, WeightsWriter};

use super::ctranslate2::Source;
use crate::error::TrainError;

/// The largest difference of a spectrogram value.
const MEL_TOLERANCE: f32 = 1e-4;

/// Arguments of `convert voice`.
#[derive(Debug, Args)]
pub(crate) struct ConvertArguments {
    /// The first half of the source's `model.bin`.
    #[arg(long)]
    part1: PathBuf,
    /// The second half.
    #[arg(long)]
    part2: PathBuf,
    /// How the matrices of attention and feed-forward layers are stored.
    #[arg(long, value_enum, default_value_t = Precision::Int8)]
    precision: Precision,
    /// A file with the source network's numbers for one clip: `pcm`, `mel`, `h0` to `h3`.
    #[arg(long)]
    golden: Option<PathBuf>,
    /// The folder to write.
    #[arg(long)]
    output: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Precision {
    /// 8-bit integers with one scale a row.
    Int8,
    /// Half precision, as in the source.
    F16,
}

impl Precision {
    /// Whether a hidden state agrees with the source network's. Half precision is the source's own, so its largest
    /// difference counts. 8 bits move the few channels that are far larger than the rest, so there the mean counts.
    fn accepts(self, difference: Difference) -> bool {
        match self {
            Self::F16 => difference.largest <= 2e-3,
            Self::Int8 => difference.relative <= 0.05,
        }
    }
}

/// How far numbers are from those of the source network.
#[derive(Debug, Clone, Copy)]
struct Difference {
    /// The largest difference.
    largest: f32,
    /// The root mean square of the differences, as a share of the source's root mean square.
    relative: f32,
}

impl Difference {
    fn between(found: &[f32], expected: &[f32]) -> Self {
        let mut largest = if found.len() == expected.len() { 0.0_f32 } else { f32::INFINITY };
        let (mut error, mut power) = (0.0_f32, 0.0_f32);
        for (found, expected) in found.iter().zip(expected) {
            let difference = (found - expected).abs();
            // A value that is no number must not be passed over.
            largest = largest.max(if difference.is_nan() { f32::INFINITY } else { difference });
            error += difference * difference;
            power += expected * expected;
        }
        Self { largest, relative: (error / power).sqrt() }
    }
}

/// Runs the command.
pub(crate) fn convert(arguments: &ConvertArguments) -> Result<(), TrainError> {
    let source = Source::open(&[&arguments.part1, &arguments.part2])?;
    let config = EncoderConfig::default();
    let mut writer = WeightsWriter::default();
    let mut conversion =
        Conversion { source: &source, writer: &mut writer, int8: arguments.precision == Precision::Int8 };
    conversion.stem(&config)?;
    for block in 0..config.blocks {
        conversion.block(block, &config)?;
    }
    std::fs::create_dir_all(&arguments.output).map_err(TrainError::file(&arguments.output))?;
    writer.write(&arguments.output.join(WEIGHTS_FILE))?;
    let mut manifest = Manifest {
        format: 1,
        name: "voice-encoder".to_owned(),
        version: 1,
        licence: "MIT".to_owned(),
        source: "OpenAI Whisper base, multilingual: convolutions and encoder blocks 1 to 3".to_owned(),
        config,
        trust: TrustLimits::default(),
        files: BTreeMap::new(),
    };
    manifest.write(&arguments.output, &[WEIGHTS_FILE])?;
    match &arguments.golden {
        Some(golden) => check(&arguments.output, golden, arguments.precision),
        None => Ok(()),
    }
}

struct Conversion<'a> {
    source: &'a Source,
    writer: &'a mut WeightsWriter,
    int8: bool,
}

impl Conversion<'_> {
    fn stem(&mut self, config: &EncoderConfig) -> Result<(), TrainError> {
        for (from, to, channels) in [("conv1", "first", config.mel_bands), ("conv2", "second", config.width)]
        {
            let shape = [config.width, channels, 3];
            let weight = self.source.values(&format!("encoder/{from}/weight"), &shape)?;
            // Rounding the convolutions to 8 bits is not harmless, so they stay as they are.
            self.writer.put_f16(&format!("encoder.stem.{to}.weight"), &shape, &weight);
            self.vector(&format!("encoder/{from}/bias"), &format!("encoder.stem.{to}.bias"), config.width)?;
        }
        Ok(())
    }

    fn block(&mut self, index: usize, config: &EncoderConfig) -> Result<(), TrainError> {
        let (from, to) = (format!("encoder/layer_{index}"), format!("encoder.block.{index}"));
        for (from_part, to_part) in [("self_attention", "attention"), ("ffn", "feed_forward")] {
            for value in ["gamma", "beta"] {
                self.vector(
                    &format!("{from}/{from_part}/layer_norm/{value}"),
                    &format!("{to}.{to_part}.norm.{value}"),
                    config.width,
                )?;
            }
        }
        let (width, wide) = (config.width, config.feed_forward_width);
        for (from_part, to_part, shape) in [
            ("self_attention/linear_0", "attention.query_key_value", [3 * width, width]),
            ("self_attention/linear_1", "attention.output", [width, width]),
            ("ffn/linear_0", "feed_forward.expand", [wide, width]),
            ("ffn/linear_1", "feed_forward.contract", [width, wide]),
        ] {
            let weight = self.source.values(&format!("{from}/{from_part}/weight"), &shape)?;
            let name = format!("{to}.{to_part}.weight");
            if self.int8 {
                self.writer.put_int8(&name, &shape, &weight);
            } else {
                self.writer.put_f16(&name, &shape, &weight);
            }
            self.vector(&format!("{from}/{from_part}/bias"), &format!("{to}.{to_part}.bias"), shape[0])?;
        }
        Ok(())
    }

    fn vector(&mut self, from: &str, to: &str, length: usize) -> Result<(), TrainError> {
        let values = self.source.values(from, &[length])?;
        self.writer.put_f32(to, &[length], &values);
        Ok(())
    }
}

/// Compares a converted encoder with the source network's numbers.
#[expect(clippy::print_stdout, reason = "the differences are the command's answer")]
fn check(folder: &Path, golden: &Path, precision: Precision) -> Result<(), TrainError> {
    let bytes = std::fs::read(golden).map_err(TrainError::file(golden))?;
    let golden = Weights::parse(&bytes)?;
    let front_end = FrontEnd::open(folder, &Device::cpu())?;
    let mel = front_end.spectrogram(&golden.values("pcm", &[48_000])?)?;
    let mut stages = vec![("mel".to_owned(), mel.clone(), golden.values("mel", &[80, 300])?)];
    for (index, stage) in front_end.encoder().stages(mel).into_iter().enumerate() {
        let name = format!("h{index}");
        let expected = golden.values(&name, &[150, 512])?;
        stages.push((name, stage, expected));
    }
    let mut wrong = Vec::new();
    for (name, found, expected) in stages {
        let found: Vec<f32> =
            found.into_data().try_to_vec().map_err(|error| TrainError::Disagreement(format!("{error:?}")))?;
        let difference = Difference::between(&found, &expected);
        let Difference { largest, relative } = difference;
        println!("{name}: largest difference {largest:.6}, root mean square {:.3} %", 100.0 * relative);
        let accepted = if name == "mel" { largest <= MEL_TOLERANCE } else { precision.accepts(difference) };
        if !accepted {
            wrong.push(name);
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(TrainError::Disagreement(wrong.join(", "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_count_missing_and_invalid_values() {
        let same = Difference::between(&[1.0, 2.0], &[1.0, 2.0]);
        assert!(same.largest <= 0.0 && Precision::F16.accepts(same) && Precision::Int8.accepts(same));
        assert!(!Precision::F16.accepts(Difference::between(&[1.0, f32::NAN], &[1.0, 2.0])));
        assert!(!Precision::Int8.accepts(Difference::between(&[1.0, f32::NAN], &[1.0, 2.0])));
        assert!(!Precision::F16.accepts(Difference::between(&[1.0], &[1.0, 2.0])));
        assert!(!Precision::Int8.accepts(Difference::between(&[1.0, 2.2], &[1.0, 2.0])));
    }
}
