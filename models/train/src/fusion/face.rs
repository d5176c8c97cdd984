//! Readings of faces: as they are, blurred, in the dark, and pictures without a face.

use std::path::Path;

use heartline_models::face::{CROP_SIDE, FaceCrop, FaceModel, FacePrediction, LABEL_COUNT};
use heartline_models::{Category, Device};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::table::{Answer, Item, Modality, Row, spread};
use crate::error::TrainError;
use crate::face::{blur, framed, read as read_part};

const SET: &str = "ferplus";
/// At most this many faces of a category.
const MOST: usize = 200;
/// Pictures without a face.
const NO_FACES: usize = 120;
/// Of the faces, those whose place is a multiple of this are also spoilt.
const SPOILT_EVERY: usize = 2;
/// Passes of the small blur: about what a face four times as far away has left.
const BLURS: usize = 6;
/// What is left of the light.
const DARKNESS: f32 = 0.15;

/// The readings of the validation pictures that training has not seen and most voters agree on.
pub(super) fn read(data: &Path, folder: &Path) -> Result<Vec<Row>, TrainError> {
    let model = FaceModel::load(folder, &Device::cpu())?;
    let faces = read_part(data, "val")?;
    let mut found: [Vec<(usize, &[u8])>; 7] = Default::default();
    for (place, face) in faces.iter().enumerate().filter(|(_, face)| !face.duplicate) {
        if let Some(label) = face.majority() {
            // Contempt, the last label, counts as disgust.
            let category = if label == LABEL_COUNT - 1 { Category::Disgust.index() } else { label };
            found[category].push((place, &face.pixels));
        }
    }
    let mut items = Vec::new();
    for (category, found) in Category::ALL.into_iter().zip(&found) {
        for (place, pixels) in spread(found, MOST) {
            items.push((item(SET, place, found.len(), Some(category)), pixels.to_vec()));
        }
    }
    let mut rows = judge(&model, &items, "clean")?;
    let change = |change: &dyn Fn(&[u8], u64) -> Vec<u8>| -> Vec<(Item, Vec<u8>)> {
        let spoilt = items.iter().filter(|(item, _)| item.place.is_multiple_of(SPOILT_EVERY));
        spoilt.map(|(item, pixels)| (item.clone(), change(pixels, item.place as u64))).collect()
    };
    rows.extend(judge(&model, &change(&|pixels, _| blurred(pixels)), "blurred")?);
    rows.extend(judge(&model, &change(&dark), "dark")?);
    let nothing: Vec<(Item, Vec<u8>)> =
        (0..NO_FACES).map(|place| (item("made_up", place, NO_FACES, None), no_face(place))).collect();
    rows.extend(judge(&model, &nothing, "noise")?);
    Ok(rows)
}

fn item(set: &str, place: usize, candidates: usize, truth: Option<Category>) -> Item {
    Item { modality: Modality::Face, set: set.to_owned(), place, candidates, truth }
}

fn judge(model: &FaceModel, items: &[(Item, Vec<u8>)], condition: &str) -> Result<Vec<Row>, TrainError> {
    let crops: Vec<FaceCrop> =
        items.iter().map(|(_, pixels)| framed(pixels)).collect::<Result<_, TrainError>>()?;
    let predictions = model.predict(&crops)?;
    Ok(items
        .iter()
        .zip(&predictions)
        .map(|((item, _), prediction)| Row::new(item, condition, answer(prediction)))
        .collect())
}

fn blurred(pixels: &[u8]) -> Vec<u8> {
    let mut values: Vec<f32> = pixels.iter().map(|pixel| f32::from(*pixel)).collect();
    for _ in 0..BLURS {
        values = blur(&values, CROP_SIDE);
    }
    values.into_iter().map(byte).collect()
}

/// Little light and the grain that a camera then adds.
fn dark(pixels: &[u8], seed: u64) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(seed);
    pixels
        .iter()
        .map(|pixel| byte(f32::from(*pixel) * DARKNESS + random.random_range(-4.0_f32..4.0)))
        .collect()
}

/// A wall, a lamp, cloth: noise blurred more or less, brought to some contrast and brightness.
fn no_face(place: usize) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(2000 + place as u64);
    let mut values: Vec<f32> =
        (0..CROP_SIDE * CROP_SIDE).map(|_| random.random_range(-1.0_f32..1.0)).collect();
    for _ in 0..place % 10 * 3 {
        values = blur(&values, CROP_SIDE);
    }
    let largest = values.iter().map(|value| value.abs()).fold(1e-3, f32::max);
    let (contrast, brightness) = (random.random_range(10.0_f32..110.0), random.random_range(40.0_f32..210.0));
    values.into_iter().map(|value| byte(brightness + contrast * value / largest)).collect()
}

fn byte(value: f32) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
    let byte = value.round().clamp(0.0, 255.0) as u8;
    byte
}

fn answer(prediction: &FacePrediction) -> Answer {
    Answer {
        categories: prediction.categories,
        quality: prediction.quality,
        familiarity: prediction.familiarity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Vec<u8> {
        (0..CROP_SIDE * CROP_SIDE)
            .map(|index| if (index % CROP_SIDE / 4).is_multiple_of(2) { 50 } else { 200 })
            .collect()
    }

    #[test]
    fn a_picture_found_whole_is_itself() {
        let crop = framed(&picture()).unwrap();
        assert_eq!(crop.pixels, picture());
        assert!(crop.quality > 0.5);
    }

    #[test]
    fn blur_and_darkness_cost_quality() {
        let quality = |pixels: &[u8]| framed(pixels).unwrap().quality;
        assert!(quality(&blurred(&picture())) < quality(&picture()));
        assert!(quality(&dark(&picture(), 1)) < quality(&picture()));
        assert_eq!(no_face(5), no_face(5));
    }
}
