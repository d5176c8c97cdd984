//! The shipped face model and the road from a photograph to a reading.
#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod support;

use std::path::Path;

use heartline_models::detector::FaceDetector;
use heartline_models::face::{CROP_SIDE, FaceCrop, FaceModel, FacePrediction, LABELS, crop};
use heartline_models::{Category, RgbImage};

const WEIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/weights");
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

fn model() -> FaceModel {
    FaceModel::load(&Path::new(WEIGHTS).join("face/1"), support::device()).unwrap()
}

/// A portrait by NASA, in the public domain, of a smiling woman.
fn astronaut() -> RgbImage {
    let image = image::open(format!("{GOLDEN}/astronaut_640.png")).unwrap().into_rgb8();
    RgbImage::new(image.width() as usize, image.height() as usize, image.into_raw()).unwrap()
}

fn portrait_crop(image: &RgbImage) -> FaceCrop {
    let detector = FaceDetector::load(&Path::new(WEIGHTS).join("detector/1"), support::device()).unwrap();
    let faces = detector.detect(std::slice::from_ref(image)).unwrap().remove(0);
    crop(image, &faces[0])
}

fn made_up(seed: usize) -> FaceCrop {
    let pixels =
        (0..CROP_SIDE * CROP_SIDE).map(|index| u8::try_from(index * (seed + 3) % 251).unwrap()).collect();
    FaceCrop { pixels, quality: 0.5 }
}

fn assert_sound(prediction: &FacePrediction) {
    assert!((prediction.categories.iter().sum::<f32>() - 1.0).abs() < 1e-4);
    assert!((prediction.labels.iter().map(|label| label.1).sum::<f32>() - 1.0).abs() < 1e-4);
    assert!(prediction.categories.iter().all(|share| (0.0..=1.0).contains(share)));
    assert!((-1.0..=1.0).contains(&prediction.valence) && (-1.0..=1.0).contains(&prediction.arousal));
    assert!(prediction.labels.iter().map(|label| label.0.as_str()).eq(LABELS));
}

#[test]
fn a_smile_in_a_photograph_is_happiness() {
    let crop = portrait_crop(&astronaut());
    assert!(crop.quality > 0.5, "{}", crop.quality);
    let prediction = model().predict(std::slice::from_ref(&crop)).unwrap().remove(0);
    assert_sound(&prediction);
    assert!(prediction.categories[Category::Happiness.index()] > 0.6, "{:?}", prediction.labels);
    assert!(prediction.valence > 0.3);
    assert!((prediction.quality - crop.quality).abs() < 1e-6);
}

#[test]
fn a_mirrored_face_reads_alike() {
    let crop = portrait_crop(&astronaut());
    let mut mirrored = crop.clone();
    mirrored.pixels.chunks_mut(CROP_SIDE).for_each(<[u8]>::reverse);
    let predictions = model().predict(&[crop, mirrored]).unwrap();
    for (left, right) in predictions[0].categories.iter().zip(&predictions[1].categories) {
        assert!((left - right).abs() < 0.25, "{predictions:?}");
    }
}

#[test]
fn a_batch_equals_single_crops() {
    let model = model();
    let crops: Vec<FaceCrop> = (0..70).map(made_up).collect();
    let together = model.predict(&crops).unwrap();
    assert_eq!(together.len(), crops.len());
    for index in [0, 1, 63, 64, 69] {
        let alone = model.predict(&crops[index..=index]).unwrap().remove(0);
        assert_sound(&alone);
        for (alone, together) in alone.categories.iter().zip(&together[index].categories) {
            assert!((alone - together).abs() < support::within(1e-4));
        }
    }
    assert!(model.predict(&[]).unwrap().is_empty());
}

#[test]
fn black_white_and_turned_crops_give_sound_answers() {
    let mut turned = made_up(9);
    turned.pixels.reverse();
    let plain = |value| FaceCrop { pixels: vec![value; CROP_SIDE * CROP_SIDE], quality: 0.0 };
    for prediction in model().predict(&[plain(0), plain(255), turned]).unwrap() {
        assert_sound(&prediction);
    }
}

#[test]
fn a_crop_of_another_size_is_refused() {
    let small = FaceCrop { pixels: vec![0; 47 * 48], quality: 1.0 };
    assert!(model().predict(&[made_up(1), small]).is_err());
}
