//! `train voice`: the heads are trained on encoded frames; the last pass of a run is kept, so the valid speakers
//! choose nothing but the temperature.

use std::io::Write;
use std::path::PathBuf;

use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Bytes, Device, Int, Tensor, TensorData};
use clap::Args;
use heartline_models::CATEGORY_COUNT;
use heartline_models::voice::{FrontEnd, Standard, VoiceConfig, VoiceHead};
use indicatif::ProgressBar;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use super::augment::Condition;
use super::calibrate::{find_temperature, mean_surprise};
use super::callers::Callers;
use super::clips::{Clip, read_split};
use super::evaluate::{confusion, largest};
use super::features::{FeatureStore, Window, style};
use super::moments::Moments;
use super::package;
use super::recipe::Recipe;
use super::sampler::{Sampler, View, assemble};
use crate::checkpoint::CheckpointFolder;
use crate::error::TrainError;

/// Every second frame is enough to learn from, and which ones changes from draw to draw.
const STRIDE: usize = 2;
/// Windows that are measured at once.
const MEASURED_BATCH: usize = 64;
/// Passes between two measurements.
const MEASURE_EVERY: usize = 5;
/// One window of this many stands for its speaker's earlier speech.
const CALLER_WINDOWS_EVERY: usize = 2;
/// What is measured of known callers: this many earlier windows, of any emotion.
const KNOWN_CALLER: [usize; 2] = [8, CATEGORY_COUNT];

/// Arguments of `train voice`.
#[derive(Debug, Args)]
pub(crate) struct TrainArguments {
    /// The recipe, a TOML file.
    #[arg(long)]
    config: PathBuf,
}

/// Where a member's run stands.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Progress {
    epochs: usize,
}

/// The clips to train on, and the windows of all their copies.
struct Corpus {
    clips: Vec<Clip>,
    windows: Vec<Vec<Window>>,
}

/// The valid split under one condition.
struct Measured {
    condition: Condition,
    windows: Vec<Window>,
}

struct Trainer<'a> {
    recipe: &'a Recipe,
    corpus: &'a Corpus,
    sampler: Sampler,
    device: Device,
}

/// Runs the command.
#[expect(clippy::print_stdout, reason = "the figures are the command's answer")]
pub(crate) fn train(arguments: &TrainArguments) -> Result<(), TrainError> {
    let recipe = Recipe::read(&arguments.config)?;
    let device = heartline_models::Device::cpu();
    let front_end = FrontEnd::open(&recipe.encoder, &device)?;
    let mut config = VoiceConfig {
        encoder: front_end.config().clone(),
        head: recipe.head.clone(),
        members: recipe.members,
        temperature: 1.0,
    };
    config.check()?;
    let store = FeatureStore::new(&front_end, &recipe.encoder, &recipe.cache, recipe.seed)?;
    let valid_clips = read_split(&recipe.data, "valid")?;
    let valid = Condition::MEASURED
        .iter()
        .map(|condition| {
            Ok(Measured { condition: *condition, windows: store.load(&valid_clips, *condition)? })
        })
        .collect::<Result<Vec<_>, TrainError>>()?;
    let corpus = Corpus::load(&recipe, &store)?;
    let sampler = Sampler::new(&corpus.clips, &recipe.set_weights)?;
    let trainer = Trainer { recipe: &recipe, corpus: &corpus, sampler, device: device.as_burn().clone() };
    let heads = (0..recipe.members)
        .map(|member| trainer.member(member, &valid_clips, &valid))
        .collect::<Result<Vec<_>, _>>()?;
    let (mut logits, mut truth) = (Vec::new(), Vec::new());
    for measured in &valid {
        logits.extend(trainer.logits(&heads, &measured.windows, None)?);
        truth.extend(measured.windows.iter().map(|window| valid_clips[window.clip].category.index()));
    }
    config.temperature = find_temperature(&logits, &truth);
    println!(
        "temperature {:.3}: mean surprise {:.3} instead of {:.3}",
        config.temperature,
        mean_surprise(&logits, &truth, f64::from(config.temperature)),
        mean_surprise(&logits, &truth, 1.0)
    );
    println!("{}", trainer.measure(&heads, &valid_clips, &valid)?);
    package::write(&recipe.encoder, &recipe.output, &config, &heads)
}

