//! What whole photographs tell: what the model makes of places without a face, and how much its answer depends on how
//! exactly the detector found the face. Their faces have no votes, so only agreement is measured here.

use std::path::Path;

use heartline_models::RgbImage;
use heartline_models::detector::{FaceBox, FaceDetector};
use heartline_models::face::{FaceCrop, FaceModel, FacePrediction, crop};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::figures::best;
use crate::detector::{Known, read_boxes, read_image};
use crate::error::TrainError;
use crate::metrics::{mean, ratio};
use crate::report::{Report, Trust};

/// A found face counts for a known one from this overlap on.
const LEAST_OVERLAP: f32 = 0.3;
/// Smaller faces are left out, in pixels: their crops are blurred whatever the margin.
const LEAST_WIDTH: f32 = 32.0;
/// Places without a face a photograph, the sides they may have, and how often one is looked for.
const PLACES: usize = 12;
const SIDES: std::ops::Range<f32> = 60.0..240.0;
const ATTEMPTS: usize = 400;
/// What the places follow from.
const SEED: u64 = 1;

/// A photograph with what is known of its faces.
pub(super) struct Photograph {
    image: RgbImage,
    known: Vec<Known>,
}

impl Photograph {
    /// Reads a folder of photographs with their `boxes.tsv`, in the order of their names.
    pub(super) fn read_all(folder: &Path) -> Result<Vec<Self>, TrainError> {
        let photographs = read_boxes(&folder.join("boxes.tsv"), folder)?;
        let read = |(name, known)| Ok(Self { image: read_image(&folder.join(name))?, known });
        photographs.into_iter().map(read).collect()
    }
}

/// Crops of places that touch no known face, nor what might be one.
pub(super) fn without_faces(photographs: &[Photograph]) -> Vec<FaceCrop> {
    let mut random = StdRng::seed_from_u64(SEED);
    let mut crops = Vec::new();
    for photograph in photographs {
        let (width, height) = (photograph.image.width as f32, photograph.image.height as f32);
        let mut places = 0;
        for _ in 0..ATTEMPTS {
            let side = random.random_range(SIDES);
            if places == PLACES || side >= width.min(height) {
                continue;
            }
            let (left, top) =
                (random.random_range(0.0..width - side), random.random_range(0.0..height - side));
            let place =
                FaceBox { left, top, width: side, height: side, score: 1.0, landmarks: [(0.0, 0.0); 5] };
            if photograph.known.iter().all(|known| place.overlap(&known.face) <= 0.0) {
                crops.push(crop(&photograph.image, &place));
                places += 1;
            }
        }
    }
    crops
}

