//! Heartline's side of the comparison that `compare.py` makes: runs a model as often as it is told to and says how
//! long each run took.
//!
//! One request a line on standard input, one answer a line on standard output:
//! - `dump FOLDER` writes the networks' inputs and answers as raw little-endian numbers; answers `done`.
//! - `time MODEL ROWS COUNT` runs and answers `{"total": [ms, ...], "prepare": [ms, ...]}`, where preparing is what
//!   comes before the network (tokenizing, the spectrogram) and is part of the total.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot set up ends")]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::panic, reason = "this is how it answers")]

use std::hint::black_box;
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Instant;

use heartline_models::Device;
use heartline_models::detector::FaceDetector;
use heartline_models::face::{CROP_SIDE, FaceCrop, FaceModel};
use heartline_models::text::TextModel;
use heartline_models::voice::{Level, LogMel, SAMPLE_RATE_HZ, VoiceModel};
use rayon::prelude::*;

/// The most rows that are asked for.
const ROWS: usize = 32;
const TOKENS: usize = 32;
const CLIP_SAMPLES: usize = 4 * SAMPLE_RATE_HZ as usize;
const MEL_BANDS: usize = 80;
const SIDE: usize = 640;
const WORDS: &str = "please tell me when my refund will come because I have been waiting for three weeks and nobody \
    has called back although your colleague said that it would be done by monday so what is wrong this time";

struct Models {
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

fn load() -> Models {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("weights");
    let (folder, device) = (|name: &str| root.join(name).join("1"), Device::cpu());
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
        texts: (0..ROWS).map(|row| text(&text_model, row)).collect(),
        clips: (0..ROWS).map(clip).collect(),
        pictures: (0..ROWS).flat_map(picture).collect(),
        crops: (0..ROWS).map(crop).collect(),
        text: text_model,
    }
}

fn milliseconds<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64() * 1e3
}

impl Models {
    fn spectrogram(&self, clip: &[f32]) -> Vec<f32> {
        let gain = Level::measure(clip).gain();
        let leveled: Vec<f32> = clip.iter().map(|sample| sample * gain).collect();
        self.mel.compute(&leveled).unwrap()
    }

    fn time(&self, model: &str, rows: usize) -> (f64, f64) {
        match model {
            "text" => {
                let texts = &self.texts[..rows];
                let prepare =
                    || texts.iter().map(|text| self.text.tokenizer().encode(text)).collect::<Vec<_>>();
                (milliseconds(|| self.text.predict(texts).unwrap()), milliseconds(prepare))
            }
            "voice" => {
                let clips = &self.clips[..rows];
                let prepare = || clips.par_iter().map(|clip| self.spectrogram(clip)).collect::<Vec<_>>();
                (milliseconds(|| self.voice.predict(clips).unwrap()), milliseconds(prepare))
            }
            "detector" => {
                let values = self.pictures[..rows * 3 * SIDE * SIDE].to_vec();
                (milliseconds(|| self.detector.raw(values, [rows, 3, SIDE, SIDE]).unwrap()), 0.0)
            }
            "face" => (milliseconds(|| self.face.predict(&self.crops[..rows]).unwrap()), 0.0),
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
        eprintln!("this bench takes its requests from benches/peers/compare.py");
        return;
    }
    let models = load();
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["dump", folder] => {
                models.dump(&PathBuf::from(folder));
                println!("done");
            }
            ["time", model, rows, count] => {
                let (rows, count) = (rows.parse().unwrap(), count.parse().unwrap());
                let times = (0..count).map(|_: usize| models.time(model, rows));
                let (total, prepare): (Vec<f64>, Vec<f64>) = times.unzip();
                println!("{}", serde_json::json!({ "total": total, "prepare": prepare }));
            }
            _ => panic!("unknown request: {line}"),
        }
    }
}
