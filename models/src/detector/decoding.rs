//! The network's numbers to boxes: thresholds, scores, the removal of doubles.

use super::loader::ANSWER;
use super::{DetectorConfig, FaceBox};

/// Boxes that are compared with each other at most; an adversarial picture must not cost quadratic time.
const CANDIDATES: usize = 1000;

/// One level's answer for one picture: `[16, height, width]`, row-major.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level<'a> {
    pub(super) stride: usize,
    pub(super) width: usize,
    pub(super) values: &'a [f32],
}

/// The faces of all levels, the strongest first, in pixels of the picture.
pub(super) fn decode(levels: &[Level<'_>], config: &DetectorConfig, factors: (f32, f32)) -> Vec<FaceBox> {
    let mut faces: Vec<FaceBox> =
        levels.iter().flat_map(|level| candidates(level, config.threshold, factors)).collect();
    faces.sort_by(|left, right| right.score.total_cmp(&left.score));
    faces.truncate(CANDIDATES);
    let mut kept: Vec<FaceBox> = Vec::new();
    for face in faces {
        if kept.len() == config.faces {
            break;
        }
        if kept.iter().all(|other| face.overlap(other) <= config.overlap) {
            kept.push(face);
        }
    }
    kept
}

fn candidates(level: &Level<'_>, threshold: f32, factors: (f32, f32)) -> Vec<FaceBox> {
    let places = level.values.len() / ANSWER;
    (0..places)
        .filter_map(|place| {
            let channel = |channel: usize| level.values[channel * places + place];
            let score = (sigmoid(channel(0)) * sigmoid(channel(1))).sqrt();
            let face = (score >= threshold).then(|| read_box(level, place, score, channel))?;
            let face = stretch(&face, factors);
            let finite = [face.left, face.top, face.width, face.height].iter().all(|value| value.is_finite());
            (finite && face.width > 0.0 && face.height > 0.0).then_some(face)
        })
        .collect()
}

/// A box in pixels of the input: its centre relative to the place, its sides as logarithms, landmarks relative to
/// the place, everything in strides.
fn read_box(level: &Level<'_>, place: usize, score: f32, channel: impl Fn(usize) -> f32) -> FaceBox {
    let stride = level.stride as f32;
    let (column, row) = ((place % level.width) as f32, (place / level.width) as f32);
    let (centre_x, centre_y) = ((column + channel(2)) * stride, (row + channel(3)) * stride);
    let (width, height) = (channel(4).exp() * stride, channel(5).exp() * stride);
    let mut landmarks = [(0.0, 0.0); 5];
    for (index, landmark) in landmarks.iter_mut().enumerate() {
        *landmark = ((column + channel(6 + 2 * index)) * stride, (row + channel(7 + 2 * index)) * stride);
    }
    FaceBox { left: centre_x - width / 2.0, top: centre_y - height / 2.0, width, height, score, landmarks }
}

fn stretch(face: &FaceBox, (across, down): (f32, f32)) -> FaceBox {
    FaceBox {
        left: face.left * across,
        top: face.top * down,
        width: face.width * across,
        height: face.height * down,
        score: face.score,
        landmarks: face.landmarks.map(|(x, y)| (x * across, y * down)),
    }
}

pub(super) fn sigmoid(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A level of 2 x 1 places whose second place holds a face of one stride.
    fn level(logit: f32) -> Vec<f32> {
        let mut values = vec![0.0; ANSWER * 2];
        values[..4].copy_from_slice(&[-9.0, logit, -9.0, logit]);
        values[2 * 2 + 1] = 0.5;
        values
    }

    #[test]
    fn a_box_is_placed_by_its_cell_and_stretched_to_the_picture() {
        let values = level(9.0);
        let level = Level { stride: 8, width: 2, values: &values };
        let faces = decode(&[level], &DetectorConfig::default(), (2.0, 3.0));
        assert_eq!(faces.len(), 1);
        let face = faces[0];
        assert_eq!((face.left, face.top, face.width, face.height), (16.0, -12.0, 16.0, 24.0));
        assert_eq!(face.landmarks[4], (16.0, 0.0));
        assert!(face.score > 0.99);
    }

    #[test]
    fn weak_boxes_doubles_and_wild_numbers_go() {
        let (weak, strong, mut wild) = (level(-1.0), level(9.0), level(9.0));
        wild[4 * 2 + 1] = f32::INFINITY;
        let of = |values: &'static [f32]| Level { stride: 8, width: 2, values };
        let [weak, strong, wild] = [weak, strong, wild].map(|values| of(values.leak()));
        let config = DetectorConfig::default();
        assert!(decode(&[weak], &config, (1.0, 1.0)).is_empty());
        assert!(decode(&[wild], &config, (1.0, 1.0)).is_empty());
        assert_eq!(decode(&[strong, strong], &config, (1.0, 1.0)).len(), 1);
        let lenient = DetectorConfig { overlap: 1.0, ..config.clone() };
        assert_eq!(decode(&[strong, strong], &lenient, (1.0, 1.0)).len(), 2);
        assert_eq!(decode(&[strong, strong], &DetectorConfig { faces: 1, ..lenient }, (1.0, 1.0)).len(), 1);
    }
}
