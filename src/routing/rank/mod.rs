//! The steps of one ranking: `ask` the matchers, `judge` who could take the call and with what score, `place` them in
//! order, and see what a `shadow` would have changed.

pub(super) mod ask;
pub(super) mod judge;
pub(super) mod place;
pub(super) mod shadow;

#[cfg(test)]
pub(in crate::routing) mod fakes;
