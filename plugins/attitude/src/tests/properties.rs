//! What holds for every state, every agent, and whatever was learned.

use proptest::array::{uniform4, uniform5, uniform7};
use proptest::prelude::*;

use super::*;

fn emotion() -> impl Strategy<Value = Emotion> {
    let parts = (
        uniform7(0.0_f32..=1.0).prop_filter("some mass", |parts| parts.iter().sum::<f32>() > 0.1),
        uniform4(0.0_f32..=1.0),
    );
    parts.prop_map(|(parts, [frustration, confusion, concern, confidence])| {
        let sum: f32 = parts.iter().sum();
        let categories = parts.map(|part| part / sum);
        Emotion {
            categories,
            frustration,
            confusion,
            concern,
            confidence,
            abstain: false,
            ..Emotion::default()
        }
    })
}

fn traits() -> impl Strategy<Value = [f32; 5]> {
    uniform5(prop_oneof![4 => 0.0_f32..=1.0, 1 => Just(f32::NAN)])
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let share = || prop::option::of(0.0_f32..=1.0);
    let change = prop::option::of(-2.0_f32..=2.0);
    (any::<Option<bool>>(), any::<bool>(), share(), change).prop_map(
        |(is_resolved, is_transferred, rating, valence_change)| Outcome {
            is_resolved,
            is_transferred,
            rating,
            valence_change,
            handling_ms: None,
        },
    )
}

/// A matcher that has learned from some calls, of any kind.
fn taught() -> impl Strategy<Value = Attitude> {
    let config = (1.0..=100.0, 0.0..=1.0, 10.0..=1_000.0);
    (config, prop::collection::vec((emotion(), traits(), outcome()), 0..20)).prop_map(
        |((prior_calls, max_step, remembered_calls), calls)| {
            let learning = Learning { enabled: true, prior_calls, remembered_calls, max_step };
            let mut matcher = Attitude::create(Config { learning, ..Config::default() }).unwrap();
            for (emotion, traits, outcome) in calls {
                learn(&mut matcher, emotion, &agent(traits), outcome);
            }
            assert!(matcher.needs().as_flattened().iter().all(|need| (0.0..=10.0).contains(need)));
            matcher
        },
    )
}

proptest! {
    #[test]
    fn every_answer_is_valid_and_excludes_nobody(
        mut matcher in taught(), emotion in emotion(), traits in traits(), counts in any::<[u32; 4]>(),
    ) {
        let [resolved, unresolved, upset_resolved, upset_unresolved] = counts;
        let outcomes = Outcomes { resolved, unresolved, upset_resolved, upset_unresolved };
        // `testing::score` refuses what a host would refuse.
        let scores = score_by(&mut matcher, emotion, &[Agent { outcomes, ..agent(traits) }]);
        prop_assert!(scores[0].eligible);
    }

    #[test]
    fn more_of_a_trait_never_scores_less_whatever_was_learned(mut matcher in taught(), emotion in emotion(), traits in uniform5(0.0_f32..=1.0), index in 0_usize..5, more in 0.0_f32..=1.0) {
        let mut better = traits;
        better[index] = (better[index] + more).min(1.0);
        let scores = score_by(&mut matcher, emotion, &[agent(traits), agent(better)]);
        prop_assert!(scores[1].score >= scores[0].score - 1e-6, "{:?}", scores);
    }

    #[test]
    fn what_is_not_known_makes_less_sure(emotion in emotion(), traits in uniform5(0.0_f32..=1.0), index in 0_usize..5) {
        let mut partly = traits;
        partly[index] = f32::NAN;
        let scores = score(emotion, &[agent(traits), agent(partly)]);
        prop_assert!(scores[1].confidence <= scores[0].confidence + 1e-6, "{:?}", scores);
    }

    #[test]
    fn each_row_is_scored_alone(mut matcher in taught(), emotion in emotion(), first in traits(), second in traits()) {
        let forward = score_by(&mut matcher, emotion.clone(), &[agent(first), agent(second)]);
        let backward = score_by(&mut matcher, emotion, &[agent(second), agent(first)]);
        prop_assert_eq!([forward[0], forward[1]], [backward[1], backward[0]]);
    }

    #[test]
    fn columns_that_are_missing_are_unknown(mut matcher in taught(), emotion in emotion()) {
        let expected = score_by(&mut matcher, emotion.clone(), &[Agent::default()])[0];
        let (mut numbers, mut confidences, mut reasons, mut eligible) = ([9.0], [9.0], [9], [9]);
        let mut scores = Scores::from_columns(&mut numbers, &mut confidences, &mut reasons, &mut eligible);
        let request = Request { emotion, ..Request::default() };
        matcher.score(&request, &Candidates::unknown(1), &mut scores).unwrap();
        let found = Score { score: numbers[0], eligible: eligible[0] == 1, confidence: confidences[0], reason: reasons[0] };
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn remembered_columns_change_nothing(mut matcher in taught(), emotion in emotion(), all in prop::collection::vec(traits(), 1..150)) {
        let agents = Agents::new(&all.iter().map(|traits| agent(*traits)).collect::<Vec<_>>());
        let request = Request { emotion, ..Request::default() };
        let expected = testing::score(&mut matcher, &request, &agents).unwrap();
        for _ in 0..2 {
            let count = all.len();
            let (mut numbers, mut confidences) = (vec![9.0; count], vec![9.0; count]);
            let (mut reasons, mut eligible) = (vec![9; count], vec![9; count]);
            let mut scores = Scores::from_columns(&mut numbers, &mut confidences, &mut reasons, &mut eligible);
            matcher.score(&request, &agents.candidates().with_snapshot(5), &mut scores).unwrap();
            let found = |row: usize| Score { score: numbers[row], eligible: eligible[row] == 1, confidence: confidences[row], reason: reasons[row] };
            prop_assert!((0..count).all(|row| found(row) == expected[row]));
        }
    }
}
