//! A simulation: is the fusion better than its best single modality?
//!
//! Each modality sees the true category through Gaussian noise: its score for category c is `strength` x [c is true]
//! plus noise whose size depends on the true category (some states are hard to see for some modalities), and its
//! probabilities are the softmax of log prior + scores, sharpened a little, since real models are too sure of
//! themselves. The strength is found by bisection so that the accuracy is the one asked for. Noise is independent
//! between modalities; on real calls errors are correlated, so real gains are smaller than the ones here.

use super::FusionConfig;
use super::pool::softmax;
use super::testing::{fused, reading};
use crate::emotion::{Category, Modality, Reading, top_category};

const SAMPLES: usize = 6_000;
/// How much too sure the simulated models are.
const SHARPENING: f32 = 1.15;

/// A small seeded generator (splitmix64), so that the figures never change.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    }

    /// Even in (0, 1).
    fn uniform(&mut self) -> f32 {
        ((self.next() >> 40) as f32 + 0.5) / (1u64 << 24) as f32
    }

    /// Standard normal.
    fn normal(&mut self) -> f32 {
        let (radius, angle) = (self.uniform(), self.uniform());
        (-2.0 * radius.ln()).sqrt() * (std::f32::consts::TAU * angle).cos()
    }

    fn category(&mut self, prior: &[f32; 7]) -> Category {
        let mut left = self.uniform();
        for category in Category::ALL {
            left -= prior[category.index()];
            if left < 0.0 {
                return category;
            }
        }
        Category::Fear
    }
}

/// How large a modality's noise is for each true category.
const fn noise(modality: Modality) -> [f32; 7] {
    match modality {
        Modality::Text => [0.9, 0.9, 1.2, 1.0, 1.0, 1.1, 1.1],
        Modality::Voice => [1.0, 1.2, 1.0, 0.9, 0.8, 1.2, 1.1],
        Modality::Face => [1.0, 0.7, 0.9, 1.2, 1.1, 1.2, 1.1],
    }
}

/// The predictions of one modality for known truths.
fn predict(modality: Modality, truths: &[Category], strength: f32, seed: u64) -> Vec<[f32; 7]> {
    let prior = FusionConfig::default().prior;
    let mut random = Random(seed + modality.index() as u64);
    truths
        .iter()
        .map(|truth| {
            let size = noise(modality)[truth.index()];
            let mut scores = prior.map(f32::ln);
            for (index, score) in scores.iter_mut().enumerate() {
                let signal = if index == truth.index() { strength } else { 0.0 };
                *score += strength * (signal + size * random.normal());
                *score *= SHARPENING;
            }
            softmax(scores)
        })
        .collect()
}

fn accuracy(predictions: impl Iterator<Item = [f32; 7]>, truths: &[Category]) -> f32 {
    let right = predictions.zip(truths).filter(|(found, truth)| top_category(found).0 == **truth).count();
    right as f32 / truths.len() as f32
}

/// Predictions whose accuracy is the one asked for.
fn predict_at(modality: Modality, truths: &[Category], asked: f32, seed: u64) -> Vec<[f32; 7]> {
    let (mut low, mut high) = (0.0, 6.0);
    for _ in 0..20 {
        let middle = (low + high) / 2.0;
        if accuracy(predict(modality, truths, middle, seed).into_iter(), truths) < asked {
            low = middle;
        } else {
            high = middle;
        }
    }
    predict(modality, truths, high, seed)
}

fn truths(seed: u64) -> Vec<Category> {
    let mut random = Random(seed);
    (0..SAMPLES).map(|_| random.category(&FusionConfig::default().prior)).collect()
}

fn simulated(modality: Modality, categories: [f32; 7], quality: f32) -> Reading {
    Reading { categories, quality, ..reading(modality, 1_000, Category::Neutral, 0.5) }
}

/// The accuracy of the fusion of some modalities.
fn fused_accuracy(parts: &[(Modality, &[[f32; 7]], f32)], truths: &[Category]) -> f32 {
    let predictions = (0..truths.len()).map(|index| {
        let readings: Vec<_> = parts
            .iter()
            .map(|(modality, predictions, quality)| simulated(*modality, predictions[index], *quality))
            .collect();
        fused(&readings).vector.categories
    });
    accuracy(predictions, truths)
}

const ASKED: [f32; 3] = [0.62, 0.60, 0.80];

#[test]
fn the_fusion_beats_its_best_modality_for_every_subset() {
    let truths = truths(7);
    let predictions =
        Modality::ALL.map(|modality| predict_at(modality, &truths, ASKED[modality.index()], 11));
    let single = [0, 1, 2].map(|index| accuracy(predictions[index].iter().copied(), &truths));
    for (found, asked) in single.iter().zip(ASKED) {
        assert!((found - asked).abs() < 0.01, "the simulation reaches {found}, not {asked}");
    }
    let subsets: [&[usize]; 4] = [&[0, 1], &[0, 2], &[1, 2], &[0, 1, 2]];
    for subset in subsets {
        let parts: Vec<_> =
            subset.iter().map(|index| (Modality::ALL[*index], predictions[*index].as_slice(), 0.9)).collect();
        let best = subset.iter().map(|index| single[*index]).fold(0.0, f32::max);
        let together = fused_accuracy(&parts, &truths);
        println!("{subset:?}: best single {best:.3}, fused {together:.3}");
        assert!(together > best + 0.02, "{subset:?}: fused {together}, best single {best}");
    }
}

#[test]
fn noise_of_low_quality_does_no_harm() {
    let truths = truths(8);
    for (good, bad) in [
        (Modality::Text, Modality::Face),
        (Modality::Text, Modality::Voice),
        (Modality::Face, Modality::Voice),
        (Modality::Voice, Modality::Text),
    ] {
        let predictions = predict_at(good, &truths, ASKED[good.index()], 12);
        // Sure of itself and always at random: scores as strong as a good model's, for a category drawn anew.
        let wrong = self::truths(99);
        let noise = predict_at(bad, &wrong, 0.8, 1_000);
        let alone = accuracy(predictions.iter().copied(), &truths);
        let single = fused_accuracy(&[(good, &predictions, 0.9)], &truths);
        let together = fused_accuracy(&[(good, &predictions, 0.9), (bad, &noise, 0.05)], &truths);
        println!("{good} {alone:.3}, through the fusion {single:.3}, with noise as {bad} {together:.3}");
        assert!(together > alone - 0.004, "{good} alone {alone}, with noise {together}");
    }
}
