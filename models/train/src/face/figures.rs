//! What training measures of a face network: logits, right answers, and the temperature that makes them honest.

use heartline_models::face::{FaceConfig, FaceNetwork, LABEL_COUNT, LABELS, VoteModel};

use super::augment::plain;
use super::data::Face;
use crate::error::TrainError;
use crate::metrics::Confusion;

/// How many pictures go through the network at once.
const BATCH: usize = 64;

/// Turns pictures of values 0 to 1 into the network's input.
pub(crate) fn tensor(
    views: &[Vec<f32>],
    side: usize,
    config: &FaceConfig,
    device: &burn::tensor::Device,
) -> burn::tensor::Tensor<4> {
    let mut values = views.concat();
    values.chunks_mut(side * side).for_each(|view| config.normalise(view));
    let data = burn::tensor::TensorData::new(values, [views.len(), 1, side, side]);
    burn::tensor::Tensor::from_data(data, device)
}

/// The logits of every picture.
pub(crate) fn logits(
    network: &FaceNetwork,
    faces: &[Face],
    side: usize,
    config: &FaceConfig,
    device: &burn::tensor::Device,
) -> Result<Vec<[f32; LABEL_COUNT]>, TrainError> {
    let mut rows = Vec::with_capacity(faces.len());
    for batch in faces.chunks(BATCH) {
        let views: Vec<Vec<f32>> = batch.iter().map(|face| plain(&face.pixels, side)).collect();
        let output = network.forward(tensor(&views, side, config, device)).into_data();
        let values =
            output.try_to_vec::<f32>().map_err(|error| TrainError::Checkpoint(format!("{error:?}")))?;
        rows.extend_from_slice(values.as_chunks::<LABEL_COUNT>().0);
    }
    Ok(rows)
}

/// The largest of the values.
pub(crate) fn best(values: &[f32]) -> usize {
    let largest = values.iter().enumerate().max_by(|left, right| left.1.total_cmp(right.1));
    largest.map_or(0, |(index, _)| index)
}

/// The share of right answers among pictures with a majority that training has not seen.
pub(crate) fn accuracy(faces: &[Face], rows: &[[f32; LABEL_COUNT]]) -> f64 {
    let mut confusion = Confusion::new(&LABELS);
    for (face, row) in faces.iter().zip(rows).filter(|(face, _)| !face.duplicate) {
        if let Some(truth) = face.majority() {
            confusion.add(truth, best(row));
        }
    }
    confusion.accuracy()
}

/// The temperature that makes the winners' probabilities most likely, on pictures that training has not seen.
pub(crate) fn temperature(faces: &[Face], rows: &[[f32; LABEL_COUNT]]) -> f32 {
    let examples: Vec<_> = faces
        .iter()
        .zip(rows)
        .filter(|(face, _)| !face.duplicate)
        .filter_map(|(face, row)| Some((face.plurality()?, row)))
        .collect();
    let loss = |temperature: f32| -> f64 {
        let surprise = |(truth, row): &(usize, &[f32; LABEL_COUNT])| {
            -f64::from(VoteModel::from_logits(row, temperature).probabilities[*truth].max(1e-12)).ln()
        };
        examples.iter().map(surprise).sum()
    };
    let candidates = (0..=100_u8).map(|step| 0.3 * 10_f32.powf(f32::from(step) / 100.0));
    candidates.min_by(|left, right| loss(*left).total_cmp(&loss(*right))).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(label: usize, duplicate: bool) -> Face {
        let mut votes = [0.0; LABEL_COUNT];
        votes[label] = 10.0;
        Face { pixels: Vec::new(), votes, unusable: 0.0, duplicate }
    }

    #[test]
    fn duplicates_do_not_count() {
        let mut row = [0.0; LABEL_COUNT];
        row[1] = 5.0;
        let faces = [face(1, false), face(2, false), face(2, true)];
        assert!((accuracy(&faces, &[row; 3]) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_model_that_is_too_sure_gets_a_temperature_above_one() {
        let mut sure = [0.0; LABEL_COUNT];
        sure[0] = 8.0;
        let faces: Vec<Face> = (0..10).map(|index| face(usize::from(index % 3 == 0), false)).collect();
        assert!(temperature(&faces, &[sure; 10]) > 1.5);
        let right: Vec<Face> = (0..10).map(|_| face(0, false)).collect();
        assert!(temperature(&right, &[sure; 10]) < 0.5);
    }
}
