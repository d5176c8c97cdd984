//! Faces that come, go, cross and tremble, and what following them saves.

use std::path::Path;
use std::time::{Duration, Instant};

use heartline_models::detector::{FaceBox, FaceDetector};
use heartline_models::{Device, RgbImage, face};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

use super::LiveConfig;
use super::faces::{FaceTracker, Look, TrackedFace};
use crate::engine::newest_version;
use crate::media::{MediaLimits, decode_image};

const SIZE: (usize, usize) = (640, 480);

fn tracker() -> FaceTracker {
    FaceTracker::new(&LiveConfig { max_faces: 3, ..LiveConfig::default() })
}

fn face_at(left: f32, top: f32, side: f32) -> FaceBox {
    FaceBox { left, top, width: side, height: side, score: 0.9, landmarks: [(left, top); 5] }
}

/// Looks at a frame in which the detector finds these faces.
fn look(tracker: &mut FaceTracker, at_ms: u64, found: &[FaceBox]) -> Vec<TrackedFace> {
    tracker.plan(SIZE.0, SIZE.1);
    tracker.settle(at_ms, found.to_vec())
}

fn ids(tracked: &[TrackedFace]) -> Vec<u32> {
    tracked.iter().map(|tracked| tracked.id).collect()
}

#[test]
fn a_face_that_moves_stays_the_same() {
    let mut tracker = tracker();
    for step in 0..40_u64 {
        let place = 20.0 + 10.0 * step as f32;
        let tracked = look(&mut tracker, step * 500, &[face_at(place, 100.0, 90.0 + step as f32)]);
        assert_eq!(ids(&tracked), [1], "{step}");
        assert_eq!(tracked[0].face.left, place);
    }
}

#[test]
fn people_who_cross_keep_their_numbers() {
    let mut tracker = tracker();
    for step in 0..21_u64 {
        let way = 20.0 * step as f32;
        let found = [face_at(40.0 + way, 100.0, 90.0), face_at(460.0 - way, 130.0, 80.0)];
        assert_eq!(ids(&look(&mut tracker, step * 250, &found)), [1, 2], "{step}");
    }
}

#[test]
fn who_comes_back_soon_to_the_same_place_is_the_same() {
    let here = face_at(200.0, 100.0, 100.0);
    for (away_ms, place, expected) in
        [(1_500, 230.0, 1), (2_000, 200.0, 1), (2_600, 200.0, 2), (1_000, 420.0, 2)]
    {
        let mut tracker = tracker();
        look(&mut tracker, 0, &[here]);
        assert_eq!(look(&mut tracker, 500, &[]), []);
        let back = look(&mut tracker, 500 + away_ms, &[face_at(place, 100.0, 100.0)]);
        assert_eq!(ids(&back), [expected], "away for {away_ms} ms, back at {place}");
    }
}

#[test]
fn rare_frames_do_not_lose_a_face_that_stays() {
    let mut tracker = tracker();
    for at_ms in [0, 2_000, 4_500, 13_000] {
        assert_eq!(ids(&look(&mut tracker, at_ms, &[face_at(200.0, 100.0, 100.0)])), [1]);
    }
    // After a long gap, forwards or backwards, nothing is the same.
    assert_eq!(ids(&look(&mut tracker, 23_001, &[face_at(200.0, 100.0, 100.0)])), [2]);
    assert_eq!(ids(&look(&mut tracker, 1_000, &[face_at(200.0, 100.0, 100.0)])), [3]);
    // A small step back is none.
    assert_eq!(ids(&look(&mut tracker, 900, &[face_at(200.0, 100.0, 100.0)])), [3]);
}

#[test]
fn the_largest_are_followed_and_nearly_as_large_ones_take_no_place() {
    let mut tracker = FaceTracker::new(&LiveConfig { max_faces: 1, ..LiveConfig::default() });
    let (mine, other) = (face_at(100.0, 100.0, 100.0), face_at(400.0, 100.0, 99.0));
    assert_eq!(ids(&look(&mut tracker, 0, &[other, mine])), [1]);
    let nearer = face_at(400.0, 100.0, 105.0);
    assert_eq!(look(&mut tracker, 500, &[nearer, mine])[0].face, mine);
    let near = face_at(400.0, 100.0, 150.0);
    assert_eq!(ids(&look(&mut tracker, 1_000, &[near, mine])), [2]);
    assert_eq!(ids(&look(&mut tracker, 1_500, &[mine])), [1], "it was there all the time");
}

#[test]
fn boxes_of_no_sense_are_no_faces() {
    let mut tracker = tracker();
    let sound = face_at(100.0, 100.0, 50.0);
    let mut crooked = sound;
    crooked.landmarks[2].1 = f32::NAN;
    let bad = [
        face_at(f32::NAN, 0.0, 50.0),
        face_at(0.0, 0.0, f32::INFINITY),
        face_at(0.0, 0.0, 0.0),
        face_at(0.0, 0.0, -5.0),
        face_at(0.0, 0.0, f32::MAX),
        crooked,
    ];
    assert_eq!(look(&mut tracker, 0, &bad), []);
    assert_eq!(look(&mut tracker, 500, &[bad[0], sound, bad[1]]), [TrackedFace { id: 1, face: sound }]);
}

