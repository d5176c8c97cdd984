//! Random numbers that a seed reproduces, on every machine and in every version of this program.

/// SplitMix64: small, fast, and good enough to make inputs of.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is above 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // The remainder fits, because it is below a `usize`.
        (self.next() % limit.max(1) as u64) as usize
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    /// A number in [0, 1].
    pub(crate) fn share(&mut self) -> f32 {
        (self.next() >> 40) as f32 / ((1_u64 << 24) - 1) as f32
    }

    /// A number between two others, the ends themselves more often than chance.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        match self.below(10) {
            0 => low,
            1 => high,
            _ => (low + (high - low) * self.share()).clamp(low, high),
        }
    }

    /// One of these, which are not none.
    pub(crate) fn pick<'values, T>(&mut self, values: &'values [T]) -> &'values T {
        &values[self.below(values.len())]
    }

    /// Whole numbers below `count` in random order.
    pub(crate) fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_for_ever() {
        let mut random = Random::new(0);
        // The first number of the published generator for the seed 0.
        assert_eq!(random.next(), 0xe220_a839_7b1d_cdaf);
        assert_ne!(Random::new(1).next(), Random::new(2).next());
    }

    #[test]
    fn numbers_stay_in_their_ranges() {
        let mut random = Random::new(7);
        for _ in 0..2_000 {
            assert!((0.0..=1.0).contains(&random.share()));
            assert!((1.0..=5.0).contains(&random.between(1.0, 5.0)));
            assert!(random.below(3) < 3);
        }
        let mut order = random.order(50);
        assert_ne!(order, (0..50).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..50).collect::<Vec<_>>());
    }
}
