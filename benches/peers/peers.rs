//! Heartline's side of the comparisons that `compare.py` and `gpu/compare.py` make: runs a model as often as it is told
//! to and says how long each run took.
//!
//! One request a line on standard input, one answer a line on standard output:
//! - `dump FOLDER` writes the networks' inputs and answers as raw little-endian numbers; answers `done`.
//! - `warm MODEL ROWS` lets a GPU compute every shape that so many rows can have, as the server does before it serves;
//!   answers `{"warm": ms}`.
//! - `time MODEL ROWS COUNT` runs and answers `{"total": [ms, ...], "prepare": [ms, ...]}`, where preparing is what
//!   comes before the network (tokenizing, the spectrogram) and is part of the total.
//!
//! A model that fails is answered with `{"error": text}`. Settings come from the environment: `HEARTLINE_DEVICE` (`cpu`
//! where it is not set), `HEARTLINE_PRECISION` (`auto`), `HEARTLINE_WEIGHTS` (the folder of the models, by default that
//! of the source this was built from) and `HEARTLINE_KERNELS` (where a GPU's kernels stay between two runs).
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot set up ends")]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::panic, reason = "this is how it answers")]

use std::hint::black_box;
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Instant;

use heartline_models::detector::FaceDetector;
use heartline_models::face::{CROP_SIDE, FaceCrop, FaceModel};
use heartline_models::text::TextModel;
use heartline_models::voice::{Level, LogMel, SAMPLE_RATE_HZ, VoiceModel};
use heartline_models::{Device, ModelError, keep_kernels};
use rayon::prelude::*;
use serde_json::json;

/// Inputs that differ; larger batches repeat them.
const INPUTS: usize = 32;
/// The most rows that may be asked for.
const MOST_ROWS: usize = 512;
const TOKENS: usize = 32;
const CLIP_SAMPLES: usize = 4 * SAMPLE_RATE_HZ as usize;
const MEL_BANDS: usize = 80;
const SIDE: usize = 640;
const WORDS: &str = "please tell me when my refund will come because I have been waiting for three weeks and nobody \
    has called back although your colleague said that it would be done by monday so what is wrong this time";

struct Models {
    device: Device,
    mel: LogMel,
    text: TextModel,
    voice: VoiceModel,
    detector: FaceDetector,
    face: FaceModel,
    texts: Vec<String>,
    clips: Vec<Vec<f32>>,
    pictures: Vec<f32>,
    crops: Vec<FaceCrop>,
}

/// A text of exactly [`TOKENS`] tokens, different for every row.
fn text(model: &TextModel, row: usize) -> String {
    let count = |text: &str| model.tokenizer().encode(text).unwrap().pieces.len();
    let mut text = String::new();
    for word in WORDS.split_whitespace().cycle().skip(row * 3).take(200) {
        let longer = format!("{text} {word}");
        match count(&longer) {
            TOKENS => return longer,
            fewer if fewer < TOKENS => text = longer,
            _ => {}
        }
    }
    panic!("no text of {TOKENS} tokens");
}

fn clip(row: usize) -> Vec<f32> {
    let pitch = 0.02 + row as f32 * 0.001;
    let sample = |at: usize| {
        let swell = 0.6 + 0.4 * (at as f32 * 0.000_7).sin();
        let chord = [1.0, 2.0, 3.1].map(|factor| (at as f32 * pitch * factor).sin()).iter().sum::<f32>();
        swell * 0.1 * chord + 0.002 * ((at * 7919 % 1009) as f32 / 504.0 - 1.0)
    };
    (0..CLIP_SAMPLES).map(sample).collect()
}

/// Soft blobs under fine grain, 0 to 255.
fn picture(row: usize) -> impl Iterator<Item = f32> {
    (0..3 * SIDE * SIDE).map(move |at| {
        let (colour, y, x) = (at / (SIDE * SIDE), at / SIDE % SIDE, at % SIDE);
        let wave = (x as f32 * 0.021 + row as f32).sin() * (y as f32 * 0.017 + colour as f32).cos();
        (128.0 + 110.0 * wave + (at * 31 % 17) as f32).clamp(0.0, 255.0).round()
    })
}

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn device() -> Device {
    let choice = setting("HEARTLINE_DEVICE").unwrap_or_else(|| "cpu".to_owned());
    let precision = setting("HEARTLINE_PRECISION").unwrap_or_else(|| "auto".to_owned());
    // Before a GPU is opened, and with the server's settings for it.
    let _ = keep_kernels(setting("HEARTLINE_KERNELS").map(PathBuf::from).as_deref());
    Device::open_all(&choice.parse().unwrap(), precision.parse().unwrap()).unwrap().swap_remove(0)
}

fn load() -> Models {
    let built_from = || Path::new(env!("CARGO_MANIFEST_DIR")).join("weights");
    let root = setting("HEARTLINE_WEIGHTS").map_or_else(built_from, PathBuf::from);
    let (folder, device) = (|name: &str| root.join(name).join("1"), device());
    let text_model = TextModel::load(&folder("text"), &device).unwrap();
    let crop = |row: usize| {
        let pixels = (0..CROP_SIDE * CROP_SIDE).map(|at| ((at * 31 + at / 48 * 7 + row * 17) % 251) as u8);
        FaceCrop { pixels: pixels.collect(), quality: 1.0 }
    };
    Models {
        mel: LogMel::new(MEL_BANDS),
        voice: VoiceModel::load(&folder("voice"), &device).unwrap(),
        detector: FaceDetector::load(&folder("detector"), &device).unwrap(),
        face: FaceModel::load(&folder("face"), &device).unwrap(),
        texts: (0..INPUTS).map(|row| text(&text_model, row)).collect(),
        clips: (0..INPUTS).map(clip).collect(),
        pictures: (0..INPUTS).flat_map(picture).collect(),
        crops: (0..INPUTS).map(crop).collect(),
        text: text_model,
        device,
    }
}

