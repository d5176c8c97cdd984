//! Who comes first where scores do not tell.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::routing::Roster;

/// An order of agents that needs no matcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The agent who has waited longest comes first.
    #[default]
    LongestIdle,
    /// The agent with the smallest share of the capacity in use comes first.
    LeastLoaded,
    /// The agent who can take the most further tasks comes first.
    MostFreeCapacity,
    /// The identifiers' order, byte by byte.
    AgentId,
}

/// Calls are shared out among agents who are nearly as good as the best.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Fairness {
    /// How far below the best score an agent may be to be treated as its equal, 0 to 1. Of the agents within it, who
    /// has waited longest comes first.
    pub margin: f32,
}

impl Order {
    /// Which of two rows comes first.
    pub(in crate::routing) fn compare(self, roster: &Roster, left: usize, right: usize) -> Ordering {
        let free = |row: usize| {
            let agent = &roster.agents()[row];
            agent.capacity.saturating_sub(agent.active_tasks)
        };
        match self {
            Self::LongestIdle => roster.idle_ms(right).cmp(&roster.idle_ms(left)),
            Self::LeastLoaded => roster.load(left).total_cmp(&roster.load(right)),
            Self::MostFreeCapacity => free(right).cmp(&free(left)),
            Self::AgentId => roster.agents()[left].id.cmp(&roster.agents()[right].id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_order_prefers_its_own() {
        let agents = serde_json::from_str(
            r#"[{"id": "b", "idle_ms": 5, "active_tasks": 1, "capacity": 10},
                {"id": "a", "idle_ms": 9, "active_tasks": 1, "capacity": 2},
                {"id": "c", "idle_ms": 7, "active_tasks": 0, "capacity": 1}]"#,
        )
        .unwrap();
        let roster = Roster::new(agents).unwrap();
        for (order, expected) in [
            (Order::LongestIdle, [1, 2, 0]),
            (Order::LeastLoaded, [2, 0, 1]),
            (Order::MostFreeCapacity, [0, 1, 2]),
            (Order::AgentId, [1, 0, 2]),
        ] {
            let mut rows = [0, 1, 2];
            rows.sort_by(|left, right| order.compare(&roster, *left, *right));
            assert_eq!(rows, expected, "{order:?}");
        }
    }
}
