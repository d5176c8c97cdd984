//! The router with stand-ins for matchers.

use std::sync::atomic::{AtomicBool, Ordering};

use super::super::rank::fakes::{Broken, Reloaded, agents, fixed, request, roster, router, using};
use super::super::{Activity, Exclusion, Fairness, Filter, MatcherUse, Order, Rule};
use super::*;

fn order(ranking: &Ranking) -> Vec<&str> {
    ranking.entries.iter().map(|entry| entry.agent_id.as_str()).collect()
}

#[test]
fn scores_are_weighed_and_factors_add_up() {
    let router = router(vec![
        ("a", Mode::Active, 3.0, fixed(&[0.2, 0.9], 1.0)),
        ("b", Mode::Active, 1.0, fixed(&[1.0, 0.0], 1.0)),
    ]);
    let ranking = router.rank(&request(), &roster(2)).unwrap();
    assert_eq!(order(&ranking), ["agent-1", "agent-0"]);
    assert!((ranking.entries[0].score - 0.675).abs() < 1e-6);
    assert!((ranking.entries[0].factors[0].weight - 0.75).abs() < 1e-6);
    assert!(!ranking.fallback);
    assert_eq!((ranking.eligible, ranking.excluded_total), (2, 0));
}

#[test]
fn an_unsure_matcher_says_little() {
    let router = router(vec![
        ("sure", Mode::Active, 1.0, fixed(&[0.6, 0.5], 1.0)),
        ("unsure", Mode::Active, 1.0, fixed(&[0.0, 1.0], 0.05)),
    ]);
    assert_eq!(order(&router.rank(&request(), &roster(2)).unwrap()), ["agent-0", "agent-1"]);
}

#[test]
fn an_answer_belongs_to_the_generation_that_is_named_with_it() {
    let once = router(vec![("a", Mode::Active, 1.0, Arc::new(Reloaded::new(1)))]);
    let ranking = once.rank(&request(), &roster(1)).unwrap();
    assert!((ranking.entries[0].score - 0.2).abs() < 1e-6, "the second generation was asked again");
    let without_end = router(vec![("a", Mode::Active, 1.0, Arc::new(Reloaded::new(u64::MAX)))]);
    let ranking = without_end.rank(&request(), &roster(1)).unwrap();
    assert!(ranking.fallback && ranking.matchers[0].error.as_deref().unwrap().contains("loaded anew"));
}

#[test]
fn a_shadow_is_shown_but_does_not_count() {
    let router = router(vec![
        ("real", Mode::Active, 1.0, fixed(&[0.9, 0.1], 1.0)),
        ("shadow", Mode::Shadow, 9.0, fixed(&[-1.0, 1.0], 1.0)),
    ]);
    let ranking = router.rank(&request(), &roster(2)).unwrap();
    assert_eq!(order(&ranking), ["agent-0", "agent-1"]);
    assert!(ranking.entries[0].factors[1].contribution.abs() < f32::EPSILON);
    let found = ranking.matchers[1].disagreement.unwrap();
    assert!(found.first_differs && (found.excluded_share - 0.5).abs() < 1e-6);
    assert!((found.mean_displacement - 1.0).abs() < 1e-6, "both change places");
    assert_eq!(ranking.matchers[0].disagreement, None, "an active matcher does not disagree with itself");
}

#[test]
fn a_shadow_that_agrees_changes_nothing() {
    let scores: Vec<f32> = (0..50).map(|row| (row * 17 % 50) as f32 / 50.0).collect();
    let router = router(vec![
        ("real", Mode::Active, 1.0, fixed(&scores, 1.0)),
        ("same", Mode::Shadow, 1.0, fixed(&scores, 1.0)),
        ("broken", Mode::Shadow, 1.0, Arc::new(Broken)),
    ]);
    let ranking = router.rank(&request(), &roster(50)).unwrap();
    let found = ranking.matchers[1].disagreement.unwrap();
    assert!(
        !found.first_differs && found.mean_displacement == 0.0 && found.excluded_share == 0.0,
        "{found:?}"
    );
    assert_eq!(ranking.matchers[2].disagreement, None);
    assert!(!ranking.fallback);
}

