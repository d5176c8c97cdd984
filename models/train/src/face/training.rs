//! The training loop.

use std::time::Instant;

use burn::module::Module;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Bytes, Tensor, TensorData};
use heartline_models::Device;
use heartline_models::face::{FaceConfig, FaceNetwork, LABEL_COUNT};
use indicatif::{ProgressBar, ProgressStyle};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::augment::{source, view};
use super::average::follow;
use super::data::{self, Face};
use super::settings::Settings;
use super::{export, figures};
use crate::checkpoint::CheckpointFolder;
use crate::error::TrainError;

/// What a checkpoint holds beside the optimizer.
#[derive(Module, Debug)]
struct Networks {
    /// The network that learns, on the device that follows gradients.
    network: FaceNetwork,
    /// Its smoothed copy, which is measured and shipped.
    average: FaceNetwork,
}

/// Where a run stands.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct State {
    epoch: usize,
    minutes: f64,
    best: f64,
}

/// A run in progress.
struct Run<'a> {
    settings: &'a Settings,
    config: FaceConfig,
    device: burn::tensor::Device,
    networks: Networks,
    optimizer: ModuleOptimizer,
    state: State,
    begun: Instant,
}

/// Trains until the epochs or the minutes are over.
pub(crate) fn run(settings: &Settings) -> Result<(), TrainError> {
    let train = data::read(&settings.data, "train")?;
    let train: Vec<(Vec<u8>, [f32; LABEL_COUNT])> = train
        .into_iter()
        .filter(|face| !face.duplicate)
        .filter_map(|face| face.target().map(|target| (face.pixels, target)))
        .collect();
    let valid = data::read(&settings.data, "val")?;
    let checkpoints = CheckpointFolder::new(&settings.checkpoints)?;
    let mut run = Run::resume(settings, &checkpoints)?;
    log(&format!(
        "{} pictures to learn from, {} to check on, {} parameters, from epoch {}",
        train.len(),
        valid.len(),
        run.networks.network.num_params(),
        run.state.epoch
    ));
    while run.state.epoch < settings.epochs && run.progress(0.0) < 1.0 {
        let loss = run.epoch(&train)?;
        run.finish_epoch(&valid, loss, &checkpoints)?;
    }
    Ok(())
}

impl<'a> Run<'a> {
    fn resume(settings: &'a Settings, checkpoints: &CheckpointFolder) -> Result<Self, TrainError> {
        let device = Device::cpu().as_burn().clone();
        let training = device.clone().autodiff();
        training.seed(settings.seed);
        let config = settings.face_config();
        let network = FaceNetwork::init(&config, &training);
        let average = network.valid();
        let mut networks = Networks { network, average };
        let mut optimizer = SgdConfig::new()
            .with_momentum(Some(MomentumConfig { momentum: 0.9, dampening: 0.0, nesterov: true }))
            .with_weight_decay(Some(WeightDecayConfig { penalty: settings.weight_decay }))
            .init();
        let mut state = State::default();
        if let Some((record, bytes, stored)) = checkpoints.load::<State>()? {
            let unusable = |error: &dyn std::fmt::Display| TrainError::Checkpoint(error.to_string());
            networks = networks.try_load_record(record).map_err(|error| unusable(&error))?;
            optimizer =
                optimizer.from_bytes(Bytes::from_bytes_vec(bytes)).map_err(|error| unusable(&error))?;
            state = stored;
        }
        Ok(Self { settings, config, device, networks, optimizer, state, begun: Instant::now() })
    }

    /// The share of the run that is over, a share of the running epoch included.
    fn progress(&self, epoch_share: f64) -> f64 {
        let epochs = (self.state.epoch as f64 + epoch_share) / self.settings.epochs as f64;
        self.settings.minutes.map_or(epochs, |minutes| epochs.max(self.minutes() / minutes))
    }

