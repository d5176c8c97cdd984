//! What a matcher offers besides scores.

use serde::{Deserialize, Serialize};

/// Which extensions a matcher has, each of them complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Extensions {
    /// It explains its scores.
    pub explain: bool,
    /// It learns from how calls ended.
    pub learn: bool,
    /// Its state can be saved and loaded.
    pub state: bool,
}

impl Extensions {
    /// The identifiers of those that are there.
    pub fn ids(self) -> impl Iterator<Item = &'static str> {
        use heartline_plugin_abi::{EXPLAIN, LEARN, STATE};
        let known = [(self.explain, EXPLAIN), (self.learn, LEARN), (self.state, STATE)];
        known.into_iter().filter_map(|(is_there, id)| is_there.then_some(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_that_are_there_are_named() {
        let some = Extensions { learn: true, state: true, ..Extensions::default() };
        assert_eq!(some.ids().collect::<Vec<_>>(), ["heartline.learn", "heartline.state"]);
        assert_eq!(Extensions::default().ids().count(), 0);
    }
}
