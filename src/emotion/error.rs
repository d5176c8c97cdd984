//! What can be wrong with an emotion vector or a fusion configuration.

use std::fmt;

/// One fault: where it is and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field, as a path with dots (`trust.confidence`).
    pub field: String,
    /// What is wrong with it, with the value that was found.
    pub reason: String,
}

impl Fault {
    pub(super) fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.field, self.reason)
    }
}

/// An error of the emotion room. Fusion itself cannot fail: bad readings are left out and counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EmotionError {
    /// An emotion vector from outside breaks its layout.
    #[error("the emotion vector is not valid: {}", join(.0))]
    InvalidVector(Vec<Fault>),
    /// A fusion configuration cannot be used.
    #[error("the fusion configuration is not valid: {}", join(.0))]
    InvalidConfig(Vec<Fault>),
}

impl EmotionError {
    /// All faults, in the order of the fields.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::InvalidVector(faults) | Self::InvalidConfig(faults) => faults,
        }
    }
}

fn join(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Collects the faults of a structure, so that all are reported at once.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    /// Notes a value that is not a number within the bounds, both included.
    pub(super) fn check_range(&mut self, field: &str, value: f32, low: f32, high: f32) {
        if !(low..=high).contains(&value) {
            self.add(field, format!("{value} is not between {low} and {high}"));
        }
    }

    /// Notes a fault.
    pub(super) fn add(&mut self, field: &str, reason: impl Into<String>) {
        self.0.push(Fault::new(field, reason));
    }

    /// Notes a distribution over the categories with a value out of range or a sum that is not 1.
    pub(super) fn check_distribution(
        &mut self,
        field: &str,
        values: &super::label::CategoryArray,
        tolerance: f32,
    ) {
        let before = self.0.len();
        for (category, value) in super::Category::ALL.into_iter().zip(values) {
            self.check_range(&format!("{field}.{category}"), *value, 0.0, 1.0);
        }
        let sum: f32 = values.iter().sum();
        if self.0.len() == before && (sum - 1.0).abs() > tolerance {
            self.add(field, format!("the probabilities sum to {sum}, not to 1"));
        }
    }

    /// Gives the faults, if there are any.
    pub(super) fn into_result(self, error: fn(Vec<Fault>) -> EmotionError) -> Result<(), EmotionError> {
        if self.0.is_empty() { Ok(()) } else { Err(error(self.0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_a_number_is_out_of_every_range() {
        let mut faults = Faults::default();
        faults.check_range("a", f32::NAN, 0.0, 1.0);
        faults.check_range("b", 1.0, 0.0, 1.0);
        faults.check_range("c", f32::INFINITY, 0.0, 1.0);
        let error = faults.into_result(EmotionError::InvalidVector).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the emotion vector is not valid: a: NaN is not between 0 and 1; c: inf is not between 0 and 1"
        );
    }

    #[test]
    fn a_wrong_sum_is_named_once() {
        let mut faults = Faults::default();
        faults.check_distribution("categories", &[0.5; 7], 0.01);
        let error = faults.into_result(EmotionError::InvalidConfig).unwrap_err();
        assert_eq!(error.faults().len(), 1);
        assert!(error.to_string().contains("sum to 3.5"), "{error}");
    }
}
