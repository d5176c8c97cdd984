//! Readings of several modalities put together by their true category.
//!
//! Readings of different people who showed the same are paired, since no recordings with words, voice and face of the
//! same people were to be had. Three things of real calls are put back by chance: modalities that are missing, readings
//! of spoilt material and of nothing at all, and moments that are hard for every modality at once.

use heartline_models::CATEGORY_COUNT;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::pool::{Part, Sample};
use super::table::{Modality, Row};

/// No reading gives a category less, as in the server.
const PROBABILITY_FLOOR: f32 = 0.005;
/// The share of readings of spoilt material.
const SPOILT: f64 = 0.4;
/// The share of pairs in which one modality reads nothing but noise.
const NOISE: f64 = 0.2;
/// The share of pairs in which one modality reads somebody who shows something else.
const STRANGER: f64 = 0.05;
/// The share of pairs in which all modalities read the same other category, as when somebody smiles in anger: what keeps
/// three modalities that agree from becoming certain.
const COMMON_ERROR: f64 = 0.1;
/// The correlation of the ranks, from hard to easy, of readings that are put together. On calls it is unknown; 0.4
/// lets modalities fail together often enough that three of them do not become certain.
const SHARED_DIFFICULTY: f64 = 0.4;
/// Every non-empty subset of the modalities, one bit each.
const SUBSETS: [u8; 7] = [1, 2, 4, 3, 5, 6, 7];

