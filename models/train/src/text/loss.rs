//! The loss of a batch: one term a head, each over the texts whose data set says something about it.

use burn::tensor::activation::{log_sigmoid, log_softmax};
use burn::tensor::{Device, Tensor, TensorData};
use heartline_models::text::HeadOutputs;
use heartline_models::{CATEGORY_COUNT, Category};

use super::examples::Example;
use super::labels::NATIVE;

/// Added to the logit of a category that the annotators could not choose.
const IMPOSSIBLE: f32 = -1e9;

/// What each term counts for, against 1 for the categories. A sum over 28 labels is large, hence its small weight.
const NATIVE_WEIGHT: f32 = 0.3;
const GROUP_WEIGHT: f32 = 0.3;
const DIMENSION_WEIGHT: f32 = 0.5;
const SATISFACTION_WEIGHT: f32 = 0.5;

/// What does not change from batch to batch.
#[derive(Debug)]
pub(crate) struct LossTerms {
    /// Which native label belongs to which category: `[28, 7]`.
    membership: Tensor<2>,
    /// Mean and deviation of each dimension in the training data.
    dimensions: [(f32, f32); 3],
    device: Device,
}

impl LossTerms {
    /// The terms, given each dimension's mean and deviation.
    pub(crate) fn new(dimensions: [(f32, f32); 3], device: &Device) -> Self {
        let mut membership = vec![0.0_f32; NATIVE.len() * CATEGORY_COUNT];
        for (index, (_, category, _)) in NATIVE.iter().enumerate() {
            membership[index * CATEGORY_COUNT + category.index()] = 1.0;
        }
        let membership = TensorData::new(membership, [NATIVE.len(), CATEGORY_COUNT]);
        Self { membership: Tensor::from_data(membership, device), dimensions, device: device.clone() }
    }

    /// The loss of a batch, a mean over its texts: `[1]`.
    pub(crate) fn loss(&self, outputs: HeadOutputs, texts: &[&Example]) -> Tensor<1> {
        let sum = self.native(&outputs, texts)
            + self.groups(&outputs, texts)
            + self.categories(outputs.categories, texts)
            + self.dimensions(outputs.dimensions, texts)
            + self.satisfaction(outputs.satisfaction, texts);
        #[expect(clippy::cast_precision_loss, reason = "a batch has a few dozen rows")]
        sum.div_scalar(texts.len() as f32)
    }

    fn native(&self, outputs: &HeadOutputs, texts: &[&Example]) -> Tensor<1> {
        let (targets, weights) = self.columns::<{ NATIVE.len() }>(texts, |text, column| {
            let bits = text.targets.native?;
            Some(f32::from(u8::from(bits >> column & 1 == 1)))
        });
        weighted_sum(binary_loss(outputs.native.clone(), targets), weights).mul_scalar(NATIVE_WEIGHT)
    }

    /// Where only categories are known, the native labels are held to them as a group: the odds of a category are
    /// the sum of the odds of its labels. This is what the native head learns from Chinese.
    fn groups(&self, outputs: &HeadOutputs, texts: &[&Example]) -> Tensor<1> {
        let (targets, weights) = self.columns::<CATEGORY_COUNT>(texts, |text, column| {
            if text.targets.native.is_some() || impossible(text, column) {
                return None;
            }
            let shares = text.targets.categories?;
            Some(f32::from(u8::from(shares[column] > 0.0)))
        });
        let odds = outputs.native.clone().clamp(-15.0, 15.0).exp();
        let logits = odds.matmul(self.membership.clone()).log();
        weighted_sum(binary_loss(logits, targets), weights).mul_scalar(GROUP_WEIGHT)
    }

    fn categories(&self, logits: Tensor<2>, texts: &[&Example]) -> Tensor<1> {
        let (targets, _) = self.columns::<CATEGORY_COUNT>(texts, |text, column| {
            Some(text.targets.categories.map_or(0.0, |shares| shares[column]))
        });
        let (mask, _) = self.columns::<CATEGORY_COUNT>(texts, |text, column| {
            Some(if impossible(text, column) { IMPOSSIBLE } else { 0.0 })
        });
        (log_softmax(logits + mask, 1) * targets).sum().neg()
    }

