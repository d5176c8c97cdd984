//! The networks that run on GPUs against those that run on the CPU, in every precision. Burn computes them on the CPU
//! here, with the batches filled up to the shapes of a GPU, so this needs none.
#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod support;

use std::path::Path;

use heartline_models::detector::FaceDetector;
use heartline_models::face::{CROP_SIDE, FaceCrop, FaceModel};
use heartline_models::text::TextModel;
use heartline_models::voice::{CallerBaseline, VoiceClip, VoiceModel};
use heartline_models::{Device, RgbImage};

const WEIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/weights");
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

/// The CPU, and burn in each precision.
fn devices() -> (Device, Vec<Device>) {
    let others = ["f32", "f16", "bf16"].map(|precision| support::open("flex", precision));
    (support::open("cpu", "f32"), others.into())
}

/// Sums come in another order even in the same precision.
fn tolerance(device: &Device) -> f32 {
    support::within_on(device, 1e-3)
}

fn assert_near(device: &Device, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let worst = found.iter().zip(expected).fold(0.0_f32, |worst, (f, e)| worst.max((f - e).abs()));
    assert!(worst < tolerance(device), "{} differs by {worst}", device.precision());
}

#[test]
fn texts_read_alike() {
    let texts =
        ["Thank you so much, that solved it.", "还是没有人处理我的退款！", "No.", "I will not pay for this."];
    let texts: Vec<String> = texts.map(ToOwned::to_owned).into();
    let load = |device: &Device| TextModel::load(&Path::new(WEIGHTS).join("text/1"), device).unwrap();
    let (cpu, others) = devices();
    let expected = load(&cpu).predict(&texts).unwrap();
    for device in others {
        let model = load(&device);
        model.warm_up(1).unwrap();
        let found = model.predict(&texts).unwrap();
        assert_eq!(found.len(), texts.len(), "rows that fill up a batch are not answers");
        for (found, expected) in found.iter().zip(&expected) {
            assert_near(&device, &found.categories, &expected.categories);
            assert_near(&device, &[found.valence, found.arousal], &[expected.valence, expected.arousal]);
            assert!((found.familiarity - expected.familiarity).abs() < 0.1);
        }
    }
}

#[test]
fn voices_sound_alike() {
    let tone = |samples: usize, hz: f32| -> Vec<f32> {
        let wave = |index: usize| 0.1 * (index as f32 / 16_000.0 * hz * std::f32::consts::TAU).sin();
        (0..samples).map(|index| wave(index) * (index as f32 / 1500.0).sin().max(0.0)).collect()
    };
    let load = |device: &Device| VoiceModel::load(&Path::new(WEIGHTS).join("voice/1"), device).unwrap();
    let (cpu, others) = devices();
    let model = load(&cpu);
    let clips = [tone(48_000, 120.0), tone(6_400, 210.0), tone(40_000, 300.0)];
    let mut baseline = CallerBaseline::default();
    baseline.add(&model.predict(&clips[..1]).unwrap()[0]);
    let mut clips: Vec<VoiceClip> = clips.into_iter().map(VoiceClip::from).collect();
    clips[2].baseline = baseline;
    let expected = model.predict_callers(&clips).unwrap();
    for device in others {
        let model = load(&device);
        if device.precision() == heartline_models::Precision::F32 {
            model.warm_up(1).unwrap();
        }
        let found = model.predict_callers(&clips).unwrap();
        assert_eq!(found.len(), clips.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert_near(&device, &found.categories, &expected.categories);
            assert_eq!(found.features.len(), expected.features.len());
            let distance: f32 =
                found.features.iter().zip(&expected.features).map(|(f, e)| (f - e).powi(2)).sum();
            let length: f32 = expected.features.iter().map(|value| value.powi(2)).sum();
            assert!((distance / length).sqrt() < 0.05, "the features differ in {}", device.precision());
        }
    }
}

#[test]
fn crops_look_alike() {
    let pixels = |seed: usize| (0..CROP_SIDE * CROP_SIDE).map(move |at| (at * (seed + 3) % 251) as u8);
    let crops: Vec<FaceCrop> =
        (0..5).map(|seed| FaceCrop { pixels: pixels(seed).collect(), quality: 0.5 }).collect();
    let load = |device: &Device| FaceModel::load(&Path::new(WEIGHTS).join("face/1"), device).unwrap();
    let (cpu, others) = devices();
    let expected = load(&cpu).predict(&crops).unwrap();
    for device in others {
        let model = load(&device);
        model.warm_up(2).unwrap();
        let found = model.predict(&crops).unwrap();
        assert_eq!(found.len(), crops.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert_near(&device, &found.categories, &expected.categories);
        }
    }
}

/// Boxes are found in pictures that are filled up to one of a few sizes, so they lie a little elsewhere.
#[test]
fn faces_are_found_alike() {
    let portrait = image::open(format!("{GOLDEN}/astronaut_640.png")).unwrap();
    let picture = |image: image::DynamicImage| {
        let image = image.into_rgb8();
        RgbImage::new(image.width() as usize, image.height() as usize, image.into_raw()).unwrap()
    };
    let pictures = [
        picture(portrait.clone()),
        picture(portrait.crop_imm(60, 0, 400, 300)),
        RgbImage::new(64, 64, vec![128; 64 * 64 * 3]).unwrap(),
    ];
    let load = |device: &Device| FaceDetector::load(&Path::new(WEIGHTS).join("detector/1"), device).unwrap();
    let (cpu, others) = devices();
    let expected = load(&cpu).detect(&pictures).unwrap();
    assert!(expected[0].len() == 1 && expected[1].len() == 1 && expected[2].is_empty());
    for device in others {
        let model = load(&device);
        if device.precision() == heartline_models::Precision::F32 {
            model.warm_up(1).unwrap();
        }
        let found = model.detect(&pictures).unwrap();
        assert_eq!(found.len(), pictures.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found.len(), expected.len(), "in {}", device.precision());
            for (found, expected) in found.iter().zip(expected) {
                let corners = |face: &heartline_models::detector::FaceBox| {
                    [face.left, face.top, face.left + face.width, face.top + face.height]
                };
                let worst = corners(found)
                    .iter()
                    .zip(corners(expected))
                    .fold(0.0_f32, |worst, (f, e)| worst.max((f - e).abs()));
                assert!(worst < 0.03 * expected.width, "{worst} pixels in {}", device.precision());
                assert!((found.score - expected.score).abs() < 0.05);
            }
        }
    }
}