/// A way in which a face could have been found a little differently.
type Change = (&'static str, fn(&FaceBox) -> FaceBox);

/// The changes: how wide the margin is, where the middle is, how upright it is, and no landmarks at all.
const CHANGES: [Change; 9] = [
    ("a fifth less margin", |face| moved(face, 0.8, 0.0, (0.0, 0.0))),
    ("a tenth less margin", |face| moved(face, 0.9, 0.0, (0.0, 0.0))),
    ("a tenth more margin", |face| moved(face, 1.1, 0.0, (0.0, 0.0))),
    ("a fifth more margin", |face| moved(face, 1.2, 0.0, (0.0, 0.0))),
    ("shifted aside by 6 % of the width", |face| moved(face, 1.0, 0.0, (0.06, 0.0))),
    ("shifted down by 6 % of the width", |face| moved(face, 1.0, 0.0, (0.0, 0.06))),
    ("turned by 5 degrees", |face| moved(face, 1.0, 5.0, (0.0, 0.0))),
    ("turned by 10 degrees", |face| moved(face, 1.0, 10.0, (0.0, 0.0))),
    ("cut out by the box alone", |face| FaceBox { landmarks: [(0.0, 0.0); 5], ..*face }),
];

/// Scales and turns the landmarks about their centre and shifts them by shares of the box's width.
fn moved(face: &FaceBox, scale: f32, degrees: f32, shift: (f32, f32)) -> FaceBox {
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let centre =
        face.landmarks.iter().fold((0.0, 0.0), |sum, mark| (sum.0 + mark.0 / 5.0, sum.1 + mark.1 / 5.0));
    let landmarks = face.landmarks.map(|(x, y)| {
        let (across, down) = (scale * (x - centre.0), scale * (y - centre.1));
        (
            cosine * across - sine * down + centre.0 + shift.0 * face.width,
            sine * across + cosine * down + centre.1 + shift.1 * face.width,
        )
    });
    FaceBox { landmarks, ..*face }
}

/// How often an answer stays the same, and how far it moves, when the face is cut out a little differently.
pub(super) fn margins(
    model: &FaceModel,
    detector: &FaceDetector,
    photographs: &[Photograph],
    report: &mut Report,
) -> Result<(), TrainError> {
    let mut faces: Vec<(&RgbImage, FaceBox)> = Vec::new();
    for photograph in photographs {
        let found = detector.detect(std::slice::from_ref(&photograph.image))?;
        let is_known = |face: &FaceBox| {
            let mut known = photograph.known.iter().filter(|known| !known.ignored);
            face.width >= LEAST_WIDTH && known.any(|known| known.face.overlap(face) >= LEAST_OVERLAP)
        };
        faces.extend(found.into_iter().flatten().filter(is_known).map(|face| (&photograph.image, face)));
    }
    let read = |change: fn(&FaceBox) -> FaceBox| {
        let crops: Vec<FaceCrop> = faces.iter().map(|(image, face)| crop(image, &change(face))).collect();
        model.predict(&crops)
    };
    let usual = read(|face| *face)?;
    let mut text = format!(
        "### How much depends on how a face is cut out\n\n{} faces of at least {LEAST_WIDTH} pixels in {} \
         photographs, found by the detector. The distance is half the sum of the probabilities' differences.\n\n\
         | change | same answer | mean distance | abstains |\n|---|---|---|---|\n",
        faces.len(),
        photographs.len()
    );
    let abstained = |answers: &[FacePrediction]| {
        ratio(answers.iter().filter(|answer| Trust::of_face(answer).doubt.is_some()).count(), answers.len())
    };
    text += &format!("| none | 1.000 | 0.000 | {:.3} |\n", abstained(&usual));
    for (name, change) in CHANGES {
        let changed = read(change)?;
        let pairs = || usual.iter().zip(&changed);
        let same = pairs().filter(|(a, b)| best(&a.categories) == best(&b.categories)).count();
        let agreement = ratio(same, changed.len());
        let distance = mean(pairs().map(|(a, b)| distance(&a.categories, &b.categories)));
        text += &format!("| {name} | {agreement:.3} | {distance:.3} | {:.3} |\n", abstained(&changed));
        let figures =
            [("agreement", agreement), ("mean_distance", distance), ("abstained", abstained(&changed))];
        report.add_task(&format!("Crop, {name}"), &figures);
    }
    report.add_details(&text);
    Ok(())
}

/// Half the sum of the differences of two sets of probabilities, 0 to 1.
fn distance(left: &[f32], right: &[f32]) -> f64 {
    left.iter().zip(right).map(|(left, right)| f64::from((left - right).abs())).sum::<f64>() / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACE: FaceBox = FaceBox {
        left: 100.0,
        top: 100.0,
        width: 80.0,
        height: 100.0,
        score: 1.0,
        landmarks: [(120.0, 140.0), (160.0, 140.0), (140.0, 160.0), (125.0, 180.0), (155.0, 180.0)],
    };

    #[test]
    fn places_without_a_face_touch_none() {
        let known = Known { face: FACE, ignored: true };
        let image = RgbImage::new(400, 300, vec![128; 400 * 300 * 3]).unwrap();
        let photographs = [Photograph { image, known: vec![known] }];
        let crops = without_faces(&photographs);
        assert!((3..=PLACES).contains(&crops.len()), "{}", crops.len());
        let small = RgbImage::new(50, 50, vec![0; 7500]).unwrap();
        assert!(without_faces(&[Photograph { image: small, known: Vec::new() }]).is_empty());
    }

    #[test]
    fn changes_move_the_landmarks_as_named() {
        assert_eq!(moved(&FACE, 1.0, 0.0, (0.1, 0.0)).landmarks[0], (128.0, 140.0));
        let wider = moved(&FACE, 1.2, 0.0, (0.0, 0.0)).landmarks;
        assert!((wider[1].0 - wider[0].0 - 48.0).abs() < 1e-3);
        let turned = moved(&FACE, 1.0, 90.0, (0.0, 0.0)).landmarks;
        assert!((turned[1].1 - turned[0].1 - 40.0).abs() < 1e-3);
    }

    #[test]
    fn distances_of_known_answers() {
        assert!((distance(&[1.0, 0.0], &[0.0, 1.0]) - 1.0).abs() < 1e-9);
        assert!(distance(&[0.5, 0.5], &[0.5, 0.5]).abs() < 1e-9);
    }
}