#[test]
fn the_whole_is_searched_now_and_then_and_whenever_somebody_is_missing() {
    let mut tracker = tracker();
    let here = face_at(200.0, 100.0, 70.0);
    let plan = |tracker: &mut FaceTracker, at_ms, found: &[FaceBox]| {
        let look = tracker.plan(SIZE.0, SIZE.1);
        tracker.settle(at_ms, found.to_vec());
        look == Look::Whole
    };
    let looks: Vec<bool> = (0..9).map(|step| plan(&mut tracker, step * 500, &[here])).collect();
    assert_eq!(looks, [true, false, false, false, true, false, false, false, true]);
    assert!(!plan(&mut tracker, 4_500, &[]), "it is lost here");
    assert!(plan(&mut tracker, 5_000, &[here]), "so all is searched");
    assert!(!plan(&mut tracker, 5_500, &[here]));
    for step in 0..4 {
        plan(&mut tracker, 6_000 + step * 500, &[]);
    }
    assert!(plan(&mut tracker, 8_000, &[]) && plan(&mut tracker, 8_500, &[]), "nobody is there");
}

#[test]
fn another_resolution_of_the_same_picture_keeps_its_faces() {
    let mut tracker = tracker();
    look(&mut tracker, 0, &[face_at(200.0, 100.0, 80.0)]);
    assert_eq!(tracker.plan(1_280, 960), Look::Whole);
    assert_eq!(ids(&tracker.settle(500, vec![face_at(400.0, 200.0, 160.0)])), [1]);
    assert_eq!(tracker.plan(480, 640), Look::Whole);
    assert_eq!(ids(&tracker.settle(1_000, vec![face_at(150.0, 75.0, 60.0)])), [2]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_faces_at_any_time_keep_the_rules(
        frames in vec((0_u64..3_000, vec((-100.0_f32..700.0, -100.0_f32..500.0, -10.0_f32..300.0), 0..8)), 1..40),
        size_changes in any::<bool>(),
    ) {
        let mut tracker = tracker();
        let mut at_ms = 0;
        for (index, (step_ms, boxes)) in frames.iter().enumerate() {
            at_ms += step_ms;
            let size = if size_changes && index % 7 == 6 { (320, 240 + index) } else { SIZE };
            let look = tracker.plan(size.0, size.1);
            if let (Look::Around(regions), true) = (look, index % 5 == 3) {
                let image = RgbImage::new(size.0, size.1, vec![0; size.0 * size.1 * 3]).unwrap();
                for region in regions {
                    prop_assert!(region.cut(&image).check().is_ok());
                }
            }
            let found: Vec<FaceBox> = boxes.iter().map(|(left, top, side)| face_at(*left, *top, *side)).collect();
            let sound = found.iter().filter(|face| face.width > 0.0).count();
            let tracked = tracker.settle(at_ms, found);
            prop_assert_eq!(tracked.len(), sound.min(3));
            let mut ids = ids(&tracked);
            ids.sort_unstable();
            ids.dedup();
            prop_assert_eq!(ids.len(), tracked.len());
        }
    }

    #[test]
    fn faces_that_tremble_and_walk_keep_their_numbers(
        steps in vec((-0.2_f32..0.2, -0.2_f32..0.2, 0.95_f32..1.05), 1..60),
    ) {
        let mut tracker = tracker();
        // Two people far apart, who walk alike.
        let mut faces = [face_at(100.0, 200.0, 100.0), face_at(420.0, 200.0, 80.0)];
        let first = ids(&look(&mut tracker, 0, &faces));
        for (index, (across, down, growth)) in steps.iter().enumerate() {
            for face in &mut faces {
                let side = (face.width * growth).clamp(70.0, 120.0);
                *face = face_at(face.left + across * side, face.top + down * side, side);
            }
            // The detector answers in any order.
            let found = if index % 2 == 0 { [faces[1], faces[0]] } else { faces };
            let tracked = look(&mut tracker, 500 * (index as u64 + 1), &found);
            let id_of = |face: &FaceBox| tracked.iter().find(|tracked| tracked.face == *face).map(|one| one.id);
            prop_assert_eq!(vec![id_of(&faces[0]), id_of(&faces[1])], vec![Some(first[0]), Some(first[1])]);
        }
    }
}

fn detector() -> FaceDetector {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/weights");
    FaceDetector::load(
        &newest_version(&root, "detector").unwrap(),
        &Device::open(&"cpu".parse().unwrap()).unwrap(),
    )
    .unwrap()
}

/// The frames of the sample call as JPEG, brought to a size by cutting and scaling.
fn frames(width: u32, height: u32) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/call/frames");
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let encode = |path: &std::path::PathBuf| {
        let image = image::open(path).unwrap().into_rgb8();
        let kept = (image.width() * height / width).min(image.height());
        let image = image::imageops::crop_imm(&image, 0, (image.height() - kept) / 2, image.width(), kept);
        let filter = image::imageops::FilterType::Triangle;
        let image = image::imageops::resize(&image.to_image(), width, height, filter);
        let mut bytes = Vec::new();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 85).encode_image(&image).unwrap();
        bytes
    };
    names.iter().map(encode).collect()
}

