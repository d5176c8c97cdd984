//! Threads that wait between the layers of one row without going to sleep.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::Yield;

/// More threads than this do not make one row faster.
const LARGEST_CREW: usize = 8;

/// Sends the others back to sleep when the work ends, also by a panic.
struct Shift(Arc<AtomicBool>);

impl Drop for Shift {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Works with the other threads of the pool kept awake. A layer of a small network takes less time than it takes to
/// wake a thread, so threads that sleep between layers would have no part in the work.
pub(crate) fn awake<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| {
        let ended = Shift(Arc::new(AtomicBool::new(false)));
        let own = rayon::current_thread_index();
        for _ in 1..rayon::current_num_threads().min(LARGEST_CREW) {
            let ended = Arc::clone(&ended.0);
            rayon::spawn(move || {
                // The thread whose work this is for may take this up while it waits; it must not wait for itself.
                while rayon::current_thread_index() != own && !ended.load(Ordering::Relaxed) {
                    if rayon::yield_now() != Some(Yield::Executed) {
                        std::hint::spin_loop();
                    }
                }
            });
        }
        work()
    })
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;

    #[test]
    fn work_ends_with_its_result_however_deep_it_is_split() {
        for round in 0..50_u64 {
            let sum = awake(|| {
                (0..20_u64)
                    .into_par_iter()
                    .map(|row| (0..row + round).into_par_iter().sum::<u64>())
                    .sum::<u64>()
            });
            assert_eq!(sum, (0..20).map(|row| (0..row + round).sum::<u64>()).sum::<u64>());
        }
    }
}
