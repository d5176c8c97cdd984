//! Drawing clips so that no set and no category dominates, and putting windows into batches.

use std::collections::BTreeMap;

use burn::tensor::{Bool, Device, Tensor, TensorData};
use half::slice::HalfFloatSliceExt;
use heartline_models::CATEGORY_COUNT;
use rand::RngExt;
use rand::rngs::StdRng;

use super::clips::Clip;
use super::features::Window;
use crate::error::TrainError;

/// Draws clips: first a set by its weight, then a category of the set, then a clip.
pub(crate) struct Sampler {
    sets: Vec<(f64, Vec<Vec<usize>>)>,
}

impl Sampler {
    /// From clips and the weights of their sets.
    pub(crate) fn new(clips: &[Clip], weights: &BTreeMap<String, f64>) -> Result<Self, TrainError> {
        let mut sets: BTreeMap<&str, Vec<Vec<usize>>> = BTreeMap::new();
        for (index, clip) in clips.iter().enumerate() {
            let categories = sets.entry(&clip.set).or_insert_with(|| vec![Vec::new(); CATEGORY_COUNT]);
            categories[clip.category.index()].push(index);
        }
        let mut weighted = Vec::new();
        for (set, mut categories) in sets {
            let weight = weights.get(set).copied().filter(|weight| weight.is_finite() && *weight >= 0.0);
            let weight = weight
                .ok_or_else(|| TrainError::Arguments(format!("set_weights has no weight for {set}")))?;
            categories.retain(|clips| !clips.is_empty());
            weighted.push((weight, categories));
        }
        Ok(Self { sets: weighted })
    }

    /// The index of a clip.
    pub(crate) fn draw(&self, random: &mut StdRng) -> usize {
        let total: f64 = self.sets.iter().map(|(weight, _)| weight).sum();
        let mut left = random.random::<f64>() * total;
        let mut chosen = &self.sets[0].1;
        for (weight, categories) in &self.sets {
            if *weight > 0.0 {
                chosen = categories;
                left -= weight;
                if left <= 0.0 {
                    break;
                }
            }
        }
        let clips = &chosen[random.random_range(0..chosen.len())];
        clips[random.random_range(0..clips.len())]
    }
}

/// A window and the frames of it that are used: every `stride`-th from `offset` on.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) window: &'a Window,
    pub(crate) stride: usize,
    pub(crate) offset: usize,
}

impl View<'_> {
    fn frames(&self, width: usize) -> usize {
        (self.window.values.len() / width).saturating_sub(self.offset).div_ceil(self.stride)
    }
}

/// Frames `[batch, time, width]` and what of `[batch, time]` is padding.
pub(crate) fn assemble(views: &[View<'_>], width: usize, device: &Device) -> (Tensor<3>, Tensor<2, Bool>) {
    let longest = views.iter().map(|view| view.frames(width)).max().unwrap_or(0);
    let mut values = vec![0.0_f32; views.len() * longest * width];
    let mut absent = vec![true; views.len() * longest];
    for (row, view) in views.iter().enumerate() {
        let frames = view.window.values.chunks_exact(width).skip(view.offset).step_by(view.stride);
        for (time, frame) in frames.enumerate() {
            let start = (row * longest + time) * width;
            frame.convert_to_f32_slice(&mut values[start..start + width]);
            absent[row * longest + time] = false;
        }
    }
    let frames = Tensor::from_data(TensorData::new(values, [views.len(), longest, width]), device);
    (frames, Tensor::from_data(TensorData::new(absent, [views.len(), longest]), device))
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::f16;
    use heartline_models::Category;
    use rand::SeedableRng;
    use std::path::PathBuf;

    #[test]
    fn sets_are_drawn_by_weight_and_categories_evenly() {
        let clip = |set: &str, category| Clip {
            path: PathBuf::new(),
            set: set.to_owned(),
            speaker: String::new(),
            category,
        };
        let mut clips = vec![clip("small", Category::Anger)];
        clips.extend((0..9).map(|_| clip("large", Category::Neutral)));
        clips.push(clip("large", Category::Fear));
        let weights = BTreeMap::from([("small".to_owned(), 1.0), ("large".to_owned(), 3.0)]);
        let sampler = Sampler::new(&clips, &weights).unwrap();
        let mut random = StdRng::seed_from_u64(1);
        let mut drawn = vec![0_u32; clips.len()];
        (0..4000).for_each(|_| drawn[sampler.draw(&mut random)] += 1);
        assert!((900..1100).contains(&drawn[0]), "{drawn:?}");
        assert!((1350..1650).contains(&drawn[10]), "{drawn:?}");
        assert!(Sampler::new(&clips, &BTreeMap::new()).is_err());
    }

    #[test]
    fn views_skip_frames_and_mark_padding() {
        let window = |frames: u8| Window {
            clip: 0,
            values: (0..frames).flat_map(|frame| [f16::from_f32(f32::from(frame)); 2]).collect(),
        };
        let (long, short) = (window(5), window(2));
        let views =
            [View { window: &long, stride: 2, offset: 1 }, View { window: &short, stride: 2, offset: 1 }];
        let device = heartline_models::Device::cpu();
        let (frames, absent) = assemble(&views, 2, device.as_burn());
        assert_eq!(frames.dims(), [2, 2, 2]);
        let values = frames.into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(values, [1.0, 1.0, 3.0, 3.0, 1.0, 1.0, 0.0, 0.0]);
        assert_eq!(absent.into_data().try_to_vec::<bool>().unwrap(), [false, false, false, true]);
    }
}
