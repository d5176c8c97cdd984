//! One modality goes bad: the others, which read clean material, must not suffer.

use heartline::emotion::Modality::{self, Face, Text, Voice};

use crate::figures::Figures;
use crate::floors;
use crate::pairs::{Corruption, Pools, Recipe};
use crate::subsets::measure;
use crate::table::held_out;

const SETTINGS: [&[Modality]; 9] = [
    &[Voice, Text],
    &[Face, Text],
    &[Voice, Face, Text],
    &[Text, Voice],
    &[Face, Voice],
    &[Text, Face, Voice],
    &[Text, Face],
    &[Voice, Face],
    &[Text, Voice, Face],
];

/// The accuracy together and the best accuracy of the others, where the last modality is corrupted.
fn against(pools: &Pools<'_>, modalities: &[Modality], corruption: Corruption, seed: u64) -> (f64, f64) {
    let bad = modalities.last().copied().map(|bad| (bad, corruption));
    let recipe = Recipe { corrupted: bad, spoilt: 0.0, ..Recipe::usual(modalities) };
    let (together, alone) = measure(pools, &recipe, seed);
    let others = alone[..alone.len() - 1].iter().map(|figures: &Figures| figures.accuracy);
    (together.accuracy, others.fold(0.0, f64::max))
}

/// Means over the seeds of [`against`].
fn mean(pools: &Pools<'_>, modalities: &[Modality], corruption: Corruption) -> (f64, f64) {
    let results = [1, 2, 3].map(|seed| against(pools, modalities, corruption, seed));
    let sum = results.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    (sum.0 / results.len() as f64, sum.1 / results.len() as f64)
}

#[test]
fn noise_in_one_modality_does_no_harm() {
    let rows = held_out();
    let pools = Pools::new(&rows);
    println!(
        "| good | bad | best of the good alone | with known noise | with noise as rated | with a stranger |\n\
         |---|---|---|---|---|---|"
    );
    let mut misses = Vec::new();
    for modalities in SETTINGS {
        let (good, bad) = modalities.split_at(modalities.len() - 1);
        let (known, best) = mean(&pools, modalities, Corruption::KnownNoise);
        let (rated, _) = mean(&pools, modalities, Corruption::Noise);
        let (stranger, _) = mean(&pools, modalities, Corruption::Stranger);
        println!("| {good:?} | {bad:?} | {best:.3} | {known:.3} | {rated:.3} | {stranger:.3} |");
        // Two good ones outvote noise, however it is rated; one cannot.
        let (loss, rated_loss) = if good.len() > 1 {
            (floors::OUTVOTED_NOISE_LOSS, floors::OUTVOTED_NOISE_LOSS)
        } else {
            (floors::KNOWN_NOISE_LOSS, floors::RATED_NOISE_LOSS)
        };
        if known < best - loss || rated < best - rated_loss {
            misses.push(format!("{good:?} with noise for {bad:?}: {known:.3}, {rated:.3} below {best:.3}"));
        }
    }
    assert!(misses.is_empty(), "{misses:#?}");
}