#[test]
fn displacement_is_measured_over_everybody() {
    // The first of 100 becomes the last, and the nine behind it each come one place forward.
    let scores: Vec<f32> = (0..100).map(|row| 1.0 - row as f32 / 200.0).collect();
    let mut against = vec![1.0; 100];
    against[0] = 0.0;
    let router = router(vec![
        ("real", Mode::Active, 1.0, fixed(&scores, 1.0)),
        ("shadow", Mode::Shadow, 1.0, fixed(&against, 1.0)),
    ]);
    for top in [1, 5, 100] {
        let request = RankingRequest { top: Some(top), ..request() };
        let found = router.rank(&request, &roster(100)).unwrap().matchers[1].disagreement.unwrap();
        let looked_at = top.min(10) as f32;
        let expected = (99.0 + (looked_at - 1.0)) / looked_at;
        assert!((found.mean_displacement - expected).abs() < 1e-4, "top {top}: {found:?}");
        assert!(found.first_differs);
    }
}

#[test]
fn agents_who_cannot_take_the_call_are_excluded_with_the_reason() {
    let router = router(vec![("a", Mode::Active, 1.0, fixed(&[1.0, 1.0, -1.0, 0.1, 1.0], 1.0))]);
    let mut agents = agents(5);
    agents[0].activity = Activity::Offline;
    agents[1].active_tasks = 1;
    agents[4].activity = Activity::Busy;
    let ranking = router.rank(&request(), &Roster::new(agents).unwrap()).unwrap();
    assert_eq!(order(&ranking), ["agent-3"]);
    let reasons: Vec<_> = ranking.excluded.iter().map(|agent| agent.exclusion.clone()).collect();
    let ineligible = Exclusion::Ineligible { matcher: "a".to_owned(), reason: "fixed".to_owned() };
    assert_eq!(reasons, [Exclusion::Offline, Exclusion::AtCapacity, ineligible, Exclusion::Busy]);
    assert_eq!(ranking.excluded_by["ineligible:a"], 1);
    assert_eq!(ranking.excluded_by.len(), 4);
}

#[test]
fn filters_come_before_matchers_and_name_themselves() {
    let (pool, policy) = using(vec![("a", Mode::Active, 1.0, fixed(&[-1.0, 0.5, 0.7, 0.9], 1.0))]);
    let filter = |name: &str, require| Filter { name: name.to_owned(), require };
    let filters = vec![
        filter("rested", Rule::IdleAtLeast { ms: 1 }),
        filter("not-two", Rule::NotAgents { agents: vec!["agent-2".to_owned()] }),
    ];
    let policy = Policy { filters, ..policy };
    let router = Router::new(pool, PolicyBook::new("default", vec![policy]).unwrap()).unwrap();
    let ranking = router.rank(&request(), &roster(4)).unwrap();
    assert_eq!(order(&ranking), ["agent-3", "agent-1"]);
    assert_eq!(
        ranking.excluded_by.into_iter().collect::<Vec<_>>(),
        [("filtered:not-two".to_owned(), 1), ("filtered:rested".to_owned(), 1)]
    );
    assert!(
        matches!(&ranking.excluded[1].exclusion, Exclusion::Filtered { filter, .. } if filter == "not-two")
    );
}

#[test]
fn where_nobody_is_left_the_answer_is_empty_with_reasons() {
    let router = router(vec![("a", Mode::Active, 1.0, fixed(&[-1.0], 1.0))]);
    let ranking = router.rank(&request(), &roster(3)).unwrap();
    assert!(ranking.entries.is_empty() && !ranking.fallback);
    assert_eq!((ranking.eligible, ranking.excluded_total), (0, 3));
    assert_eq!(ranking.excluded_by["ineligible:a"], 3);
}

