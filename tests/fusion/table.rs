//! The committed readings, as the server would get them.

use std::path::Path;

use heartline::emotion::{CATEGORY_COUNT, Category, Modality, Reading, ServiceHints, Span};

/// Where a category lies between unpleasant and pleasant, and between calm and excited.
const VALENCE: [f32; CATEGORY_COUNT] = [0.0, 0.8, 0.1, -0.7, -0.7, -0.6, -0.6];
const AROUSAL: [f32; CATEGORY_COUNT] = [-0.1, 0.4, 0.6, -0.3, 0.7, 0.3, 0.5];

/// One line of `readings.csv`.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) modality: Modality,
    pub(crate) condition: String,
    pub(crate) held_out: bool,
    /// None for noise.
    pub(crate) truth: Option<Category>,
    /// The quality of the server's reading: the material's quality times its familiarity.
    pub(crate) quality: f32,
    pub(crate) categories: [f32; CATEGORY_COUNT],
    /// Whether the quality is the one that the models gave.
    pub(crate) is_rated: bool,
}

impl Row {
    fn parse(line: &str) -> Option<Self> {
        let cells: Vec<&str> = line.split(',').collect();
        let [modality, _, _, _, condition, half, truth, quality, familiarity, parts @ ..] = cells.as_slice()
        else {
            return None;
        };
        let modality = Modality::ALL.into_iter().find(|known| known.name() == *modality)?;
        let mut categories = [0.0; CATEGORY_COUNT];
        if parts.len() != categories.len() {
            return None;
        }
        for (category, part) in categories.iter_mut().zip(parts) {
            *category = part.parse::<f32>().ok()? / 10_000.0;
        }
        let sum: f32 = categories.iter().sum();
        Some(Self {
            modality,
            condition: (*condition).to_owned(),
            held_out: *half == "held",
            truth: Category::ALL.into_iter().find(|category| category.name() == *truth),
            quality: quality.parse::<f32>().ok()? * familiarity.parse::<f32>().ok()?,
            categories: categories.map(|category| category / sum),
            is_rated: true,
        })
    }

    /// Whether nothing was done to the material.
    pub(crate) fn is_clean(&self) -> bool {
        matches!(self.condition.as_str(), "as_is" | "clean")
    }

    /// A reading of this, ending at a moment.
    pub(crate) fn reading(&self, span: Span) -> Reading {
        let expect = |anchors: &[f32; CATEGORY_COUNT]| -> f32 {
            anchors.iter().zip(self.categories).map(|(anchor, share)| anchor * share).sum()
        };
        Reading {
            modality: self.modality,
            span,
            categories: self.categories,
            valence: expect(&VALENCE),
            arousal: expect(&AROUSAL),
            dominance: None,
            service: ServiceHints::default(),
            labels: Vec::new(),
            quality: self.quality,
            face: None,
            model: format!("{}/1", self.modality),
        }
    }
}

/// The quality of noise that is known to be noise.
const KNOWN_NOISE: f32 = 0.05;

/// The rows that the fusion was not fitted to, and their noise once more as if it had been rated as it should be.
pub(crate) fn held_out() -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fusion/readings.csv");
    let text = std::fs::read_to_string(path).unwrap();
    let rows: Vec<Row> = text.lines().skip(1).map(|line| Row::parse(line).unwrap()).collect();
    let mut held: Vec<Row> = rows.into_iter().filter(|row| row.held_out).collect();
    let noise: Vec<Row> = held.iter().filter(|row| row.truth.is_none()).cloned().collect();
    held.extend(noise.into_iter().map(|row| Row { quality: KNOWN_NOISE, is_rated: false, ..row }));
    held
}

#[test]
fn every_modality_has_every_category_and_noise() {
    let rows = held_out();
    for modality in Modality::ALL {
        for truth in Category::ALL.map(Some).into_iter().chain([None]) {
            let found = rows.iter().filter(|row| row.modality == modality && row.truth == truth).count();
            assert!(found >= 8, "{found} readings of {modality}, {truth:?}");
        }
    }
}
