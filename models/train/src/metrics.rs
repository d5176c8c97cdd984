//! Figures of a classifier: per-class precision, recall and F1, their averages, and the confusion matrix.

/// Counts of truth (rows) against prediction (columns).
#[derive(Debug, Clone)]
pub(crate) struct Confusion {
    labels: Vec<String>,
    counts: Vec<Vec<usize>>,
}

impl Confusion {
    /// An empty matrix.
    pub(crate) fn new(labels: &[&str]) -> Self {
        let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
        Self { counts: vec![vec![0; labels.len()]; labels.len()], labels }
    }

    /// Counts one example.
    pub(crate) fn add(&mut self, truth: usize, predicted: usize) {
        self.counts[truth][predicted] += 1;
    }

    /// The names of the classes.
    pub(crate) fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The counts: rows by truth, columns by prediction.
    pub(crate) fn counts(&self) -> &[Vec<usize>] {
        &self.counts
    }

    /// The share of right predictions.
    pub(crate) fn accuracy(&self) -> f64 {
        let right: usize = (0..self.labels.len()).map(|class| self.counts[class][class]).sum();
        ratio(right, self.counts.iter().flatten().sum())
    }

    /// The mean recall of the classes that occur: unweighted average recall.
    pub(crate) fn average_recall(&self) -> f64 {
        mean(self.present().map(|class| self.class(class).recall))
    }

    /// The mean F1 of the classes that occur.
    pub(crate) fn macro_f1(&self) -> f64 {
        mean(self.present().map(|class| self.class(class).f1()))
    }

    fn present(&self) -> impl Iterator<Item = usize> {
        (0..self.labels.len()).filter(|class| self.counts[*class].iter().sum::<usize>() > 0)
    }

    fn class(&self, class: usize) -> Figures {
        let right = self.counts[class][class];
        let predicted: usize = self.counts.iter().map(|row| row[class]).sum();
        let truth: usize = self.counts[class].iter().sum();
        Figures { precision: ratio(right, predicted), recall: ratio(right, truth), support: truth }
    }

    /// The figures as a Markdown table, followed by the confusion matrix.
    pub(crate) fn report(&self) -> String {
        let mut text =
            String::from("| class | precision | recall | F1 | examples |\n|---|---|---|---|---|\n");
        for (index, label) in self.labels.iter().enumerate() {
            text.push_str(&self.class(index).row(label));
        }
        text.push_str("\n| truth \\ predicted |");
        text.extend(self.labels.iter().map(|label| format!(" {label} |")));
        text.push_str("\n|---|");
        text.extend(self.labels.iter().map(|_| "---|"));
        for (label, row) in self.labels.iter().zip(&self.counts) {
            text.push_str(&format!("\n| {label} |"));
            text.extend(row.iter().map(|count| format!(" {count} |")));
        }
        text.push('\n');
        text
    }
}

/// Counts of a task where every example may carry several labels.
#[derive(Debug, Clone)]
pub(crate) struct MultiLabel {
    labels: Vec<String>,
    right: Vec<usize>,
    predicted: Vec<usize>,
    truth: Vec<usize>,
}

impl MultiLabel {
    /// Nothing counted yet.
    pub(crate) fn new(labels: &[&str]) -> Self {
        let zeros = vec![0; labels.len()];
        let labels = labels.iter().map(ToString::to_string).collect();
        Self { labels, right: zeros.clone(), predicted: zeros.clone(), truth: zeros }
    }

    /// Counts one example.
    pub(crate) fn add(&mut self, truth: &[bool], predicted: &[bool]) {
        for (label, (truth, predicted)) in truth.iter().zip(predicted).enumerate() {
            self.right[label] += usize::from(*truth && *predicted);
            self.predicted[label] += usize::from(*predicted);
            self.truth[label] += usize::from(*truth);
        }
    }

    /// Each label with its precision, recall, F1 and how often it occurs.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&str, [f64; 3], usize)> {
        self.labels.iter().enumerate().map(|(index, name)| {
            let figures = self.label(index);
            (name.as_str(), [figures.precision, figures.recall, figures.f1()], figures.support)
        })
    }

    /// The mean F1 of all labels that occur.
    pub(crate) fn macro_f1(&self) -> f64 {
        mean(
            (0..self.labels.len()).filter(|label| self.truth[*label] > 0).map(|label| self.label(label).f1()),
        )
    }

    fn label(&self, label: usize) -> Figures {
        Figures {
            precision: ratio(self.right[label], self.predicted[label]),
            recall: ratio(self.right[label], self.truth[label]),
            support: self.truth[label],
        }
    }

    /// The figures as a Markdown table.
    pub(crate) fn report(&self) -> String {
        let mut text =
            String::from("| label | precision | recall | F1 | examples |\n|---|---|---|---|---|\n");
        for (index, label) in self.labels.iter().enumerate() {
            text.push_str(&self.label(index).row(label));
        }
        text
    }
}