    fn minutes(&self) -> f64 {
        self.state.minutes + self.begun.elapsed().as_secs_f64() / 60.0
    }

    /// One pass over the pictures; gives the mean loss. Ends early where the minutes are over.
    fn epoch(&mut self, train: &[(Vec<u8>, [f32; LABEL_COUNT])]) -> Result<f64, TrainError> {
        let mut order: Vec<usize> = (0..train.len()).collect();
        order.shuffle(&mut StdRng::seed_from_u64(self.settings.seed.wrapping_add(self.state.epoch as u64)));
        let side = self.settings.side(self.progress(0.0));
        let steps = order.len() / self.settings.batch;
        let bar = progress_bar(steps as u64, &format!("epoch {} at {side} pixels", self.state.epoch + 1));
        let (mut sum, mut count) = (0.0, 0.0_f64);
        for (step, rows) in order.chunks_exact(self.settings.batch).enumerate() {
            let progress = self.progress(step as f64 / steps.max(1) as f64);
            if progress >= 1.0 {
                break;
            }
            let epoch = self.state.epoch;
            let views: Vec<Vec<f32>> = rows
                .par_iter()
                .map(|row| view(&train[*row].0, side, &mut source(self.settings.seed, epoch, *row)))
                .collect();
            let targets: Vec<f32> = rows.iter().flat_map(|row| train[*row].1).collect();
            let loss = self.step(&views, side, targets, self.settings.rate(progress))?;
            sum += loss;
            count += 1.0;
            bar.set_message(format!("loss {:.4}", sum / count));
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(sum / count.max(1.0))
    }

    fn step(
        &mut self,
        views: &[Vec<f32>],
        side: usize,
        targets: Vec<f32>,
        rate: f64,
    ) -> Result<f64, TrainError> {
        let device = self.device.clone().autodiff();
        let network = self.networks.network.clone();
        let input = figures::tensor(views, side, &self.config, &device);
        let targets: Tensor<2> =
            Tensor::from_data(TensorData::new(targets, [views.len(), LABEL_COUNT]), &device);
        let surprise = log_softmax(network.forward(input), 1) * targets;
        let loss = surprise.sum().div_scalar(views.len() as f64).neg();
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        let network = self.optimizer.step(rate, network, gradients);
        let average = self.networks.average.clone();
        self.networks.average = follow(average, &network, self.settings.average);
        self.networks.network = network;
        let loss = loss.into_data().try_to_vec::<f32>();
        let loss = loss.map_err(|error| TrainError::Checkpoint(format!("{error:?}")))?;
        match loss.first() {
            Some(loss) if loss.is_finite() => Ok(f64::from(*loss)),
            _ => Err(TrainError::Disagreement("the loss is no longer a number".to_owned())),
        }
    }

    /// Measures, writes the model folder, then the checkpoint.
    fn finish_epoch(
        &mut self,
        valid: &[Face],
        loss: f64,
        checkpoints: &CheckpointFolder,
    ) -> Result<(), TrainError> {
        let side = self.settings.side(self.progress(0.0));
        let rows = figures::logits(&self.networks.average, valid, side, &self.config, &self.device)?;
        let accuracy = figures::accuracy(valid, &rows);
        let config = FaceConfig { temperature: figures::temperature(valid, &rows), ..self.config.clone() };
        export::write(&self.settings.output, &config, &self.networks.average)?;
        self.state = State {
            epoch: self.state.epoch + 1,
            minutes: self.minutes(),
            best: self.state.best.max(accuracy),
        };
        self.begun = Instant::now();
        log(&format!(
            "epoch {} at {side} pixels, {:.1} minutes: loss {loss:.4}, accuracy {accuracy:.4} (best {:.4}), \
             temperature {:.3}, next rate {:.5}",
            self.state.epoch,
            self.state.minutes,
            self.state.best,
            config.temperature,
            self.settings.rate(self.progress(0.0))
        ));
        let failed = |error: &dyn std::fmt::Display| TrainError::Checkpoint(error.to_string());
        let optimizer = self.optimizer.into_bytes().map_err(|error| failed(&error))?;
        checkpoints.save(self.state.epoch, self.networks.clone(), &optimizer, &self.state)
    }
}

fn progress_bar(length: u64, name: &str) -> ProgressBar {
    let bar = ProgressBar::new(length).with_prefix(name.to_owned());
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {eta} {msg}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

#[expect(clippy::print_stdout, reason = "the log of a run is its output")]
fn log(line: &str) {
    println!("{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use heartline_models::face::{FaceCrop, FaceModel};
    use std::fmt::Write;
    use std::path::Path;

    /// Light and dark stripes: lying ones are happy faces, standing ones are sad.
    fn stripe(happy: bool, x: u32, y: u32) -> u8 {
        if (if happy { y } else { x } / 8).is_multiple_of(2) { 60 } else { 180 }
    }

    /// Forty faces of both kinds.
    fn write_part(folder: &Path, part: &str, usage: &str) {
        let mut sheet = image::RgbImage::new(1920, 48);
        let mut rows = "head\n".to_owned();
        for index in 0..40_u32 {
            let happy = index % 2 == 0;
            let votes = if happy { "0\t10\t0\t0" } else { "0\t0\t0\t10" };
            for (x, y) in (0..48 * 48).map(|place| (place % 48, place / 48)) {
                let noise = u8::try_from((x * 7 + y * 13 + index) % 23).unwrap();
                sheet.put_pixel(index * 48 + x, y, image::Rgb([stripe(happy, x, y) + noise; 3]));
            }
            let mark = if usage == "Training" { -1 } else { 0 };
            writeln!(rows, "{index}\t0\ta\t{usage}\t0\t0\t{votes}\t0\t0\t0\t0\t0\t0\t{mark}").unwrap();
        }
        std::fs::write(folder.join(format!("ferplus_{part}_labels.tsv")), rows).unwrap();
        std::fs::create_dir(folder.join(format!("ferplus_{part}"))).unwrap();
        sheet.save(folder.join(format!("ferplus_{part}/faces_00.webp"))).unwrap();
    }

    #[test]
    fn a_run_learns_stops_and_goes_on_where_it_stopped() {
        let folder = tempfile::tempdir().unwrap();
        write_part(folder.path(), "train", "Training");
        write_part(folder.path(), "val", "PublicTest");
        let mut settings = Settings {
            data: folder.path().to_owned(),
            checkpoints: folder.path().join("checkpoints"),
            output: folder.path().join("model"),
            seed: 3,
            epochs: 5,
            minutes: None,
            batch: 8,
            learning_rate: 0.05,
            warm_up: 0.1,
            weight_decay: 1e-4,
            average: 0.8,
            sides: vec![(0.0, 24), (0.5, 48)],
            stem: 4,
            stages: vec![vec![4], vec![8]],
        };
        run(&settings).unwrap();
        let checkpoints = CheckpointFolder::new(&settings.checkpoints).unwrap();
        let state = |checkpoints: &CheckpointFolder| checkpoints.load::<State>().unwrap().unwrap().2;
        assert_eq!(state(&checkpoints).epoch, 5);
        settings.epochs = 6;
        run(&settings).unwrap();
        assert_eq!(state(&checkpoints).epoch, 6);
        assert!(state(&checkpoints).best > 0.9, "{:?}", state(&checkpoints));
        let model = FaceModel::load(&settings.output, &Device::cpu()).unwrap();
        let crop = |happy| {
            let pixels = (0..48 * 48).map(|place| stripe(happy, place % 48, place / 48)).collect();
            FaceCrop { pixels, quality: 1.0 }
        };
        let answers = model.predict(&[crop(true), crop(false)]).unwrap();
        assert!(answers[0].valence > answers[1].valence, "{answers:?}");
    }
}
