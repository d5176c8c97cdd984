//! When requests leave in open loop.

use std::time::Duration;

use serde::Serialize;

/// How the moments at which requests leave are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// Always the same time apart, as a machine asks.
    Constant,
    /// Independent of each other, as many people ask: the times between them are exponentially distributed.
    Poisson,
}

/// The moments, as times since the beginning; they never end.
#[derive(Debug)]
pub(super) struct Schedule {
    arrivals: Arrivals,
    rate: f64,
    sent: u64,
    at_s: f64,
    random: u64,
}

impl Schedule {
    /// So many requests a second; the same seed gives the same moments.
    pub(super) const fn new(arrivals: Arrivals, rate: f64, seed: u64) -> Self {
        Self { arrivals, rate, sent: 0, at_s: 0.0, random: seed }
    }

    /// A number of [0, 1): the generator is SplitMix64, which is plenty for spreading arrivals.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are kept, which a double holds exactly")]
    fn uniform(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    #[expect(clippy::cast_precision_loss, reason = "nobody sends 2^52 requests")]
    fn next(&mut self) -> Option<Duration> {
        match self.arrivals {
            // Counted and not summed up, so that no error of rounding adds up.
            Arrivals::Constant => self.at_s = self.sent as f64 / self.rate,
            Arrivals::Poisson => self.at_s -= (1.0 - self.uniform()).ln() / self.rate,
        }
        self.sent += 1;
        Some(Duration::from_secs_f64(self.at_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_arrivals_are_evenly_spread() {
        let times: Vec<_> = Schedule::new(Arrivals::Constant, 4.0, 1).take(4).collect();
        assert_eq!(times, [0, 250, 500, 750].map(Duration::from_millis));
    }

    #[test]
    fn poisson_arrivals_have_the_rate_and_the_spread() {
        let times: Vec<f64> =
            Schedule::new(Arrivals::Poisson, 50.0, 7).take(20_000).map(|time| time.as_secs_f64()).collect();
        let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let deviation = (gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64).sqrt();
        assert!((mean * 50.0 - 1.0).abs() < 0.03, "{mean}");
        // The deviation of exponential gaps is their mean.
        assert!((deviation / mean - 1.0).abs() < 0.05, "{deviation}");
    }

    #[test]
    fn a_seed_gives_the_same_moments_again() {
        let take = |seed| Schedule::new(Arrivals::Poisson, 9.0, seed).take(5).collect::<Vec<_>>();
        assert_eq!(take(3), take(3));
        assert_ne!(take(3), take(4));
    }
}