struct Figures {
    precision: f64,
    recall: f64,
    support: usize,
}

impl Figures {
    fn f1(&self) -> f64 {
        let sum = self.precision + self.recall;
        if sum > 0.0 { 2.0 * self.precision * self.recall / sum } else { 0.0 }
    }

    fn row(&self, label: &str) -> String {
        let (precision, recall, f1, support) = (self.precision, self.recall, self.f1(), self.support);
        format!("| {label} | {precision:.3} | {recall:.3} | {f1:.3} | {support} |\n")
    }
}

/// Pearson's correlation of two equally long series; 0 where one of them does not vary.
pub(crate) fn pearson(left: &[f64], right: &[f64]) -> f64 {
    let (mean_left, mean_right) = (mean(left.iter().copied()), mean(right.iter().copied()));
    let (mut covariance, mut variance_left, mut variance_right) = (0.0, 0.0, 0.0);
    for (l, r) in left.iter().zip(right) {
        covariance += (l - mean_left) * (r - mean_right);
        variance_left += (l - mean_left).powi(2);
        variance_right += (r - mean_right).powi(2);
    }
    let scale = (variance_left * variance_right).sqrt();
    if scale > 0.0 { covariance / scale } else { 0.0 }
}

/// The mean; 0 of nothing.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value;
        count += 1.0;
    }
    if count > 0.0 { sum / count } else { 0.0 }
}

/// A share of a count; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts of examples are far below 2^52")]
pub(crate) fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_known_matrix() {
        let mut confusion = Confusion::new(&["a", "b", "never"]);
        for (truth, predicted, times) in [(0, 0, 3), (0, 1, 1), (1, 1, 2)] {
            for _ in 0..times {
                confusion.add(truth, predicted);
            }
        }
        assert!((confusion.accuracy() - 5.0 / 6.0).abs() < 1e-12);
        assert!((confusion.average_recall() - 0.875).abs() < 1e-12);
        assert!((confusion.macro_f1() - (6.0 / 7.0 + 0.8) / 2.0).abs() < 1e-12);
        assert!(confusion.report().contains("| a | 1.000 | 0.750 | 0.857 | 4 |"));
    }

    #[test]
    fn figures_of_nothing_and_of_one_row() {
        let mut confusion = Confusion::new(&["a", "b"]);
        assert!(confusion.accuracy().abs() < 1e-12 && confusion.macro_f1().abs() < 1e-12);
        confusion.add(0, 1);
        assert!(confusion.macro_f1().abs() < 1e-12 && confusion.average_recall().abs() < 1e-12);
        let mut right = Confusion::new(&["a", "b"]);
        right.add(1, 1);
        assert!((right.macro_f1() - 1.0).abs() < 1e-12 && (right.average_recall() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_class_that_is_only_predicted_lowers_the_precision_of_nobody_else() {
        let mut confusion = Confusion::new(&["a", "b", "c"]);
        confusion.add(0, 0);
        confusion.add(0, 2);
        confusion.add(1, 1);
        assert!((confusion.macro_f1() - (2.0 / 3.0 + 1.0) / 2.0).abs() < 1e-12);
        assert_eq!((confusion.labels().len(), confusion.counts()[0][2]), (3, 1));
    }

    #[test]
    fn several_labels_at_once() {
        let mut figures = MultiLabel::new(&["a", "b"]);
        figures.add(&[true, true], &[true, false]);
        figures.add(&[false, true], &[true, true]);
        assert!((figures.macro_f1() - 2.0 / 3.0).abs() < 1e-12);
        assert!(figures.report().contains("| b | 1.000 | 0.500 | 0.667 | 2 |"));
        let rows: Vec<_> = figures.rows().collect();
        assert_eq!((rows[1].0, rows[1].2), ("b", 2));
    }

    #[test]
    fn correlation_of_a_line_is_one() {
        assert!((pearson(&[1.0, 2.0, 3.0], &[5.0, 7.0, 9.0]) - 1.0).abs() < 1e-12);
        assert!(pearson(&[1.0, 2.0], &[3.0, 3.0]).abs() < 1e-12);
    }
}
