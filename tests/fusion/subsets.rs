//! Each subset of modalities against its best single one, the calibration of what comes out, and a lone modality.

use heartline::emotion::Modality::{self, Face, Text, Voice};
use heartline::emotion::{CATEGORY_COUNT, FusionConfig, Span, fuse, top_category};

use crate::figures::{Answers, Figures};
use crate::floors;
use crate::pairs::{Pair, Pools, Recipe};
use crate::random::Random;
use crate::table::held_out;

/// Pairs a seed.
const PAIRS: usize = 4_000;
const SEEDS: [u64; 3] = [1, 2, 3];

/// What the server's fusion says of a pair.
pub(crate) fn fused(pair: &Pair<'_>) -> [f32; CATEGORY_COUNT] {
    let readings: Vec<_> = pair.rows.iter().map(|row| row.reading(Span::new(0, 1_000))).collect();
    fuse(&readings, None, &FusionConfig::default()).vector.categories
}

/// The figures of the fusion, and of each modality of the recipe alone, over the same pairs.
pub(crate) fn measure(pools: &Pools<'_>, recipe: &Recipe<'_>, seed: u64) -> (Figures, Vec<Figures>) {
    let mut random = Random::new(seed);
    let mut together = Answers::default();
    let mut alone: Vec<Answers> = recipe.modalities.iter().map(|_| Answers::default()).collect();
    for _ in 0..PAIRS {
        let pair = pools.draw(recipe, &mut random);
        together.add(&fused(&pair), pair.truth);
        for row in &pair.rows {
            let place = recipe.modalities.iter().position(|modality| *modality == row.modality).unwrap();
            alone[place].add(&row.categories, pair.truth);
        }
    }
    (together.figures(), alone.iter().map(Answers::figures).collect())
}

fn names(modalities: &[Modality]) -> String {
    modalities.iter().map(|modality| modality.name()).collect::<Vec<_>>().join(" + ")
}

#[test]
fn every_subset_beats_its_best_single_modality() {
    let rows = held_out();
    let pools = Pools::new(&rows);
    println!(
        "| read | accuracy | macro-F1 | log-loss | calibration error | gain in accuracy, by seed |\n|---|---|---|---|---|---|"
    );
    for modality in Modality::ALL {
        let (_, alone) = measure(&pools, &Recipe::usual(&[modality]), SEEDS[0]);
        println!("| {modality} alone | {} | |", alone[0].row());
    }
    let mut misses = Vec::new();
    for (modalities, margin) in floors::MARGINS {
        for shared in [0.0, 0.4] {
            let recipe = Recipe { shared, ..Recipe::usual(modalities) };
            let results: Vec<_> = SEEDS.iter().map(|seed| measure(&pools, &recipe, *seed)).collect();
            let gain = |value: fn(&Figures) -> f64| -> Vec<f64> {
                let best = |alone: &[Figures]| alone.iter().map(value).fold(0.0, f64::max);
                results.iter().map(|(together, alone)| value(together) - best(alone)).collect()
            };
            let (accuracy, f1) = (gain(|figures| figures.accuracy), gain(|figures| figures.macro_f1));
            let gains: Vec<String> = accuracy.iter().map(|gain| format!("{gain:+.3}")).collect();
            let name = names(modalities);
            println!("| {name}, shared difficulty {shared} | {} | {} |", results[0].0.row(), gains.join(" "));
            if accuracy.iter().chain(&f1).any(|gain| *gain < margin) {
                misses.push(format!("{name} at {shared}: accuracy {accuracy:?}, F1 {f1:?}, margin {margin}"));
            }
        }
    }
    assert!(misses.is_empty(), "{misses:#?}");
}

#[test]
fn the_fused_probabilities_are_as_sure_as_they_are_right() {
    let rows = held_out();
    let pools = Pools::new(&rows);
    let shares = FusionConfig::default().prior;
    let mut misses = Vec::new();
    println!(
        "| read | shared difficulty | calibration error | mean confidence | accuracy |\n|---|---|---|---|---|"
    );
    for (modalities, _) in floors::MARGINS {
        for shared in [0.0, 0.4, 0.8] {
            let (together, _) = measure(&pools, &Recipe { shares, shared, ..Recipe::usual(modalities) }, 4);
            let (error, confidence) = (together.calibration_error, together.confidence);
            let name = names(modalities);
            println!("| {name} | {shared} | {error:.3} | {confidence:.3} | {:.3} |", together.accuracy);
            if error > floors::CALIBRATION_ERROR || confidence > together.accuracy + floors::OVERCONFIDENCE {
                misses.push(format!("{name} at {shared}: {error:.3}"));
            }
        }
    }
    assert!(misses.is_empty(), "{misses:?}");
}

#[test]
fn a_modality_alone_says_what_it_read() {
    let rows = held_out();
    for row in rows.iter().filter(|row| row.quality > 0.0) {
        let alone = fused(&Pair { truth: top_category(&row.categories).0, rows: vec![row] });
        assert_eq!(top_category(&alone).0, top_category(&row.categories).0, "{row:?}");
    }
}

#[test]
fn dropping_a_modality_gives_what_the_others_say() {
    let rows = held_out();
    let pools = Pools::new(&rows);
    let mut random = Random::new(9);
    for _ in 0..500 {
        let mut pair = pools.draw(&Recipe::usual(&[Text, Voice, Face]), &mut random);
        let dropped = pair.rows.remove(random.below(3));
        let two = fused(&pair);
        // A reading of quality 0 is the same as none.
        let silent = crate::table::Row { quality: 0.0, ..dropped.clone() };
        pair.rows.push(&silent);
        assert_eq!(fused(&pair), two);
    }
}
