//! What holds for every request and every agent.

use heartline_plugin_sdk::SkillNeed;
use proptest::prelude::*;

use super::*;

/// One agent: for each skill of [`NAMES`], whether it is there and at which level.
type Skills = [(bool, f32); 3];

fn skills() -> impl Strategy<Value = Skills> {
    let skill = || (any::<bool>(), 1.0_f32..=5.0);
    [skill(), skill(), skill()]
}

fn skilled(skills: Skills) -> Agent {
    let named = NAMES.iter().zip(skills).filter(|(_, (is_there, _))| *is_there);
    agent(&named.map(|(name, (_, level))| (*name, level)).collect::<Vec<_>>())
}

/// What is asked, and how the matcher is configured.
#[derive(Debug, Clone)]
struct Call {
    needs: Vec<(&'static str, f32, bool)>,
    complexity: f32,
    waiting_ms: u64,
    config: Config,
}

fn call() -> impl Strategy<Value = Call> {
    let needs = ([1.0_f32..=5.0, 1.0_f32..=5.0, 1.0_f32..=5.0], any::<[bool; 3]>(), 1_usize..=3);
    let costs = (0.0..=1.0, 0.0..=0.25, 0.0..=1.0, prop::sample::select(vec![0.0, 0.5, 1.0]));
    let until = prop::option::of(0_u64..400_000);
    (needs, 0.0_f32..=1.0, 0_u64..400_000, costs, until).prop_map(
        |((levels, must, count), complexity, waiting_ms, costs, must_have_until_ms)| {
            let (gap_cost, surplus_cost, helpful_weight, relax_step_levels) = costs;
            let needs = (0..count).map(|index| (NAMES[index], levels[index], must[index])).collect();
            let config = Config {
                gap_cost,
                surplus_cost,
                helpful_weight,
                relax_step_levels,
                must_have_until_ms,
                ..Config::default()
            };
            Call { needs, complexity, waiting_ms, config }
        },
    )
}

impl Call {
    /// Scores agents, and holds each explanation to its score.
    fn score(&self, agents: &[Agent]) -> Vec<Score> {
        let agents = Agents::new(agents);
        let Self { complexity, waiting_ms, .. } = *self;
        let request = agents.resolve(Request { complexity, waiting_ms, ..Request::default() }, &self.needs);
        let mut matcher = Skill::create(self.config.clone()).unwrap();
        let scores = testing::score(&mut matcher, &request, &agents).unwrap();
        for (row, score) in scores.iter().enumerate().filter(|(_, score)| score.eligible) {
            let factors = matcher.factors(&request, &agents.candidates(), row).unwrap();
            let sum: f32 = factors.iter().map(|factor| factor.contribution).sum();
            assert!((sum - score.score).abs() < 1e-5, "{factors:?} for {score:?}");
            for factor in factors {
                assert!(
                    (0.0..=1.0).contains(&factor.value) && (0.0..=1.0).contains(&factor.weight),
                    "{factor:?}"
                );
            }
        }
        scores
    }
}

/// The second is not worse than the first.
fn is_no_worse(scores: &[Score]) -> bool {
    (!scores[0].eligible || scores[1].eligible) && scores[1].score >= scores[0].score - 1e-6
}

proptest! {
    #[test]
    fn a_skill_more_never_costs_anything(call in call(), skills in skills(), more in 0_usize..3) {
        let mut better = skills;
        better[more].0 = true;
        let scores = call.score(&[skilled(skills), skilled(better)]);
        prop_assert!(is_no_worse(&scores), "{scores:?}");
    }

    #[test]
    fn a_higher_level_never_excludes(call in call(), skills in skills(), more in 0.0_f32..=4.0) {
        let better = skills.map(|(is_there, level)| (is_there, (level + more).min(5.0)));
        let scores = call.score(&[skilled(skills), skilled(better)]);
        prop_assert!(!scores[0].eligible || scores[1].eligible, "{scores:?}");
    }

    #[test]
    fn a_higher_level_never_scores_less_where_surplus_is_free(call in call(), skills in skills(), more in 0.0_f32..=4.0) {
        let better = skills.map(|(is_there, level)| (is_there, (level + more).min(5.0)));
        let call = Call { config: Config { surplus_cost: 0.0, ..call.config }, ..call };
        let scores = call.score(&[skilled(skills), skilled(better)]);
        prop_assert!(is_no_worse(&scores), "{scores:?}");
    }

    #[test]
    fn waiting_longer_never_excludes_and_never_costs(call in call(), skills in skills(), more_ms in 0_u64..400_000) {
        let first = call.score(&[skilled(skills)])[0];
        let longer = Call { waiting_ms: call.waiting_ms + more_ms, ..call };
        let scores = [first, longer.score(&[skilled(skills)])[0]];
        prop_assert!(is_no_worse(&scores), "{scores:?}");
    }

    #[test]
    fn complexity_never_admits_anybody(call in call(), skills in skills(), more in 0.0_f32..=1.0) {
        let harder = Call { complexity: (call.complexity + more).min(1.0), ..call.clone() };
        let scores = [call.score(&[skilled(skills)])[0], harder.score(&[skilled(skills)])[0]];
        prop_assert!(scores[0].eligible || !scores[1].eligible, "{scores:?}");
    }

    #[test]
    fn each_row_is_scored_alone(call in call(), first in skills(), second in skills()) {
        let forward = call.score(&[skilled(first), skilled(second)]);
        let backward = call.score(&[skilled(second), skilled(first)]);
        prop_assert_eq!([forward[0], forward[1]], [backward[1], backward[0]]);
        prop_assert_eq!(forward[0], call.score(&[skilled(first)])[0]);
    }

    #[test]
    fn columns_that_are_missing_are_skills_that_are_missing(call in call()) {
        let needs = call.needs.iter().map(|&(name, level, must_have)| SkillNeed { name, skill: None, level, must_have });
        let request = Request { needs: needs.collect(), complexity: call.complexity, waiting_ms: call.waiting_ms, ..Request::default() };
        let (mut numbers, mut confidences, mut reasons, mut eligible) = ([9.0], [9.0], [9], [9]);
        let mut scores = Scores::from_columns(&mut numbers, &mut confidences, &mut reasons, &mut eligible);
        let mut matcher = Skill::create(call.config.clone()).unwrap();
        matcher.score(&request, &Candidates::unknown(1), &mut scores).unwrap();
        let expected = call.score(&[Agent::default()])[0];
        let found = Score { score: numbers[0], eligible: eligible[0] == 1, confidence: confidences[0], reason: reasons[0] };
        prop_assert_eq!(found, expected);
    }
}
