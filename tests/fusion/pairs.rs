//! Readings of several modalities put together by their true category.
//!
//! No recordings with words, voice and face of the same people were to be had, so readings of different people who
//! showed the same are paired. What such pairs lack is that on a call a moment that is hard to read in the voice is
//! often hard to read on the face too. `shared` puts that back: the ranks of the readings, from hard to easy, are
//! drawn with this correlation.

use heartline::emotion::{CATEGORY_COUNT, Category, Modality};

use crate::random::Random;
use crate::table::Row;

/// What is wrong with one modality of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Corruption {
    /// It reads something without any emotion in it: noise, a wall, digits; with the quality that it is rated at.
    Noise,
    /// The same, where the rating is what it should be.
    KnownNoise,
    /// It reads somebody who shows something else, and reads them well.
    Stranger,
}

/// How pairs are drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recipe<'a> {
    pub(crate) modalities: &'a [Modality],
    /// The share of readings of spoilt material.
    pub(crate) spoilt: f32,
    /// The correlation of difficulty.
    pub(crate) shared: f32,
    /// How common each category is.
    pub(crate) shares: [f32; CATEGORY_COUNT],
    pub(crate) corrupted: Option<(Modality, Corruption)>,
}

impl<'a> Recipe<'a> {
    /// All categories alike, three readings of ten spoilt, a correlation of 0.4 of difficulty, none corrupted.
    pub(crate) fn usual(modalities: &'a [Modality]) -> Self {
        Self { modalities, spoilt: 0.3, shared: 0.4, shares: [1.0 / 7.0; CATEGORY_COUNT], corrupted: None }
    }
}

/// A true category and what each modality read of it.
#[derive(Debug, Clone)]
pub(crate) struct Pair<'a> {
    pub(crate) truth: Category,
    pub(crate) rows: Vec<&'a Row>,
}

/// Rows by modality and category, from hard to easy.
pub(crate) struct Pools<'a> {
    clean: [[Vec<&'a Row>; CATEGORY_COUNT]; 3],
    spoilt: [[Vec<&'a Row>; CATEGORY_COUNT]; 3],
    noise: [Vec<&'a Row>; 3],
    known_noise: [Vec<&'a Row>; 3],
}

impl<'a> Pools<'a> {
    pub(crate) fn new(rows: &'a [Row]) -> Self {
        let noise = |rated: bool| {
            Modality::ALL.map(|modality| {
                let own = rows.iter().filter(|row| row.modality == modality && row.truth.is_none());
                own.filter(|row| row.is_rated == rated).collect()
            })
        };
        let usable =
            |modality: Modality| rows.iter().filter(move |row| row.modality == modality && row.quality > 0.0);
        let sorted = |clean: bool| {
            Modality::ALL.map(|modality| {
                Category::ALL.map(|truth| {
                    let own =
                        usable(modality).filter(|row| row.truth == Some(truth) && row.is_clean() == clean);
                    let mut own: Vec<&Row> = own.collect();
                    let ease = |row: &Row| row.categories[truth.index()];
                    own.sort_by(|left, right| ease(left).total_cmp(&ease(right)));
                    own
                })
            })
        };
        Self { clean: sorted(true), spoilt: sorted(false), noise: noise(true), known_noise: noise(false) }
    }

    fn noise(&self, corruption: Corruption) -> &[Vec<&'a Row>; 3] {
        if corruption == Corruption::KnownNoise { &self.known_noise } else { &self.noise }
    }

    /// One pair.
    pub(crate) fn draw(&self, recipe: &Recipe<'_>, random: &mut Random) -> Pair<'a> {
        let truth = random.category(&recipe.shares);
        let common = random.normal();
        let mut rows = Vec::with_capacity(recipe.modalities.len());
        for modality in recipe.modalities {
            let ease = recipe.shared.sqrt() * common + (1.0 - recipe.shared).sqrt() * random.normal();
            let rank = cumulative(ease);
            let corruption = recipe.corrupted.filter(|(bad, _)| bad == modality).map(|(_, how)| how);
            let row = match corruption {
                None => Some(self.pick(*modality, truth, recipe.spoilt, rank, random)),
                Some(Corruption::Stranger) => {
                    let other = (truth.index() + 1 + random.below(CATEGORY_COUNT - 1)) % CATEGORY_COUNT;
                    Some(self.pick(*modality, Category::ALL[other], 0.0, rank, random))
                }
                // Noise may be of quality 0 and then makes no reading at all.
                Some(how) => {
                    let noise = &self.noise(how)[modality.index()];
                    (!noise.is_empty()).then(|| noise[random.below(noise.len())])
                }
            };
            rows.extend(row);
        }
        Pair { truth, rows }
    }

    /// A row of a category at a rank from hard (0) to easy (1).
    pub(crate) fn pick(
        &self,
        modality: Modality,
        truth: Category,
        spoilt: f32,
        rank: f32,
        random: &mut Random,
    ) -> &'a Row {
        let (clean, bad) =
            (&self.clean[modality.index()][truth.index()], &self.spoilt[modality.index()][truth.index()]);
        let pool = if random.uniform() < spoilt && !bad.is_empty() { bad } else { clean };
        pool[((rank * pool.len() as f32) as usize).min(pool.len() - 1)]
    }
}

/// The normal distribution's cumulative probability, within 0.0002: a logistic curve with a cubic correction.
pub(crate) fn cumulative(value: f32) -> f32 {
    1.0 / (1.0 + (-(1.5976 * value + 0.070_56 * value.powi(3))).exp())
}

#[test]
fn shared_difficulty_makes_readings_hard_together() {
    let rows = crate::table::held_out();
    let pools = Pools::new(&rows);
    let both_wrong = |shared: f32| {
        let recipe = Recipe { shared, ..Recipe::usual(&Modality::ALL[..2]) };
        let mut random = Random::new(3);
        (0..20_000)
            .filter(|_| {
                let pair = pools.draw(&recipe, &mut random);
                let wrong = |row: &&Row| heartline::emotion::top_category(&row.categories).0 != pair.truth;
                pair.rows.iter().all(wrong)
            })
            .count()
    };
    let (apart, together) = (both_wrong(0.0), both_wrong(0.8));
    assert!(together > apart + apart / 10, "{together} {apart}");
}