/// Follows pictures and gives, for each that was looked at in part, the faces with those of the whole.
fn follow(detector: &FaceDetector, images: &[RgbImage]) -> Vec<(TrackedFace, FaceBox)> {
    let mut tracker = FaceTracker::new(&LiveConfig { detect_every: 1_000, ..LiveConfig::default() });
    let mut pairs = Vec::new();
    for (index, image) in images.iter().enumerate() {
        let look = tracker.plan(image.width, image.height);
        let parts = match &look {
            Look::Whole => vec![image.clone()],
            Look::Around(regions) => regions.iter().map(|region| region.cut(image)).collect(),
        };
        let found = look.whole(detector.detect(&parts).unwrap());
        for tracked in tracker.settle(index as u64 * 500, found) {
            if look != Look::Whole {
                let whole = detector.detect(std::slice::from_ref(image)).unwrap().remove(0);
                let best = whole.into_iter().max_by(|left, right| {
                    left.overlap(&tracked.face).total_cmp(&right.overlap(&tracked.face))
                });
                pairs.push((tracked, best.unwrap()));
            }
        }
    }
    pairs
}

#[test]
fn a_look_around_finds_what_a_look_at_all_finds() {
    let detector = detector();
    for (width, height) in [(640, 480), (1_280, 720)] {
        let images: Vec<RgbImage> = frames(width, height)
            .iter()
            .map(|bytes| decode_image(bytes, &MediaLimits::default()).unwrap())
            .collect();
        let pairs = follow(&detector, &images);
        assert!(pairs.len() >= 3, "{} faces were looked for in part", pairs.len());
        let mut distances = Vec::new();
        for (tracked, whole) in pairs {
            assert_eq!(tracked.id, 1);
            assert!(tracked.face.overlap(&whole) > 0.7, "{tracked:?} {whole:?}");
            let eyes = |face: &FaceBox| {
                (face.landmarks[1].0 - face.landmarks[0].0).hypot(face.landmarks[1].1 - face.landmarks[0].1)
            };
            for (found, expected) in tracked.face.landmarks.iter().zip(whole.landmarks) {
                distances.push((found.0 - expected.0).hypot(found.1 - expected.1) / eyes(&whole));
            }
        }
        // The detector's own landmarks differ by as much when a picture is shifted by a few pixels.
        let mean = distances.iter().sum::<f32>() / distances.len() as f32;
        let worst = distances.iter().copied().fold(0.0, f32::max);
        assert!(mean < 0.07 && worst < 0.2, "landmarks are {mean} eye distances off, one {worst}");
    }
}

/// The least time of several runs: what the work costs, without what else the machine does.
fn least<T>(mut work: impl FnMut() -> T) -> (Duration, T) {
    let mut timed = || {
        let started = Instant::now();
        let value = work();
        (started.elapsed(), value)
    };
    (0..15).map(|_| timed()).min_by_key(|(time, _)| *time).unwrap()
}

#[test]
#[ignore = "measures; run it alone and with optimisation"]
#[allow(clippy::print_stdout, reason = "prints what it measured")]
fn what_a_frame_costs() {
    let (detector, limits) = (detector(), MediaLimits::default());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/weights");
    let device = Device::open(&"cpu".parse().unwrap()).unwrap();
    let model = face::FaceModel::load(&newest_version(&root, "face").unwrap(), &device).unwrap();
    for (width, height) in [(640, 480), (1_280, 720)] {
        let bytes = frames(width, height).swap_remove(1);
        let (decode, image) = least(|| decode_image(&bytes, &limits).unwrap());
        let (whole, found) = least(|| detector.detect(std::slice::from_ref(&image)).unwrap());
        let mut tracker = tracker();
        tracker.plan(image.width, image.height);
        tracker.settle(0, found[0].clone());
        let Look::Around(regions) = tracker.plan(image.width, image.height) else { panic!("no face") };
        let cut = || regions.iter().map(|region| region.cut(&image)).collect::<Vec<_>>();
        let (around, parts) = least(|| {
            let parts = cut();
            detector.detect(&parts).unwrap();
            parts
        });
        let (cropping, crop) = least(|| face::crop(&image, &found[0][0]));
        let (reading, _) = least(|| model.predict(std::slice::from_ref(&crop)).unwrap());
        println!(
            "{width}x{height}, {} bytes, a face of {:.0} x {:.0}: decode {decode:?}, whole {whole:?}, around {around:?} \
             ({} x {}, {:.2} of the whole), crop {cropping:?}, face {reading:?}",
            bytes.len(),
            found[0][0].width,
            found[0][0].height,
            parts[0].width,
            parts[0].height,
            around.as_secs_f64() / whole.as_secs_f64(),
        );
    }
}
