//! One answer for a clip of several windows.
//!
//! Probabilities are pooled as the fusion pools them: the mean of their logarithms, weighted, and brought back to a
//! sum of 1. A window's weight is its reading's quality: the signal's quality, times the share of it that is speech,
//! times its familiarity.

use super::answer::{Abstain, Finding, VoiceWindow, predicted, top_label};
use crate::emotion::{CATEGORY_COUNT, CategoryProbabilities};

/// What a window weighs at least, so that a clip of nothing but bad windows still has an answer.
const LEAST_WEIGHT: f32 = 0.01;
/// A probability counts as at least this much: one window alone cannot rule a category out.
const LEAST_PROBABILITY: f32 = 1e-6;

/// Pools windows, each with its weight; none where there are no windows.
pub(super) fn pool(windows: &[(VoiceWindow, f32)]) -> Option<Finding> {
    if let [(only, _)] = windows {
        return Some(only.finding.clone());
    }
    let weights: Vec<f32> = windows.iter().map(|(_, weight)| weight.max(LEAST_WEIGHT)).collect();
    let total: f32 = weights.iter().sum();
    let shares: Vec<f32> = weights.iter().map(|weight| weight / total).collect();
    let findings = || windows.iter().map(|(window, _)| &window.finding).zip(&shares);
    let mean = |value: fn(&Finding) -> f32| findings().map(|(finding, share)| value(finding) * share).sum();
    let first = &windows.first()?.0.finding;
    let rows = findings()
        .map(|(finding, share)| (<[f32; CATEGORY_COUNT]>::from(finding.categories).to_vec(), *share));
    let categories = pooled(rows, CATEGORY_COUNT);
    let categories: [f32; CATEGORY_COUNT] = categories.try_into().ok()?;
    let scores = |finding: &Finding| finding.labels.iter().map(|(_, score)| *score).collect::<Vec<_>>();
    let label_scores =
        pooled(findings().map(|(finding, share)| (scores(finding), *share)), first.labels.len());
    let labels: Vec<(String, f32)> =
        first.labels.iter().map(|(name, _)| name.clone()).zip(label_scores).collect();
    Some(Finding {
        predicted: predicted(&categories),
        predicted_label: top_label(&labels),
        categories: CategoryProbabilities::from(categories),
        labels,
        valence: mean(|finding| finding.valence),
        arousal: mean(|finding| finding.arousal),
        dominance: first.dominance.map(|_| mean(|finding| finding.dominance.unwrap_or(0.0))),
        quality: mean(|finding| finding.quality),
        familiarity: mean(|finding| finding.familiarity),
        abstain: doubt(findings().map(|(finding, share)| (finding.abstain.as_ref(), *share))),
    })
}

/// The weighted mean of log-probabilities, back as probabilities.
fn pooled(rows: impl Iterator<Item = (Vec<f32>, f32)>, width: usize) -> Vec<f32> {
    let mut sums = vec![0.0; width];
    for (row, share) in rows {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += share * value.max(LEAST_PROBABILITY).ln();
        }
    }
    let largest = sums.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = sums.iter().map(|sum| (sum - largest).exp()).collect();
    let total: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / total).collect()
}

/// A clip is in doubt where windows with at least half of the weight are; it takes the heaviest one's reason.
fn doubt<'a>(windows: impl Iterator<Item = (Option<&'a Abstain>, f32)>) -> Option<Abstain> {
    let doubtful: Vec<(&Abstain, f32)> =
        windows.filter_map(|(doubt, share)| doubt.map(|doubt| (doubt, share))).collect();
    let weight: f32 = doubtful.iter().map(|(_, share)| share).sum();
    let heaviest = doubtful.into_iter().max_by(|left, right| left.1.total_cmp(&right.1))?;
    (weight >= 0.5).then(|| heaviest.0.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(categories: [f32; 7], abstain: Option<&'static str>) -> VoiceWindow {
        let names = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear"];
        let finding = Finding {
            predicted: predicted(&categories),
            predicted_label: None,
            categories: categories.into(),
            labels: names.iter().zip(categories).map(|(name, score)| ((*name).to_owned(), score)).collect(),
            valence: categories[1],
            arousal: 0.0,
            dominance: Some(categories[4]),
            quality: 0.5,
            familiarity: 1.0,
            abstain: abstain.map(|code| Abstain::new(code, "")),
        };
        VoiceWindow { start_ms: 0, end_ms: 1, speech_share: 1.0, finding }
    }

    const HAPPY: [f32; 7] = [0.1, 0.8, 0.02, 0.02, 0.02, 0.02, 0.02];
    const ANGRY: [f32; 7] = [0.1, 0.02, 0.02, 0.02, 0.8, 0.02, 0.02];

    #[test]
    fn the_heavier_window_decides_and_probabilities_stay_whole() {
        let pooled = pool(&[(window(HAPPY, None), 0.9), (window(ANGRY, None), 0.3)]).unwrap();
        assert_eq!((pooled.predicted, pooled.predicted_label.as_deref()), ("happiness", Some("happiness")));
        let categories = <[f32; 7]>::from(pooled.categories);
        assert!((categories.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        let expected = (0.75 * 0.8_f32.ln() + 0.25 * 0.02_f32.ln()).exp();
        let rest = (0.75 * 0.02_f32.ln() + 0.25 * 0.8_f32.ln()).exp();
        assert!((categories[1] / categories[4] - expected / rest).abs() < 1e-3);
        assert!((pooled.valence - 0.605).abs() < 1e-5);
        assert!((pooled.dominance.unwrap() - 0.215).abs() < 1e-5);
    }

    #[test]
    fn a_window_alone_is_the_clip_and_no_window_is_nothing() {
        let alone = pool(&[(window(ANGRY, Some("unsure")), 0.0)]).unwrap();
        assert_eq!((alone.predicted, alone.abstain.unwrap().code), ("anger", "unsure"));
        assert!(pool(&[]).is_none());
    }

    #[test]
    fn certain_windows_do_not_rule_each_other_out() {
        let certain = |place: usize| std::array::from_fn(|index| if index == place { 1.0 } else { 0.0 });
        let pooled = pool(&[(window(certain(1), None), 0.0), (window(certain(4), None), 0.0)]).unwrap();
        let categories = <[f32; 7]>::from(pooled.categories);
        assert!((categories[1] - 0.5).abs() < 1e-2 && (categories[4] - 0.5).abs() < 1e-2, "{categories:?}");
    }

    #[test]
    fn half_of_the_weight_in_doubt_is_a_doubt() {
        let abstain = |first: f32, second: f32| {
            let windows = [(window(HAPPY, Some("unfamiliar")), first), (window(HAPPY, None), second)];
            pool(&windows).unwrap().abstain.map(|abstain| abstain.code)
        };
        assert_eq!(abstain(0.6, 0.6), Some("unfamiliar"));
        assert_eq!(abstain(0.5, 0.6), None);
    }
}
