//! The training run: frozen lower blocks, trained upper blocks and heads, checkpoints, a log, and the finished folder.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use burn::grad_clipping::GradientClippingConfig;
use burn::module::{Module, Param};
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Bytes, Device, Tensor};
use clap::Args;
use heartline_models::text::loader::{load_blocks, load_encoder};
use heartline_models::text::tokenizer::{NORMALIZATION_FILE, TOKENIZER_FILE};
use heartline_models::text::{Encoder, Heads, Padding, Scale, TextConfig, TextTokenizer};
use heartline_models::{Category, ModelFolder};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use super::calibration::{Judged, temperature};
use super::examples::{Example, cut, plan_epoch, read_set, read_training};
use super::export::export;
use super::loss::LossTerms;
use super::settings::Settings;
use super::upper::{Upper, host, lengths, lower_output, predict};
use crate::checkpoint::CheckpointFolder;
use crate::error::TrainError;
use crate::metrics::Confusion;

/// Gradients of a tensor that are longer than this are shortened to it.
const GRADIENT_NORM: f32 = 1.0;
/// The native labels' first guess, as a logit: most labels do not apply to most texts.
const NATIVE_BIAS: f32 = -3.0;
/// Steps between lines of the log.
const LOG_EVERY: usize = 20;
/// Development texts of each set that are looked at with each checkpoint.
const MONITORED: usize = 400;
/// Development texts of each set that the temperature is fitted to: enough for one number.
const CALIBRATED: usize = 1500;
/// The sets whose development split fits the temperature and is looked at during the run.
const DEVELOPMENT_SETS: [&str; 2] = ["goemotions", "smp2020_usual"];

/// Arguments of `heartline-train train text`.
#[derive(Debug, Args)]
pub(crate) struct TrainArguments {
    /// The file that describes the run
    #[arg(long)]
    config: PathBuf,
    /// Only write the model folder of the newest checkpoint
    #[arg(long)]
    export_only: bool,
    /// Where to write the model folder; by default `model` in the run's output folder
    #[arg(long)]
    export_to: Option<PathBuf>,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct State {
    step: usize,
    epoch: usize,
    batch: usize,
    elapsed_seconds: f64,
}

/// Trains from the newest checkpoint, or from the beginning, and writes the model folder.
pub(crate) fn train(arguments: &TrainArguments) -> Result<(), TrainError> {
    let settings = Settings::read(&arguments.config)?;
    let checkpoints = CheckpointFolder::new(&settings.output.join("checkpoint"))?;
    let mut run = Run::open(settings, checkpoints)?;
    if !arguments.export_only {
        run.train()?;
    }
    let folder = arguments.export_to.clone().unwrap_or_else(|| run.settings.output.join("model"));
    run.finish(&folder)
}

struct Run {
    settings: Settings,
    checkpoints: CheckpointFolder,
    base: ModelFolder<TextConfig>,
    tokenizer: TextTokenizer,
    device: Device,
    lower: Encoder,
    upper: Upper,
    optimizer: ModuleOptimizer,
    examples: Vec<Example>,
    scales: [(f32, f32); 3],
    monitored: Vec<Example>,
    state: State,
}

impl Run {
    fn open(settings: Settings, checkpoints: CheckpointFolder) -> Result<Self, TrainError> {
        let base = ModelFolder::<TextConfig>::open(&settings.source)?;
        let config = &base.manifest.config;
        let tokenizer = TextTokenizer::parse(
            base.file(TOKENIZER_FILE)?,
            base.file(NORMALIZATION_FILE)?,
            settings.max_tokens.min(config.max_tokens),
        )?;
        let examples = read_training(&settings, &tokenizer)?;
        let mut monitored = Vec::new();
        for set in DEVELOPMENT_SETS {
            let mut rows = read_set(&settings.data, set, "dev")?;
            rows.truncate(MONITORED);
            monitored.extend(cut(&rows, &tokenizer)?);
        }
        let device = Device::flex();
        device.seed(settings.seed);
        let mut encoder_config = config.encoder.clone();
        let weights = base.weights()?;
        let training_device = device.clone().autodiff();
        let blocks = load_blocks(&weights, &encoder_config, settings.frozen_blocks, &training_device)?;
        encoder_config.blocks = settings.frozen_blocks.min(encoder_config.blocks);
        let lower = load_encoder(&weights, &encoder_config, &device)?;
        let mut heads = Heads::init(encoder_config.width, config.labels.len(), &training_device);
        let bias = Tensor::full([config.labels.len()], NATIVE_BIAS, &training_device);
        heads.native.bias = Some(Param::from_tensor(bias));
        let optimizer = AdamWConfig::new()
            .with_epsilon(1e-8)
            .with_weight_decay(settings.weight_decay)
            .with_grad_clipping(Some(GradientClippingConfig::Norm(GRADIENT_NORM)))
            .init();
        let scales = dimension_scales(&examples);
        let mut run = Self {
            settings,
            checkpoints,
            tokenizer,
            device,
            lower,
            upper: Upper { blocks, heads },
            optimizer,
            examples,
            scales,
            monitored,
            state: State::default(),
            base,
        };
        run.resume()?;
        Ok(run)
    }

