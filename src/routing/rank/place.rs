//! Puts rows in order: by score, by fairness among those who are nearly as good as the best, and by the policy's
//! tie-break. The identifier decides at last, so the same agents and scores always give the same order.

use std::cmp::Ordering;

use crate::routing::{Order, Policy, Roster};

/// What decides between two rows.
pub(in crate::routing) struct Places<'a> {
    roster: &'a Roster,
    policy: &'a Policy,
    scores: &'a [f32],
    /// The least score of those who are treated as equals of the best.
    floor: Option<f32>,
    is_fallback: bool,
}

impl<'a> Places<'a> {
    /// The order of these rows; `is_fallback` where no active matcher answered, so that there are no scores.
    pub(in crate::routing) fn new(
        roster: &'a Roster,
        policy: &'a Policy,
        scores: &'a [f32],
        free: &[u32],
        is_fallback: bool,
    ) -> Self {
        let best = || free.iter().map(|row| scores[*row as usize]).fold(0.0, f32::max);
        let fairness = policy.fairness.filter(|fairness| fairness.margin > 0.0 && !is_fallback);
        let floor = fairness.map(|fairness| best() - fairness.margin);
        Self { roster, policy, scores, floor, is_fallback }
    }

    /// Which of two rows comes first; no two are equal.
    pub(in crate::routing) fn compare(&self, left: u32, right: u32) -> Ordering {
        let (left, right) = (left as usize, right as usize);
        let by = |order: Order| order.compare(self.roster, left, right);
        let ties = || {
            let chosen = self.policy.tie_break.iter().map(|order| by(*order));
            chosen.fold(Ordering::Equal, Ordering::then).then_with(|| by(Order::AgentId))
        };
        if self.is_fallback {
            return by(self.policy.fallback).then_with(ties);
        }
        let (one, other) = (self.scores[left], self.scores[right]);
        let by_score = other.total_cmp(&one);
        match self.floor {
            Some(floor) if one >= floor && other >= floor => {
                by(Order::LongestIdle).then(by_score).then_with(ties)
            }
            _ => by_score.then_with(ties),
        }
    }

    /// Keeps the first rows, in order. Only they are sorted.
    pub(in crate::routing) fn first(&self, rows: &mut Vec<u32>, count: usize) {
        let compare = |left: &u32, right: &u32| self.compare(*left, *right);
        if count < rows.len() {
            rows.select_nth_unstable_by(count, compare);
            rows.truncate(count);
        }
        rows.sort_unstable_by(compare);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::routing::Fairness;

    fn roster(count: usize) -> Arc<Roster> {
        let agent = |row: usize| serde_json::json!({"id": format!("{row:04}"), "idle_ms": row * 7919 % 1000});
        let agents = serde_json::Value::Array((0..count).map(agent).collect());
        Roster::new(serde_json::from_value(agents).unwrap()).unwrap()
    }

    fn scores(count: usize) -> Vec<f32> {
        (0..count).map(|row| (row * 31 % 97) as f32 / 96.0).collect()
    }

    fn all(count: usize) -> Vec<u32> {
        (0..count as u32).collect()
    }

    #[test]
    fn the_first_are_the_beginning_of_the_whole_order() {
        let (roster, scores) = (roster(500), scores(500));
        for fairness in [None, Some(Fairness { margin: 0.1 })] {
            let policy = Policy { fairness, ..Policy::default() };
            let places = Places::new(&roster, &policy, &scores, &all(500), false);
            let mut whole = all(500);
            places.first(&mut whole, 500);
            for count in [1, 10, 499] {
                let mut first = all(500);
                places.first(&mut first, count);
                assert_eq!(first, whole[..count]);
            }
        }
    }

    #[test]
    fn fairness_keeps_its_guarantee() {
        let (roster, scores) = (roster(300), scores(300));
        for margin in [0.0, 0.05, 0.3, 1.0] {
            let policy = Policy { fairness: Some(Fairness { margin }), ..Policy::default() };
            let mut rows = all(300);
            Places::new(&roster, &policy, &scores, &rows.clone(), false).first(&mut rows, 300);
            let best = scores.iter().copied().fold(0.0, f32::max);
            assert!(
                scores[rows[0] as usize] >= best - margin,
                "the first is never further below than the margin"
            );
            for pair in rows.windows(2) {
                let [before, after] = [pair[0] as usize, pair[1] as usize];
                let near = |row: usize| scores[row] >= best - margin;
                if near(after) && margin > 0.0 {
                    assert!(near(before), "nobody outside the margin comes before one within");
                    assert!(
                        roster.idle_ms(before) >= roster.idle_ms(after),
                        "who has waited longer comes first"
                    );
                } else {
                    assert!(scores[before] >= scores[after] || near(before));
                }
            }
        }
    }

    #[test]
    fn ties_go_by_the_list_and_then_by_identifier() {
        let agents = serde_json::from_str(
            r#"[{"id": "b", "idle_ms": 1, "active_tasks": 1, "capacity": 4},
                {"id": "a", "idle_ms": 1, "active_tasks": 1, "capacity": 4},
                {"id": "c", "idle_ms": 9, "active_tasks": 2, "capacity": 4}]"#,
        );
        let roster = Roster::new(agents.unwrap()).unwrap();
        let order = |tie_break: Vec<Order>| {
            let policy = Policy { tie_break, ..Policy::default() };
            let mut rows = all(3);
            Places::new(&roster, &policy, &[0.5; 3], &rows.clone(), false).first(&mut rows, 3);
            rows
        };
        assert_eq!(order(vec![]), [1, 0, 2]);
        assert_eq!(order(vec![Order::LongestIdle]), [2, 1, 0]);
        assert_eq!(order(vec![Order::LeastLoaded, Order::LongestIdle]), [1, 0, 2]);
    }
}