fn milliseconds<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64() * 1e3
}

/// How long something took that may fail.
fn timed<T>(work: impl FnOnce() -> Result<T, ModelError>) -> Result<f64, ModelError> {
    let mut failure = None;
    let taken = milliseconds(|| failure = work().err());
    failure.map_or(Ok(taken), Err)
}

/// So many rows of some inputs, over and over.
fn batch<T: Clone>(inputs: &[T], rows: usize) -> Vec<T> {
    inputs.iter().cycle().take(rows).cloned().collect()
}

impl Models {
    fn spectrogram(&self, clip: &[f32]) -> Vec<f32> {
        let gain = Level::measure(clip).gain();
        let leveled: Vec<f32> = clip.iter().map(|sample| sample * gain).collect();
        self.mel.compute(&leveled).unwrap()
    }

    /// One run of a batch, and what comes before the network in it, in milliseconds.
    fn time(&self, model: &str, rows: usize) -> Result<(f64, f64), ModelError> {
        assert!(rows <= MOST_ROWS, "{rows} rows; there may be {MOST_ROWS}");
        match model {
            "text" => {
                let texts = batch(&self.texts, rows);
                let prepare =
                    || texts.iter().map(|text| self.text.tokenizer().encode(text)).collect::<Vec<_>>();
                Ok((timed(|| self.text.predict(&texts))?, milliseconds(prepare)))
            }
            "voice" => {
                let clips = batch(&self.clips, rows);
                let prepare = || clips.par_iter().map(|clip| self.spectrogram(clip)).collect::<Vec<_>>();
                Ok((timed(|| self.voice.predict(&clips))?, milliseconds(prepare)))
            }
            "detector" => {
                let pictures = self.pictures.chunks(3 * SIDE * SIDE).cycle().take(rows);
                let values = pictures.collect::<Vec<_>>().concat();
                Ok((timed(|| self.detector.raw(values, [rows, 3, SIDE, SIDE]))?, 0.0))
            }
            "face" => {
                let crops = batch(&self.crops, rows);
                Ok((timed(|| self.face.predict(&crops))?, 0.0))
            }
            _ => panic!("unknown model {model}"),
        }
    }

    /// Computes every shape of up to so many rows, on a GPU.
    fn warm_up(&self, model: &str, rows: usize) -> Result<(), ModelError> {
        if !self.device.is_gpu() {
            return Ok(());
        }
        match model {
            "text" => self.text.warm_up(rows),
            "voice" => self.voice.warm_up(rows),
            "detector" => self.detector.warm_up(rows),
            "face" => self.face.warm_up(rows),
            _ => panic!("unknown model {model}"),
        }
    }

    /// Inputs as the networks take them and what comes out, each as one file of numbers.
    fn dump(&self, folder: &Path) {
        let write = |name: &str, values: &[f32]| {
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            std::fs::write(folder.join(name), bytes).unwrap();
        };
        let pieces = self.texts.iter().flat_map(|text| self.text.tokenizer().encode(text).unwrap().pieces);
        write("text.input", &pieces.map(|piece| piece as f32).collect::<Vec<_>>());
        let answers = self.text.predict_with_features(&self.texts).unwrap();
        write("text.output", &answers.into_iter().flat_map(|(_, features)| features).collect::<Vec<_>>());
        write("voice.input", &self.clips.iter().flat_map(|clip| self.spectrogram(clip)).collect::<Vec<_>>());
        let answers = self.voice.predict(&self.clips).unwrap();
        write("voice.output", &answers.into_iter().flat_map(|answer| answer.features).collect::<Vec<_>>());
        // Two pictures are enough to compare.
        let pictures = &self.pictures[..2 * 3 * SIDE * SIDE];
        write("detector.input", pictures);
        write("detector.output", &self.detector.raw(pictures.to_vec(), [2, 3, SIDE, SIDE]).unwrap().concat());
        let mut crops = Vec::new();
        for crop in &self.crops {
            let start = crops.len();
            crops.extend(crop.pixels.iter().map(|pixel| f32::from(*pixel) / 255.0));
            self.face.manifest().config.normalise(&mut crops[start..]);
        }
        write("face.input", &crops);
        let answers = self.face.predict_with_features(&self.crops).unwrap();
        write("face.output", &answers.into_iter().flat_map(|(_, features)| features).collect::<Vec<_>>());
    }
}

fn main() {
    if std::io::stdin().is_terminal() {
        eprintln!("this bench takes its requests from benches/peers/compare.py and gpu/compare.py");
        return;
    }
    let models = load();
    let refusal = |error: ModelError| json!({ "error": error.to_string() });
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["dump", folder] => {
                models.dump(&PathBuf::from(folder));
                println!("done");
            }
            ["warm", model, rows] => {
                let rows = rows.parse().unwrap();
                let answer = timed(|| models.warm_up(model, rows)).map(|taken| json!({ "warm": taken }));
                println!("{}", answer.unwrap_or_else(refusal));
            }
            ["time", model, rows, count] => {
                let (rows, count) = (rows.parse().unwrap(), count.parse().unwrap());
                let times = (0..count).map(|_: usize| models.time(model, rows));
                let answer = times.collect::<Result<Vec<_>, _>>().map(|times| {
                    let (total, prepare): (Vec<f64>, Vec<f64>) = times.into_iter().unzip();
                    json!({ "total": total, "prepare": prepare })
                });
                println!("{}", answer.unwrap_or_else(refusal));
            }
            _ => panic!("unknown request: {line}"),
        }
    }
}