    fn resume(&mut self) -> Result<(), TrainError> {
        let Some((record, optimizer, state)) = self.checkpoints.load::<State>()? else { return Ok(()) };
        let failed = |error: &dyn std::fmt::Display| TrainError::Checkpoint(error.to_string());
        self.upper = self.upper.clone().try_load_record(record).map_err(|error| failed(&error))?;
        self.optimizer = self
            .optimizer
            .clone()
            .from_bytes(Bytes::from_bytes_vec(optimizer))
            .map_err(|error| failed(&error))?;
        self.state = state;
        Ok(())
    }

    fn train(&mut self) -> Result<(), TrainError> {
        let lengths: Vec<usize> = self.examples.iter().map(|text| text.pieces.len()).collect();
        let steps_an_epoch = lengths.len().div_ceil(self.settings.rows_a_step);
        let steps = steps_an_epoch * self.settings.epochs;
        let terms = LossTerms::new(self.scales, &self.device.clone().autodiff());
        let bar = progress_bar(steps);
        let mut log = Log::open(self)?;
        let (started, before) = (Instant::now(), self.state.elapsed_seconds);
        let mut saved = Instant::now();
        while self.state.epoch < self.settings.epochs {
            let batches =
                plan_epoch(&lengths, self.settings.rows_a_step, self.settings.seed, self.state.epoch);
            while let Some(batch) = batches.get(self.state.batch) {
                self.state.elapsed_seconds = before + started.elapsed().as_secs_f64();
                let progress = self.progress(steps);
                if progress >= 1.0 {
                    break;
                }
                let rate = self.settings.learning_rate_at(progress);
                let loss = self.step(batch, &terms, rate)?;
                self.state.step += 1;
                self.state.batch += 1;
                bar.set_position(self.state.step as u64);
                log.step(self.state, loss, batch.len(), rate)?;
                if saved.elapsed().as_secs_f64() > self.settings.checkpoint_minutes * 60.0 {
                    self.save(&mut log)?;
                    saved = Instant::now();
                }
            }
            if self.progress(steps) >= 1.0 {
                break;
            }
            self.state.epoch += 1;
            self.state.batch = 0;
        }
        bar.finish();
        self.save(&mut log)
    }

    #[expect(clippy::cast_precision_loss, reason = "steps are far below 2^52")]
    fn progress(&self, steps: usize) -> f64 {
        let by_steps = self.state.step as f64 / steps.max(1) as f64;
        by_steps.max(self.state.elapsed_seconds / (self.settings.budget_minutes * 60.0))
    }

    fn step(&mut self, batch: &[usize], terms: &LossTerms, rate: f64) -> Result<f32, TrainError> {
        let texts: Vec<&Example> = batch.iter().map(|index| &self.examples[*index]).collect();
        let padding = Padding::new(&lengths(&texts), &self.device.clone().autodiff());
        let hidden = lower_output(&self.lower, &texts, &self.device).autodiff();
        let loss = terms.loss(self.upper.forward(hidden, &padding), &texts);
        let value = host(loss.clone().inner())?[0];
        let gradients = GradientsParams::from_grads(loss.backward(), &self.upper);
        self.upper = self.optimizer.step(rate, self.upper.clone(), gradients);
        Ok(value)
    }