#[test]
fn a_failing_matcher_has_no_say_and_is_reported() {
    let router = router(vec![
        ("broken", Mode::Active, 9.0, Arc::new(Broken)),
        ("a", Mode::Active, 1.0, fixed(&[0.1, 0.8], 1.0)),
    ]);
    let ranking = router.rank(&request(), &roster(2)).unwrap();
    assert_eq!(order(&ranking), ["agent-1", "agent-0"]);
    assert!(ranking.matchers[0].error.is_some() && ranking.matchers[1].error.is_none());
    assert!((ranking.entries[0].factors[0].weight - 1.0).abs() < 1e-6);
}

#[test]
fn without_any_answer_the_fallback_orders() {
    let router = router(vec![("broken", Mode::Active, 1.0, Arc::new(Broken))]);
    let mut agents = agents(3);
    let ranking = router.rank(&request(), &Roster::new(agents.clone()).unwrap()).unwrap();
    assert!(ranking.fallback);
    assert_eq!(order(&ranking), ["agent-2", "agent-1", "agent-0"]);
    let policy = Policy::clone(&router.policies().find(None).unwrap());
    router.put_policy(Policy { fallback: Order::LeastLoaded, ..policy }).unwrap();
    for (agent, active_tasks) in agents.iter_mut().zip([2, 0, 1]) {
        (agent.capacity, agent.active_tasks) = (4, active_tasks);
    }
    let ranking = router.rank(&request(), &Roster::new(agents).unwrap()).unwrap();
    assert_eq!(order(&ranking), ["agent-1", "agent-2", "agent-0"]);
}

#[test]
fn a_policy_cannot_use_what_is_not_loaded() {
    let error = Router::new(BTreeMap::new(), PolicyBook::default()).err().unwrap();
    assert!(matches!(error, RoutingError::UnknownMatchers(ids) if ids.contains(&"skill".to_owned())));
    let router = router(vec![("a", Mode::Active, 1.0, fixed(&[0.5], 1.0))]);
    let matcher = |mode| MatcherUse { id: "b".to_owned(), weight: 1.0, mode };
    let policy =
        |mode| Policy { name: "next".to_owned(), matchers: vec![matcher(mode)], ..Policy::default() };
    assert!(matches!(router.put_policy(policy(Mode::Shadow)), Err(RoutingError::UnknownMatchers(_))));
    assert!(router.put_policy(policy(Mode::Off)).unwrap());
}

#[test]
fn a_request_chooses_its_policy() {
    let router = router(vec![
        ("a", Mode::Active, 1.0, fixed(&[0.1, 0.9], 1.0)),
        ("b", Mode::Off, 1.0, fixed(&[0.9, 0.1], 1.0)),
    ]);
    let other = MatcherUse { id: "b".to_owned(), weight: 1.0, mode: Mode::Active };
    let policy = Policy { name: "other".to_owned(), matchers: vec![other], ..Policy::default() };
    router.put_policy(policy).unwrap();
    let named = |name: &str| RankingRequest { policy: Some(name.to_owned()), ..request() };
    assert_eq!(order(&router.rank(&request(), &roster(2)).unwrap()), ["agent-1", "agent-0"]);
    let ranking = router.rank(&named("other"), &roster(2)).unwrap();
    assert_eq!((order(&ranking), ranking.policy.as_str()), (vec!["agent-0", "agent-1"], "other"));
    assert!(matches!(router.rank(&named("none"), &roster(2)), Err(RoutingError::UnknownPolicy(_))));
}