    fn dimensions(&self, outputs: Tensor<2>, texts: &[&Example]) -> Tensor<1> {
        let (targets, weights) = self.columns::<3>(texts, |text, column| {
            let (mean, deviation) = self.dimensions[column];
            Some((text.targets.dimensions?[column] - mean) / deviation)
        });
        let difference = outputs - targets;
        weighted_sum(difference.clone() * difference, weights).mul_scalar(DIMENSION_WEIGHT)
    }

    fn satisfaction(&self, logits: Tensor<2>, texts: &[&Example]) -> Tensor<1> {
        let (targets, weights) = self.columns::<1>(texts, |text, _| text.targets.satisfaction);
        weighted_sum(binary_loss(logits, targets), weights).mul_scalar(SATISFACTION_WEIGHT)
    }

    /// Values and, where there are any, weights of 1: both `[rows, COLUMNS]`.
    fn columns<const COLUMNS: usize>(
        &self,
        texts: &[&Example],
        value: impl Fn(&Example, usize) -> Option<f32>,
    ) -> (Tensor<2>, Tensor<2>) {
        let (mut values, mut weights) = (Vec::new(), Vec::new());
        for text in texts {
            for column in 0..COLUMNS {
                let value = value(text, column);
                values.push(value.unwrap_or(0.0));
                weights.push(if value.is_some() { 1.0_f32 } else { 0.0 });
            }
        }
        let tensor = |values: Vec<f32>| {
            Tensor::from_data(TensorData::new(values, [texts.len(), COLUMNS]), &self.device)
        };
        (tensor(values), tensor(weights))
    }
}

fn impossible(text: &Example, column: usize) -> bool {
    !text.targets.has_disgust && column == Category::Disgust.index()
}

/// Binary cross-entropy of logits, element by element: `x (1 - t) - log sigmoid(x)`.
fn binary_loss(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
    logits.clone() * targets.neg().add_scalar(1.0) - log_sigmoid(logits)
}

fn weighted_sum(values: Tensor<2>, weights: Tensor<2>) -> Tensor<1> {
    (values * weights).sum()
}

#[cfg(test)]
mod tests {
    use super::super::labels::Targets;
    use super::super::upper::host;
    use super::*;

    fn outputs(device: &Device) -> HeadOutputs {
        HeadOutputs {
            native: Tensor::zeros([1, 28], device),
            categories: Tensor::zeros([1, CATEGORY_COUNT], device),
            dimensions: Tensor::zeros([1, 3], device),
            satisfaction: Tensor::zeros([1, 1], device),
        }
    }

    fn loss(targets: Targets) -> f32 {
        let device = Device::flex();
        let terms = LossTerms::new([(0.0, 0.5); 3], &device);
        let example = Example { pieces: vec![0, 5, 2], targets };
        host(terms.loss(outputs(&device), &[&example])).unwrap()[0]
    }

    #[test]
    fn unknown_targets_cost_nothing() {
        assert!(loss(Targets::default()).abs() < 1e-6);
    }

    #[test]
    fn each_term_has_its_known_value_at_zero() {
        let native = Targets { native: Some(1), has_disgust: true, ..Targets::default() };
        assert!((loss(native) - NATIVE_WEIGHT * 28.0 * 2.0_f32.ln()).abs() < 1e-4);
        let dimensions = Targets { dimensions: Some([0.5, 0.0, 0.0]), ..Targets::default() };
        assert!((loss(dimensions) - DIMENSION_WEIGHT).abs() < 1e-5);
        let satisfaction = Targets { satisfaction: Some(1.0), ..Targets::default() };
        assert!((loss(satisfaction) - SATISFACTION_WEIGHT * 2.0_f32.ln()).abs() < 1e-5);
    }

    #[test]
    fn a_category_that_could_not_be_chosen_is_left_out() {
        let mut shares = [0.0; CATEGORY_COUNT];
        shares[Category::Anger.index()] = 1.0;
        let with = |has_disgust| {
            let groups_off = Some(0);
            loss(Targets { native: groups_off, categories: Some(shares), has_disgust, ..Targets::default() })
        };
        assert!((with(true) - with(false) - (7.0_f32.ln() - 6.0_f32.ln())).abs() < 1e-4);
    }
}
