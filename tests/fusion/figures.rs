//! What is measured of answers whose truth is known.

use heartline::emotion::{CATEGORY_COUNT, Category, top_category};

/// Into how many parts confidence is cut for the calibration error.
const BINS: usize = 10;

/// Answers with their truths.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    counts: [[f64; CATEGORY_COUNT]; CATEGORY_COUNT],
    surprise: f64,
    bins: [(f64, f64); BINS],
    count: f64,
}

/// The figures of a set of answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) accuracy: f64,
    pub(crate) macro_f1: f64,
    /// The mean of -ln(probability of the truth).
    pub(crate) log_loss: f64,
    /// The mean distance between how sure the answers are and how often they are right.
    pub(crate) calibration_error: f64,
    /// How sure the answers are on average.
    pub(crate) confidence: f64,
}

impl Answers {
    pub(crate) fn add(&mut self, categories: &[f32; CATEGORY_COUNT], truth: Category) {
        let (found, probability) = top_category(categories);
        self.counts[truth.index()][found.index()] += 1.0;
        self.surprise -= f64::from(categories[truth.index()].max(1e-4)).ln();
        let bin = &mut self.bins[((probability * BINS as f32) as usize).min(BINS - 1)];
        bin.0 += f64::from(probability);
        bin.1 += f64::from(u8::from(found == truth));
        self.count += 1.0;
    }

    pub(crate) fn figures(&self) -> Figures {
        let right: f64 = (0..CATEGORY_COUNT).map(|class| self.counts[class][class]).sum();
        let f1 = |class: usize| {
            let found: f64 = self.counts.iter().map(|row| row[class]).sum();
            let truth: f64 = self.counts[class].iter().sum();
            2.0 * self.counts[class][class] / (found + truth).max(1.0)
        };
        Figures {
            accuracy: right / self.count,
            macro_f1: (0..CATEGORY_COUNT).map(f1).sum::<f64>() / CATEGORY_COUNT as f64,
            log_loss: self.surprise / self.count,
            calibration_error: self.bins.iter().map(|(sure, right)| (sure - right).abs()).sum::<f64>()
                / self.count,
            confidence: self.bins.iter().map(|(sure, _)| sure).sum::<f64>() / self.count,
        }
    }
}

impl Figures {
    /// The cells of a table's row.
    pub(crate) fn row(&self) -> String {
        format!(
            "{:.3} | {:.3} | {:.3} | {:.3}",
            self.accuracy, self.macro_f1, self.log_loss, self.calibration_error
        )
    }
}

#[test]
fn figures_of_known_answers() {
    let mut answers = Answers::default();
    let mut sure = [0.0; CATEGORY_COUNT];
    sure[1] = 0.75;
    sure[2] = 0.25;
    answers.add(&sure, Category::Happiness);
    answers.add(&sure, Category::Surprise);
    let figures = answers.figures();
    assert!((figures.accuracy - 0.5).abs() < 1e-9);
    assert!((figures.macro_f1 - 2.0 / 3.0 / 7.0).abs() < 1e-9);
    assert!((figures.calibration_error - 0.25).abs() < 1e-6);
    assert!((figures.log_loss + (0.75_f64.ln() + 0.25_f64.ln()) / 2.0).abs() < 1e-6);
}