#[test]
fn only_as_many_as_asked_for_are_named_and_the_rest_is_counted() {
    let scores: Vec<f32> = (0..5_000).map(|row| (row * 7919 % 5_000) as f32 / 5_000.0).collect();
    let router = router(vec![("a", Mode::Active, 1.0, fixed(&scores, 1.0))]);
    let all = router.rank(&RankingRequest { top: Some(5_000), ..request() }, &roster(5_000)).unwrap();
    let some =
        router.rank(&RankingRequest { top: Some(10), explain: 2, ..request() }, &roster(5_000)).unwrap();
    assert_eq!(order(&some), order(&all)[..10]);
    assert_eq!((some.eligible, all.entries.len()), (5_000, 5_000));
    assert_eq!(router.rank(&request(), &roster(5_000)).unwrap().entries.len(), TOP);
    assert_ne!(some.id, all.id);
    let explained: Vec<_> = some.entries.iter().map(|entry| entry.factors[0].explanation.len()).collect();
    assert_eq!(explained, [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    let best = &some.entries[0].factors[0];
    assert!((best.explanation[0].contribution - best.score).abs() < 1e-6, "of the same agent");
}

#[test]
fn fairness_lets_who_has_waited_longest_come_first() {
    let (pool, policy) = using(vec![("a", Mode::Active, 1.0, fixed(&[0.9, 0.88, 0.5], 1.0))]);
    let policy = Policy { fairness: Some(Fairness { margin: 0.05 }), ..policy };
    let router = Router::new(pool, PolicyBook::new("default", vec![policy]).unwrap()).unwrap();
    assert_eq!(order(&router.rank(&request(), &roster(3)).unwrap()), ["agent-1", "agent-0", "agent-2"]);
}

#[test]
fn many_agents_are_asked_about_side_by_side_with_the_same_answer() {
    let score = |row: usize| (row * 31 % 101) as f32 / 101.0;
    let (one, other): (Vec<f32>, Vec<f32>) = (0..997).map(|row| (score(row), 1.0 - score(row * 3))).unzip();
    let matchers = || {
        vec![
            ("a", Mode::Active, 2.0, fixed(&one, 1.0)),
            ("b", Mode::Active, 1.0, fixed(&other, 0.5)),
            ("c", Mode::Shadow, 1.0, Arc::new(Broken) as Arc<dyn Scorer>),
        ]
    };
    let ranking = router(matchers()).rank(&request(), &roster(25_000)).unwrap();
    assert_eq!(ranking.eligible, 25_000);
    let ids: Vec<_> = ranking.matchers.iter().map(|report| report.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"], "the reports have the policy's order");
    // What the weights make of the scores of both, computed here once more: 2 to 1, and half sure is half as far.
    let expected = |row: usize| (2.0 * one[row % 997] + 0.5 + 0.5 * (other[row % 997] - 0.5)) / 3.0;
    for entry in &ranking.entries {
        let row: usize = entry.agent_id.strip_prefix("agent-").unwrap().parse().unwrap();
        assert!((entry.score - expected(row)).abs() < 1e-5, "{} {}", entry.score, expected(row));
    }
    let best = (0..997).map(expected).fold(0.0, f32::max);
    assert!((ranking.entries[0].score - best).abs() < 1e-5);
}

#[test]
fn policies_change_under_load_without_a_mixture() {
    let router = router(vec![
        ("a", Mode::Active, 1.0, fixed(&[0.9, 0.1], 1.0)),
        ("b", Mode::Off, 1.0, fixed(&[0.1, 0.9], 1.0)),
    ]);
    let only = |id: &str| Policy {
        matchers: vec![MatcherUse { id: id.to_owned(), weight: 1.0, mode: Mode::Active }],
        ..Policy::default()
    };
    let (roster, is_over) = (roster(2), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = [false, false];
                    while !is_over.load(Ordering::Relaxed) {
                        let ranking = router.rank(&request(), &roster).unwrap();
                        let id = ranking.matchers[0].id.as_str();
                        assert_eq!(ranking.matchers.len(), 1);
                        assert_eq!(
                            ranking.entries[0].agent_id,
                            if id == "a" { "agent-0" } else { "agent-1" }
                        );
                        seen[usize::from(id == "b")] = true;
                    }
                    seen
                })
            })
            .collect();
        for round in 0..300 {
            router.put_policy(only(if round % 2 == 0 { "b" } else { "a" })).unwrap();
            std::thread::yield_now();
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
        is_over.store(true, Ordering::Relaxed);
        let seen: Vec<[bool; 2]> = workers.into_iter().map(|worker| worker.join().unwrap()).collect();
        let saw = |policy: usize| seen.iter().any(|seen| seen[policy]);
        assert!(saw(0) && saw(1), "both policies ranked: {seen:?}");
    });
}
