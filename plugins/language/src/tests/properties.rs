//! What holds for every customer and every agent.

use proptest::prelude::*;

use super::*;

const TAGS: [&str; 16] = [
    "en", "en-GB", "en-US", "zh", "zh-Hant", "zh-Hans", "zh-TW", "cmn", "yue", "da", "nb", "no", "de",
    "pt-BR", "und", "es-419",
];

fn tag() -> impl Strategy<Value = &'static str> {
    prop::sample::select(TAGS.to_vec())
}

/// A customer with up to three languages, with or without an interpreter.
fn customer() -> impl Strategy<Value = Request<'static>> {
    let language = (tag(), 0.05_f32..=0.33, prop::option::of(1.0_f32..=7.0));
    let languages = prop::collection::vec(language, 0..=3);
    (languages, any::<bool>(), 0.0_f32..=1.0).prop_map(|(languages, interpreter, complexity)| {
        let mut languages: Vec<_> =
            languages.into_iter().map(|(tag, share, level)| spoken(tag, share, level)).collect();
        languages.sort_by(|left, right| right.share.total_cmp(&left.share));
        Request { languages, interpreter, complexity, ..Request::default() }
    })
}

fn known() -> impl Strategy<Value = Vec<(&'static str, f32)>> {
    prop::collection::vec((tag(), 1.0_f32..=7.0), 0..=4)
}

fn matcher() -> impl Strategy<Value = Language> {
    (0.0..=1.0, 0.0..=1.0, 0.0..=1.0, 0.0..=1.0).prop_map(
        |(gap_cost, related_factor, minimum_cover, interpreter_score)| {
            let config =
                Config { gap_cost, related_factor, minimum_cover, interpreter_score, ..Config::default() };
            Language::create(config).unwrap()
        },
    )
}

/// The second is not worse than the first.
fn is_no_worse(scores: &[Score]) -> bool {
    (!scores[0].eligible || scores[1].eligible) && scores[1].score >= scores[0].score - 1e-6
}

proptest! {
    #[test]
    fn whoever_speaks_the_very_language_natively_is_as_good_as_can_be(tag in tag(), level in 1.0_f32..=7.0, complexity in 0.0_f32..=1.0) {
        prop_assume!(tag != "und");
        let request = Request { complexity, ..speaks(tag, Some(level)) };
        let scores = score(&request, &[agent(&[(tag, 7.0)])]);
        prop_assert_eq!((scores[0].score, scores[0].reason), (1.0, reason::AT_LEVEL));
    }

    #[test]
    fn a_language_more_or_a_higher_level_never_costs_anything(
        mut matcher in matcher(), customer in customer(), known in known(), more in known(), raise in 0.0_f32..=3.0,
    ) {
        let mut better: Vec<_> = known.iter().map(|(tag, level)| (*tag, (level + raise).min(7.0))).collect();
        better.extend(more);
        let scores = score_by(&mut matcher, &customer, &[agent(&known), agent(&better)]);
        prop_assert!(is_no_worse(&scores), "{:?}", scores);
    }

    #[test]
    fn an_interpreter_never_costs_anybody_anything_and_excludes_nobody(mut matcher in matcher(), customer in customer(), known in known()) {
        let agents = [agent(&known)];
        let without = score_by(&mut matcher, &Request { interpreter: false, ..customer.clone() }, &agents)[0];
        let with = score_by(&mut matcher, &Request { interpreter: true, ..customer }, &agents)[0];
        prop_assert!(is_no_worse(&[without, with]) && with.eligible, "{without:?} {with:?}");
    }

    #[test]
    fn waiting_and_the_order_of_rows_change_nothing(
        mut matcher in matcher(), customer in customer(), first in known(), second in known(), waiting_ms in any::<u64>(),
    ) {
        let forward = score_by(&mut matcher, &customer, &[agent(&first), agent(&second)]);
        let waited = Request { waiting_ms, ..customer };
        let backward = score_by(&mut matcher, &waited, &[agent(&second), agent(&first)]);
        prop_assert_eq!([forward[0], forward[1]], [backward[1], backward[0]]);
    }

    #[test]
    fn the_order_of_an_agents_languages_changes_nothing(mut matcher in matcher(), customer in customer(), known in known()) {
        let reversed: Vec<_> = known.iter().rev().copied().collect();
        let scores = score_by(&mut matcher, &customer, &[agent(&known), agent(&reversed)]);
        prop_assert_eq!(scores[0], scores[1]);
    }

    #[test]
    fn remembered_tags_and_missing_columns_change_nothing(mut matcher in matcher(), customer in customer(), known in known()) {
        let agents = Agents::new(&[agent(&known)]);
        let expected = score_by(&mut matcher, &customer, &[agent(&known)])[0];
        for _ in 0..2 {
            prop_assert_eq!(answer(&mut matcher, &customer, &agents.candidates().with_snapshot(7)), expected);
        }
        let nobody = score_by(&mut matcher, &customer, &[Agent::default()])[0];
        prop_assert_eq!(answer(&mut matcher, &customer, &Candidates::unknown(1).with_snapshot(8)), nobody);
    }

    #[test]
    fn no_text_as_a_tag_breaks_anything(wanted in ".{0,20}", level in 1.0_f32..=7.0) {
        // `testing::score` refuses what a host would refuse.
        score(&speaks(&wanted, Some(level)), &[agent(&[("en", 5.0)])]);
    }
}
