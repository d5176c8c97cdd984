//! The detector against the numbers of its source, and against odd pictures.
#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod support;

use std::path::Path;

use heartline_models::detector::{FaceBox, FaceDetector, HEADS, STRIDES};
use heartline_models::{RgbImage, Weights};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/weights/detector/1");
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
const SIDE: usize = 640;
/// The largest difference of two single-precision computations of this network.
const TOLERANCE: f32 = 1e-3;

fn detector() -> FaceDetector {
    FaceDetector::load(Path::new(FOLDER), support::device()).unwrap()
}

/// A portrait by NASA, in the public domain.
fn astronaut() -> RgbImage {
    let image = image::open(format!("{GOLDEN}/astronaut_640.png")).unwrap().into_rgb8();
    RgbImage::new(image.width() as usize, image.height() as usize, image.into_raw()).unwrap()
}

fn planes(image: &RgbImage) -> Vec<f32> {
    let channel =
        |channel: usize| image.pixels.iter().skip(channel).step_by(3).map(|value| f32::from(*value));
    [2, 1, 0].into_iter().flat_map(channel).collect()
}

fn synthetic() -> Vec<f32> {
    let mut values = Vec::with_capacity(3 * SIDE * SIDE);
    for channel in 0..3 {
        for y in 0..SIDE {
            values.extend((0..SIDE).map(|x| ((3 * x + 5 * y + 17 * channel) % 256) as f32));
        }
    }
    values
}

/// Compares every number of the three levels with the source's.
fn compare(name: &str, input: Vec<f32>) {
    let bytes = std::fs::read(format!("{GOLDEN}/detector.safetensors")).unwrap();
    let golden = Weights::parse(&bytes).unwrap();
    let answers = detector().raw(input, [1, 3, SIDE, SIDE]).unwrap();
    // These are sums of many layers that no softmax has evened out.
    let rounding = support::within(TOLERANCE);
    let tolerance = if rounding > TOLERANCE { 5.0 * rounding } else { TOLERANCE };
    for (stride, answer) in STRIDES.iter().zip(answers) {
        let places = (SIDE / stride).pow(2);
        let mut channel = 0;
        for (head, channels) in HEADS {
            let expected = golden.values(&format!("{name}.{head}_{stride}"), &[places, channels]).unwrap();
            for place in 0..places {
                for offset in 0..channels {
                    let mut found = answer[(channel + offset) * places + place];
                    if channels == 1 {
                        found = 1.0 / (1.0 + (-found).exp());
                    }
                    let expected = expected[place * channels + offset];
                    let difference = (found - expected).abs();
                    assert!(
                        difference < tolerance * expected.abs().max(1.0),
                        "{name}.{head}_{stride}[{place}]: {found} {expected}"
                    );
                }
            }
            channel += channels;
        }
    }
}

#[test]
fn the_numbers_of_a_made_up_picture_agree_with_the_source() {
    compare("synthetic", synthetic());
}

#[test]
fn the_numbers_of_a_portrait_agree_with_the_source() {
    compare("astronaut", planes(&astronaut()));
}

fn assert_close(face: &FaceBox, expected: [f32; 4], pixels: f32) {
    let found = [face.left, face.top, face.left + face.width, face.top + face.height];
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < pixels, "{face:?}");
    }
}

#[test]
fn the_portrait_has_one_face_in_its_place() {
    let faces = detector().detect(&[astronaut()]).unwrap().remove(0);
    assert_eq!(faces.len(), 1);
    assert_close(&faces[0], [223.86, 80.78, 336.83, 217.44], 1.0);
    assert!((faces[0].score - 0.9428).abs() < 0.01);
    let [right_eye, left_eye, nose, right_mouth, _] = faces[0].landmarks;
    assert!(right_eye.0 < left_eye.0 && nose.1 > right_eye.1 && right_mouth.1 > nose.1);
}

#[test]
fn a_batch_of_different_pictures_equals_single_ones() {
    let detector = detector();
    let portrait = astronaut();
    let grey = RgbImage::new(100, 50, vec![128; 100 * 50 * 3]).unwrap();
    let half = RgbImage::new(640, 320, portrait.pixels[..640 * 320 * 3].to_vec()).unwrap();
    let images = [portrait, grey, half.clone(), half];
    let together = detector.detect(&images).unwrap();
    for (image, together) in images.iter().zip(&together) {
        let alone = detector.detect(std::slice::from_ref(image)).unwrap().remove(0);
        assert_eq!(alone.len(), together.len());
        for (alone, together) in alone.iter().zip(together) {
            let edges = [together.left, together.top];
            assert_close(
                alone,
                [edges[0], edges[1], edges[0] + together.width, edges[1] + together.height],
                0.01,
            );
        }
    }
    assert!(together[1].is_empty() && together[2].len() == 1);
    assert!(detector.detect(&[]).unwrap().is_empty());
}

/// The portrait made larger by repeating pixels.
fn enlarged(times: usize) -> RgbImage {
    let portrait = astronaut();
    let side = SIDE * times;
    let mut pixels = Vec::with_capacity(side * side * 3);
    for y in 0..side {
        for x in 0..side {
            let start = (y / times * SIDE + x / times) * 3;
            pixels.extend_from_slice(&portrait.pixels[start..start + 3]);
        }
    }
    RgbImage::new(side, side, pixels).unwrap()
}

#[test]
fn a_huge_picture_is_scaled_and_its_boxes_are_in_its_own_pixels() {
    let faces = detector().detect(&[enlarged(4)]).unwrap().remove(0);
    assert_eq!(faces.len(), 1);
    assert_close(&faces[0], [223.86, 80.78, 336.83, 217.44].map(|edge: f32| edge * 4.0), 6.0);
}

#[test]
fn tiny_narrow_and_empty_pictures_have_no_faces() {
    let detector = detector();
    for (width, height) in [(1, 1), (1, 700), (3000, 1), (31, 33)] {
        let image = RgbImage::new(width, height, vec![77; width * height * 3]).unwrap();
        assert!(detector.detect(&[image]).unwrap().remove(0).is_empty(), "{width} x {height}");
    }
}

#[test]
fn an_upside_down_portrait_does_not_crash() {
    let mut portrait = astronaut();
    let turned: Vec<u8> = portrait.pixels.chunks(3).rev().flatten().copied().collect();
    portrait.pixels = turned;
    let faces = detector().detect(&[portrait]).unwrap().remove(0);
    assert!(faces.iter().all(|face| (0.0..=1.0).contains(&face.score) && face.width > 0.0));
}

#[test]
fn a_picture_whose_bytes_do_not_fit_is_refused() {
    let broken = RgbImage { width: 9, height: 9, pixels: vec![0; 9] };
    assert!(detector().detect(&[broken]).is_err());
    assert!(detector().raw(vec![0.0; 3 * 33 * 32], [1, 3, 33, 32]).is_err());
}