impl Corpus {
    fn load(recipe: &Recipe, store: &FeatureStore<'_>) -> Result<Self, TrainError> {
        let clips = read_split(&recipe.data, "train")?;
        let mut windows = vec![Vec::new(); clips.len()];
        for copy in 0..recipe.copies {
            for window in store.load(&clips, Condition::Training(copy))? {
                windows[window.clip].push(window);
            }
        }
        Ok(Self { clips, windows })
    }
}

impl Trainer<'_> {
    /// Trains one head, or goes on where its run stopped.
    fn member(&self, member: usize, clips: &[Clip], valid: &[Measured]) -> Result<VoiceHead, TrainError> {
        let recipe = self.recipe;
        let training_device = self.device.clone().autodiff();
        let seed = recipe.seed.wrapping_add(1000 * u64::try_from(member).unwrap_or(0));
        self.device.seed(seed);
        let checkpoints = CheckpointFolder::new(&recipe.run.join(format!("member-{member}")))?;
        let mut head = self.standardised(&training_device)?;
        let mut optimizer = AdamWConfig::new().with_weight_decay(recipe.weight_decay).init();
        let mut progress = Progress::default();
        if let Some((record, bytes, stored)) = checkpoints.load::<Progress>()? {
            let failed = |error: burn::store::RecordError| TrainError::Checkpoint(error.to_string());
            head = head.try_load_record(record).map_err(failed)?;
            optimizer = optimizer.from_bytes(Bytes::from_bytes_vec(bytes)).map_err(failed)?;
            progress = stored;
        }
        let bar = ProgressBar::new(u64::try_from(recipe.epochs).unwrap_or(u64::MAX)).with_style(style());
        while progress.epochs < recipe.epochs {
            let epoch_seed = seed.wrapping_add(u64::try_from(progress.epochs).unwrap_or(0) + 1);
            self.device.seed(epoch_seed);
            let mut random = StdRng::seed_from_u64(epoch_seed);
            let callers = self.callers(&head.valid())?;
            let mut loss = 0.0;
            for step in 0..recipe.steps {
                let rate = recipe.rate(progress.epochs * recipe.steps + step);
                (head, loss) = self.step(head, &mut optimizer, rate, (&callers, &mut random))?;
            }
            progress.epochs += 1;
            let bytes = optimizer.into_bytes().map_err(|error| TrainError::Checkpoint(error.to_string()))?;
            checkpoints.save(progress.epochs, head.clone(), &bytes, &progress)?;
            let mut line = format!("member {member} epoch {} loss {loss:.3}", progress.epochs);
            if progress.epochs.is_multiple_of(MEASURE_EVERY) {
                line += &format!(" {}", self.measure(&[head.valid()], clips, valid)?.replace('\n', "; "));
            }
            self.log(&line)?;
            bar.set_message(format!("head {member} loss {loss:.3}"));
            bar.set_position(u64::try_from(progress.epochs).unwrap_or(0));
        }
        bar.finish();
        Ok(head.valid())
    }

    /// One step on a balanced batch; gives the head and the loss.
    fn step(
        &self,
        head: VoiceHead,
        optimizer: &mut ModuleOptimizer,
        rate: f64,
        (callers, random): (&Callers<'_>, &mut StdRng),
    ) -> Result<(VoiceHead, f32), TrainError> {
        let device = self.device.clone().autodiff();
        let (views, truth) = self.draw(random);
        let (frames, absent) = assemble(&views, self.recipe.head.width, &device);
        let mut targets = self.targets(&truth, &device);
        let width = self.recipe.head.pooled_width();
        let mut shifts = Vec::with_capacity(views.len() * width);
        for view in &views {
            let known = random.random_bool(self.recipe.known_caller_share);
            let past = known.then(|| callers.past(&self.corpus.clips[view.window.clip], random));
            let shift = past.and_then(|past| past.shift(width));
            shifts.extend(shift.unwrap_or_else(|| vec![0.0; width]));
        }
        let shifts = Tensor::from_data(TensorData::new(shifts, [views.len(), width]), &device);
        let mut features = head.features(head.pool(frames, Some(absent))) - shifts;
        if random.random_bool(self.recipe.mixup_share) {
            let share = random.random_range(0.5..1.0_f32);
            let order: Vec<i64> = (0..i64::try_from(truth.len()).unwrap_or(0)).rev().collect();
            let order = Tensor::<1, Int>::from_data(TensorData::new(order, [truth.len()]), &device);
            features = features.clone() * share + features.select(0, order.clone()) * (1.0 - share);
            targets = targets.clone() * share + targets.select(0, order) * (1.0 - share);
        }
        let surprise = (targets * log_softmax(head.classify_features(features), 1)).sum_dim(1).mean().neg();
        let loss = surprise.clone().into_data().try_to_vec::<f32>();
        let loss = loss.ok().and_then(|values| values.first().copied()).unwrap_or(f32::NAN);
        if !loss.is_finite() {
            return Err(TrainError::Checkpoint("the loss is no longer a number".to_owned()));
        }
        let gradients = GradientsParams::from_grads(surprise.backward(), &head);
        Ok((optimizer.step(rate, head, gradients), loss))
    }

    fn draw(&self, random: &mut StdRng) -> (Vec<View<'_>>, Vec<usize>) {
        let (mut views, mut truth) = (Vec::new(), Vec::new());
        while views.len() < self.recipe.batch {
            let clip = self.sampler.draw(random);
            let copies = &self.corpus.windows[clip];
            if copies.is_empty() {
                continue;
            }
            let window = &copies[random.random_range(0..copies.len())];
            views.push(View { window, stride: STRIDE, offset: random.random_range(0..STRIDE) });
            truth.push(self.corpus.clips[clip].category.index());
        }
        (views, truth)
    }

    fn targets(&self, truth: &[usize], device: &Device) -> Tensor<2> {
        let smooth = self.recipe.label_smoothing;
        #[expect(clippy::cast_precision_loss, reason = "seven categories")]
        let base = smooth / CATEGORY_COUNT as f32;
        let mut values = vec![base; truth.len() * CATEGORY_COUNT];
        for (row, truth) in truth.iter().enumerate() {
            values[row * CATEGORY_COUNT + truth] += 1.0 - smooth;
        }
        Tensor::from_data(TensorData::new(values, [truth.len(), CATEGORY_COUNT]), device)
    }

    /// A new head that knows the means and deviations of the training data.
    fn standardised(&self, device: &Device) -> Result<VoiceHead, TrainError> {
        let head_config = &self.recipe.head;
        let mut head = head_config.init(device);
        // Some frames of every window are enough for the frames' statistics.
        let mut frames = Moments::new(head_config.width);
        for window in self.corpus.windows.iter().flatten() {
            for frame in window.values.chunks_exact(head_config.width).step_by(8) {
                frames.add(frame.iter().map(|value| value.to_f64()));
            }
        }
        let (mean, scale) = frames.finish();
        head.frame_standard = Standard::new(&mean, &scale, device);
        let plain = head.valid();
        let mut pooled = Moments::new(head_config.pooled_width());
        let some = self.corpus.windows.iter().flatten().step_by(3);
        let views: Vec<View<'_>> = some.map(|window| View { window, stride: STRIDE, offset: 0 }).collect();
        for views in views.chunks(MEASURED_BATCH) {
            let (frames, absent) = assemble(views, head_config.width, &self.device);
            for row in read(plain.pool(frames, Some(absent)))?.chunks(head_config.pooled_width()) {
                pooled.add(row.iter().map(|value| f64::from(*value)));
            }
        }
        let (mean, scale) = pooled.finish();
        head.pool_standard = Standard::new(&mean, &scale, device);
        Ok(head)
    }

    /// The training speakers as a head hears them.
    fn callers(&self, head: &VoiceHead) -> Result<Callers<'_>, TrainError> {
        let windows: Vec<&Window> =
            self.corpus.windows.iter().flatten().step_by(CALLER_WINDOWS_EVERY).collect();
        let of_clip: Vec<usize> = windows.iter().map(|window| window.clip).collect();
        Ok(Callers::new(&self.corpus.clips, &of_clip, self.features(head, &windows)?))
    }

    /// The standardised features of windows.
    fn features(&self, head: &VoiceHead, windows: &[&Window]) -> Result<Vec<Vec<f32>>, TrainError> {
        let width = self.recipe.head.pooled_width();
        let mut features = Vec::with_capacity(windows.len());
        for windows in windows.chunks(MEASURED_BATCH) {
            let views: Vec<View<'_>> =
                windows.iter().map(|window| View { window, stride: 1, offset: 0 }).collect();
            let (frames, absent) = assemble(&views, self.recipe.head.width, &self.device);
            let values = read(head.features(head.pool(frames, Some(absent))))?;
            features.extend(values.chunks(width).map(<[f32]>::to_vec));
        }
        Ok(features)
    }

    /// The mean logits of several heads for each window; against the speaker's other windows, where the clips are
    /// given.
    fn logits(
        &self,
        heads: &[VoiceHead],
        windows: &[Window],
        known: Option<&[Clip]>,
    ) -> Result<Vec<[f32; CATEGORY_COUNT]>, TrainError> {
        let windows: Vec<&Window> = windows.iter().collect();
        let of_clip: Vec<usize> = windows.iter().map(|window| window.clip).collect();
        let width = self.recipe.head.pooled_width();
        let mut mean = vec![[0.0; CATEGORY_COUNT]; windows.len()];
        for head in heads {
            let mut features = self.features(head, &windows)?;
            if let Some(clips) = known {
                let callers = Callers::new(clips, &of_clip, features.clone());
                let mut random = StdRng::seed_from_u64(self.recipe.seed);
                for (row, clip) in features.iter_mut().zip(&of_clip) {
                    let shift = callers.past_of(&clips[*clip], KNOWN_CALLER, &mut random).shift(width);
                    for (value, shift) in row.iter_mut().zip(shift.iter().flatten()) {
                        *value -= shift;
                    }
                }
            }
            let data = TensorData::new(features.concat(), [windows.len(), width]);
            let values = read(head.classify_features(Tensor::from_data(data, &self.device)))?;
            #[expect(clippy::cast_precision_loss, reason = "there are a handful of heads")]
            let count = heads.len() as f32;
            for (mean, value) in mean.as_flattened_mut().iter_mut().zip(values) {
                *mean += value / count;
            }
        }
        Ok(mean)
    }

    /// The unweighted average recall of each set under each condition, one line a condition.
    fn measure(&self, heads: &[VoiceHead], clips: &[Clip], valid: &[Measured]) -> Result<String, TrainError> {
        let mut sets: Vec<&str> = clips.iter().map(|clip| clip.set.as_str()).collect();
        sets.sort_unstable();
        sets.dedup();
        let mut text = String::new();
        let conditions = valid.iter().map(|measured| (measured, None));
        let known = valid.first().map(|measured| (measured, Some(clips)));
        for (measured, known) in conditions.chain(known) {
            let mut figures = vec![confusion(); sets.len()];
            let logits = self.logits(heads, &measured.windows, known)?;
            for (logits, window) in logits.iter().zip(&measured.windows) {
                let clip = &clips[window.clip];
                if let Some(set) = sets.iter().position(|set| *set == clip.set) {
                    figures[set].add(clip.category.index(), largest(logits));
                }
            }
            text += &measured.condition.name();
            if known.is_some() {
                text += " known callers";
            }
            for (set, figures) in sets.iter().zip(&figures) {
                text += &format!(" {set} {:.3}", figures.average_recall());
            }
            text.push('\n');
        }
        Ok(text)
    }

    fn log(&self, line: &str) -> Result<(), TrainError> {
        let path = self.recipe.run.join("train.log");
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|mut file| writeln!(file, "{line}")).map_err(TrainError::file(&path))
    }
}

fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, TrainError> {
    let values = tensor.into_data().try_to_vec();
    values.map_err(|error| TrainError::Disagreement(format!("{error:?}")))
}