    fn save(&self, log: &mut Log) -> Result<(), TrainError> {
        let bytes = self.optimizer.into_bytes().map_err(|error| TrainError::Checkpoint(error.to_string()))?;
        self.checkpoints.save(self.state.step, self.upper.clone(), &bytes, &self.state)?;
        let logits = predict(&self.lower, &self.upper.valid(), &self.monitored, &self.device)?;
        let names = Category::ALL.map(Category::name);
        let mut figures = [Confusion::new(&names), Confusion::new(&names)];
        for (text, logits) in self.monitored.iter().zip(logits) {
            let Some(shares) = text.targets.categories else { continue };
            let allowed = |index: &usize| text.targets.has_disgust || *index != Category::Disgust.index();
            figures[usize::from(!text.targets.has_disgust)]
                .add(largest(&shares, |_| true), largest(&logits.categories, allowed));
        }
        log.write(&serde_json::json!({
            "checkpoint": self.state.step,
            "goemotions_macro_f1": figures[0].macro_f1(),
            "smp2020_macro_f1": figures[1].macro_f1(),
        }))
    }

    /// Fits the temperature and writes the model folder.
    fn finish(&self, folder: &std::path::Path) -> Result<(), TrainError> {
        let upper = self.upper.valid();
        let mut judged = Vec::new();
        for set in DEVELOPMENT_SETS {
            let mut rows = read_set(&self.settings.data, set, "dev")?;
            rows.truncate(CALIBRATED);
            let texts = cut(&rows, &self.tokenizer)?;
            let logits = predict(&self.lower, &upper, &texts, &self.device)?;
            judged.extend(
                texts.iter().zip(logits).filter_map(|(text, l)| Judged::new(l.categories, &text.targets)),
            );
        }
        let mut config = self.base.manifest.config.clone();
        config.temperature = temperature(&judged);
        config.dimensions = self.scales.map(|(mean, deviation)| Scale { mean, deviation });
        export(&self.base, &self.upper, self.settings.frozen_blocks, config, folder)
    }
}

fn largest(values: &[f32], allowed: impl Fn(&usize) -> bool) -> usize {
    (0..values.len())
        .filter(|index| allowed(index))
        .max_by(|left, right| values[*left].total_cmp(&values[*right]))
        .unwrap_or(0)
}

/// Mean and standard deviation of each dimension over the texts that have them.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a mean of small numbers")]
fn dimension_scales(examples: &[Example]) -> [(f32, f32); 3] {
    let known: Vec<[f32; 3]> = examples.iter().filter_map(|text| text.targets.dimensions).collect();
    if known.is_empty() {
        return [(0.0, 1.0); 3];
    }
    std::array::from_fn(|index| {
        let values = known.iter().map(|row| f64::from(row[index]));
        let count = known.len() as f64;
        let mean = values.clone().sum::<f64>() / count;
        let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        (mean as f32, variance.sqrt().max(1e-3) as f32)
    })
}

fn progress_bar(steps: usize) -> ProgressBar {
    let bar = ProgressBar::new(steps as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta} left") {
        bar.set_style(style);
    }
    bar
}

/// The run's log: one JSON object a line.
struct Log {
    file: std::fs::File,
    path: PathBuf,
    loss: f32,
    rows: usize,
    since: Instant,
}

impl Log {
    fn open(run: &Run) -> Result<Self, TrainError> {
        let path = run.settings.output.join("train.jsonl");
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(TrainError::file(&path))?;
        let mut log = Self { file, path, loss: 0.0, rows: 0, since: Instant::now() };
        log.write(&serde_json::json!({
            "texts": run.examples.len(),
            "parameters": run.upper.num_params(),
            "resumed_at": run.state.step,
        }))?;
        Ok(log)
    }

    fn step(&mut self, state: State, loss: f32, rows: usize, rate: f64) -> Result<(), TrainError> {
        self.loss += loss;
        self.rows += rows;
        if !state.step.is_multiple_of(LOG_EVERY) {
            return Ok(());
        }
        #[expect(clippy::cast_precision_loss, reason = "a few hundred texts")]
        let (mean, speed) =
            (self.loss / LOG_EVERY as f32, self.rows as f64 / self.since.elapsed().as_secs_f64());
        (self.loss, self.rows, self.since) = (0.0, 0, Instant::now());
        self.write(&serde_json::json!({
            "step": state.step,
            "epoch": state.epoch,
            "loss": mean,
            "learning_rate": rate,
            "texts_a_second": speed,
            "elapsed_seconds": state.elapsed_seconds,
        }))
    }

    fn write(&mut self, line: &serde_json::Value) -> Result<(), TrainError> {
        writeln!(self.file, "{line}").map_err(TrainError::file(&self.path))
    }
}