/// Rows by modality and category, from hard to easy.
pub(super) struct Pools<'a> {
    clean: [[Vec<&'a Row>; CATEGORY_COUNT]; 3],
    spoilt: [[Vec<&'a Row>; CATEGORY_COUNT]; 3],
    noise: [Vec<&'a Row>; 3],
}

impl<'a> Pools<'a> {
    /// Sorts rows. Those of quality 0 make no readings: they are left out, but for noise, which may thus be no reading.
    pub(super) fn new(rows: impl Iterator<Item = &'a Row>) -> Self {
        let mut pools =
            Self { clean: Default::default(), spoilt: Default::default(), noise: Default::default() };
        for row in rows {
            let modality = row.modality.index();
            match row.category() {
                None => pools.noise[modality].push(row),
                Some(_) if row.quality * row.familiarity <= 0.0 => {}
                Some(truth) if is_clean(row) => pools.clean[modality][truth.index()].push(row),
                Some(truth) => pools.spoilt[modality][truth.index()].push(row),
            }
        }
        for by_category in pools.clean.iter_mut().chain(&mut pools.spoilt) {
            for (truth, rows) in by_category.iter_mut().enumerate() {
                rows.sort_by(|left, right| left.categories()[truth].total_cmp(&right.categories()[truth]));
            }
        }
        pools
    }

    /// The first modality and category without a clean reading, of which no pair could be made.
    pub(super) fn gap(&self) -> Option<(Modality, usize)> {
        let all = Modality::ALL
            .into_iter()
            .flat_map(|modality| (0..CATEGORY_COUNT).map(move |truth| (modality, truth)));
        all.into_iter().find(|(modality, truth)| self.clean[modality.index()][*truth].is_empty())
    }

    /// Pairs, all categories and all subsets alike.
    pub(super) fn draw(&self, count: usize, seed: u64) -> Vec<Sample> {
        let mut random = StdRng::seed_from_u64(seed);
        (0..count).map(|_| self.draw_one(&mut random)).collect()
    }

    fn draw_one(&self, random: &mut StdRng) -> Sample {
        let truth = random.random_range(0..CATEGORY_COUNT);
        let subset = SUBSETS[random.random_range(0..SUBSETS.len())];
        let bad = (subset.count_ones() > 1).then(|| random.random_range(0..3));
        let fate = random.random::<f64>();
        let other = (truth + random.random_range(1..CATEGORY_COUNT)) % CATEGORY_COUNT;
        let shown = if random.random_bool(COMMON_ERROR) { other } else { truth };
        let common = normal(random);
        let mut parts = [None; 3];
        for (modality, part) in
            parts.iter_mut().enumerate().filter(|(modality, _)| subset >> modality & 1 == 1)
        {
            let ease = SHARED_DIFFICULTY.sqrt() * common + (1.0 - SHARED_DIFFICULTY).sqrt() * normal(random);
            let rank = cumulative(ease);
            let row = if bad == Some(modality) && fate < NOISE {
                let noise = &self.noise[modality];
                (!noise.is_empty()).then(|| noise[random.random_range(0..noise.len())])
            } else if bad == Some(modality) && fate < NOISE + STRANGER {
                Some(self.pick(modality, other, rank, random))
            } else {
                Some(self.pick(modality, shown, rank, random))
            };
            *part = row.and_then(as_part);
        }
        Sample { truth, parts }
    }

    fn pick(&self, modality: usize, truth: usize, rank: f64, random: &mut StdRng) -> &'a Row {
        let (clean, spoilt) = (&self.clean[modality][truth], &self.spoilt[modality][truth]);
        let pool = if random.random_bool(SPOILT) && !spoilt.is_empty() { spoilt } else { clean };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the pool")]
        let place = (rank * pool.len() as f64) as usize;
        pool[place.min(pool.len() - 1)]
    }
}

fn is_clean(row: &Row) -> bool {
    matches!(row.condition.as_str(), "as_is" | "clean")
}

/// None for a reading of quality 0.
fn as_part(row: &Row) -> Option<Part> {
    let categories = row.categories();
    let sum: f32 = categories.iter().sum();
    let quality = row.quality * row.familiarity;
    (quality > 0.0).then(|| Part {
        log_probabilities: categories.map(|share| f64::from((share / sum).max(PROBABILITY_FLOOR)).ln()),
        log_quality: f64::from(quality).ln(),
    })
}

fn normal(random: &mut StdRng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

/// The normal distribution's cumulative probability, within 0.0002: a logistic curve with a cubic correction.
fn cumulative(value: f64) -> f64 {
    1.0 / (1.0 + (-(1.5976 * value + 0.070_56 * value.powi(3))).exp())
}

#[cfg(test)]
mod tests {
    use heartline_models::Category;

    use super::super::table::{Answer, Item, Row};
    use super::*;

    /// Readings that are right with different certainty, and noise.
    pub(in crate::fusion) fn rows() -> Vec<Row> {
        let mut rows = Vec::new();
        for modality in Modality::ALL {
            for truth in Category::ALL.map(Some).into_iter().chain([None]) {
                for place in 0..20_u8 {
                    let sure = truth.map_or(0.1, |_| 0.2 + 0.03 * f32::from(place));
                    let mut categories = [(1.0 - sure) / 6.0; CATEGORY_COUNT];
                    categories[truth.map_or(3, Category::index)] = sure;
                    let set = "test".to_owned();
                    let item = Item { modality, set, place: place.into(), candidates: 20, truth };
                    let condition = if place.is_multiple_of(4) { "dark" } else { "clean" };
                    let quality = if truth.is_none() { 0.3 } else { 0.9 };
                    rows.push(Row::new(&item, condition, Answer { categories, quality, familiarity: 1.0 }));
                }
            }
        }
        rows
    }

    #[test]
    fn every_subset_and_category_is_drawn_and_the_seed_decides() {
        let rows = rows();
        let pools = Pools::new(rows.iter());
        assert!(pools.gap().is_none());
        let samples = pools.draw(2000, 1);
        let present = |sample: &Sample| sample.parts.iter().flatten().count();
        for count in 1..=3 {
            assert!(samples.iter().filter(|sample| present(sample) == count).count() > 200);
        }
        assert!((0..CATEGORY_COUNT).all(|truth| samples.iter().any(|sample| sample.truth == truth)));
        assert_eq!(samples, pools.draw(2000, 1));
    }

    #[test]
    fn a_category_without_readings_is_named() {
        let rows: Vec<Row> = rows().into_iter().filter(|row| row.truth != "fear").collect();
        assert_eq!(Pools::new(rows.iter()).gap(), Some((Modality::Text, Category::Fear.index())));
    }

    #[test]
    fn hard_moments_are_hard_for_all() {
        let rows = rows();
        let samples = Pools::new(rows.iter()).draw(4000, 2);
        let pairs: Vec<(f64, f64)> = samples
            .iter()
            .filter_map(|sample| {
                let sure = |part: &Part| part.log_probabilities[sample.truth];
                Some((sure(sample.parts[0].as_ref()?), sure(sample.parts[2].as_ref()?)))
            })
            .collect();
        let (left, right): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let correlation = crate::metrics::pearson(&left, &right);
        assert!((0.3..0.7).contains(&correlation), "{correlation}");
    }
}
