//! Readings for tests, and the tests of the whole road.

use super::{Fused, FusionConfig, fuse, fuse_at};
use crate::emotion::{AbstentionCode, Category, Concern, Modality, Reading, ServiceHints, Span};

/// A clean reading: `probability` for one category, the rest spread evenly, valence and arousal to match.
pub(super) fn reading(modality: Modality, at_ms: u64, category: Category, probability: f32) -> Reading {
    let mut categories = [(1.0 - probability) / 6.0; 7];
    categories[category.index()] = probability;
    let (valence, arousal) = match category {
        Category::Neutral => (0.0, 0.0),
        Category::Happiness => (0.8, 0.4),
        Category::Surprise => (0.1, 0.6),
        Category::Sadness => (-0.7, -0.3),
        Category::Anger => (-0.7, 0.7),
        Category::Disgust => (-0.6, 0.3),
        Category::Fear => (-0.6, 0.5),
    };
    Reading {
        modality,
        span: Span::at(at_ms),
        categories,
        valence,
        arousal,
        dominance: None,
        service: ServiceHints::default(),
        labels: Vec::new(),
        quality: 0.95,
        face: None,
        model: "test/1".to_owned(),
    }
}

/// Fuses with the defaults.
pub(super) fn fused(readings: &[Reading]) -> Fused {
    fuse(readings, None, &FusionConfig::default())
}

/// A call of a minute that starts content and ends angry, in all modalities.
fn call() -> Vec<Reading> {
    let mut readings = Vec::new();
    for second in 0..60 {
        let category = if second < 30 { Category::Happiness } else { Category::Anger };
        readings.push(reading(Modality::Face, second * 1_000, category, 0.7));
        if second % 3 == 0 {
            readings.push(reading(Modality::Voice, second * 1_000, category, 0.5));
        }
        if second % 7 == 0 {
            readings.push(reading(Modality::Text, second * 1_000, category, 0.6));
        }
    }
    readings
}

#[test]
fn every_fused_vector_is_valid_and_reads_its_own_json() {
    for readings in [call(), Vec::new(), call().split_off(70)] {
        let fused = fused(&readings);
        fused.vector.validate().unwrap();
        let json = serde_json::to_string(&fused).unwrap();
        assert_eq!(serde_json::from_str::<Fused>(&json).unwrap(), fused);
    }
}

#[test]
fn a_call_that_turns_bad_ends_angry_with_a_falling_trend() {
    let fused = fused(&call());
    assert_eq!(fused.vector.top_category().0, Category::Anger);
    assert!(fused.vector.trend.valence_per_minute < -0.5);
    assert!(fused.vector.frustration > 0.5 && fused.vector.satisfaction < 0.4);
    let worst = fused.vector.trend.worst.unwrap();
    assert!(worst.at_ms > 45_000 && worst.category == Category::Anger);
    assert_eq!(fused.timeline.len(), 30);
    assert_eq!(fused.timeline[5].category, Category::Happiness);
}

#[test]
fn arrival_order_does_not_matter() {
    let mut readings = call();
    let ordered = fused(&readings);
    readings.reverse();
    let reversed = fused(&readings);
    assert!((ordered.vector.valence - reversed.vector.valence).abs() < 1e-5);
    for (left, right) in ordered.vector.categories.iter().zip(reversed.vector.categories) {
        assert!((left - right).abs() < 1e-5);
    }
}

#[test]
fn many_frames_do_not_outweigh_an_utterance() {
    let with_frames = |frames: u64| {
        let mut readings = vec![reading(Modality::Text, 1_900, Category::Anger, 0.8)];
        let frame = |index| reading(Modality::Face, 1_900 - index * 30, Category::Neutral, 0.6);
        readings.extend((0..frames).map(frame));
        fused(&readings)
    };
    let (one, many) = (with_frames(1), with_frames(60));
    assert_eq!(many.vector.top_category().0, Category::Anger);
    let weight = |fused: &Fused| fused.vector.trust.face.unwrap().weight;
    assert!((weight(&one) - weight(&many)).abs() < 1e-4);
    assert_eq!(many.vector.trust.face.unwrap().readings, 60);
}

#[test]
fn any_subset_of_modalities_is_enough() {
    for left_out in Modality::ALL {
        let readings: Vec<_> = call().into_iter().filter(|reading| reading.modality != left_out).collect();
        let fused = fused(&readings);
        assert_eq!(fused.vector.top_category().0, Category::Anger, "without {left_out}");
        assert!(fused.vector.trust.of(left_out).is_none());
        assert!(fused.vector.trust.abstain.is_none());
        assert_eq!(fused.explanation.contributions.len(), 2);
    }
}

#[test]
fn age_lowers_weight_until_nothing_can_be_said() {
    let config = FusionConfig::default();
    let readings = [
        reading(Modality::Face, 1_000, Category::Happiness, 0.8),
        reading(Modality::Text, 1_000, Category::Happiness, 0.8),
    ];
    let now = fuse_at(&readings, None, 1_000, &config);
    let later = fuse_at(&readings, None, 21_000, &config);
    let hours = fuse_at(&readings, None, 20_000_000, &config);
    let face = |fused: &Fused| fused.vector.trust.face.unwrap();
    assert_eq!(face(&later).age_ms, 20_000);
    assert!(face(&later).weight < face(&now).weight, "a face ages faster than words");
    assert!(later.vector.trust.confidence < now.vector.trust.confidence);
    assert_eq!(hours.vector.trust.abstain.as_ref().unwrap().code, AbstentionCode::LowQuality);
    hours.vector.validate().unwrap();
    let spread = hours.vector.categories;
    assert!(spread.iter().all(|probability| (probability - 1.0 / 7.0).abs() < 1e-3), "{spread:?}");
}

#[test]
fn the_future_is_not_known() {
    let config = FusionConfig::default();
    let then = fuse_at(&call(), None, 25_000, &config);
    assert_eq!(then.vector.top_category().0, Category::Happiness);
    assert_eq!(then.vector.at_ms, 25_000);
}

#[test]
fn hints_outweigh_what_categories_suggest() {
    let mut text = reading(Modality::Text, 900, Category::Neutral, 0.8);
    text.service = ServiceHints { satisfaction: Some(0.1), frustration: Some(0.9), confusion: None };
    let fused = fused(&[text, reading(Modality::Face, 900, Category::Neutral, 0.8)]);
    assert!(fused.vector.frustration > 0.55 && fused.vector.satisfaction < 0.3, "{:?}", fused.vector);
    assert!(fused.vector.confusion < 0.3);
}

#[test]
fn damaged_readings_are_counted_and_do_no_harm() {
    let mut damaged = reading(Modality::Voice, 900, Category::Fear, 0.9);
    damaged.arousal = f32::NAN;
    let fused = fused(&[damaged, reading(Modality::Text, 900, Category::Anger, 0.7)]);
    assert_eq!(fused.explanation.ignored_readings, 1);
    assert!(fused.vector.trust.voice.is_none());
    fused.vector.validate().unwrap();
}

#[test]
fn the_concern_is_carried_over() {
    let concern = Concern {
        score: 0.66,
        issue: "refund".to_owned(),
        topic: "refund".to_owned(),
        count: 3,
        spans: vec![Span::new(0, 1)],
    };
    let fused = fuse(&call(), Some(concern.clone()), &FusionConfig::default());
    assert_eq!((fused.vector.concern, fused.vector.concern_issue), (0.66, Some(concern)));
}
