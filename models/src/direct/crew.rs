//! Who works on what: with as many rows as threads each thread takes whole rows, with fewer they share a row's layers.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::Yield;
use rayon::prelude::*;

/// More threads than this do not make one row faster.
const LARGEST_CREW: usize = 8;
/// With this many rows for each thread it does not matter that some threads have one more than others.
const MANY_ROWS: usize = 4;

thread_local! {
    /// Whether this thread has its row for itself.
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// How many threads share the layer that this thread is at.
pub(crate) fn crew() -> usize {
    if ALONE.get() { 1 } else { rayon::current_num_threads() }
}

/// Does the parts of a layer, by all threads that share it.
pub(crate) fn share<T: Send>(parts: Vec<T>, work: impl Fn(T) + Send + Sync) {
    if crew() == 1 {
        parts.into_iter().for_each(work);
    } else {
        parts.into_par_iter().for_each(work);
    }
}

/// Takes rows through a network; the results are in their order.
pub(crate) fn each_row<T: Send, R: Send>(rows: Vec<T>, network: impl Fn(T) -> R + Send + Sync) -> Vec<R> {
    let threads = rayon::current_num_threads();
    if rows.len().is_multiple_of(threads) || rows.len() >= MANY_ROWS * threads {
        rows.into_par_iter().map(|row| alone(|| network(row))).collect()
    } else {
        awake(|| rows.into_par_iter().map(network).collect())
    }
}

/// Lets go of the row when the work ends, also by a panic.
struct Hold(bool);

impl Drop for Hold {
    fn drop(&mut self) {
        ALONE.set(self.0);
    }
}

fn alone<T>(work: impl FnOnce() -> T) -> T {
    let _hold = Hold(ALONE.replace(true));
    work()
}

/// Sends the others back to sleep when the work ends, also by a panic.
struct Shift(Arc<AtomicBool>);

impl Drop for Shift {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Works with the other threads of the pool kept awake. A layer of a small network takes less time than it takes to
/// wake a thread, so threads that sleep between layers would have no part in the work.
fn awake<T: Send>(work: impl FnOnce() -> T + Send) -> T {
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
    use super::*;

    #[test]
    fn every_row_and_part_is_done_once_however_many_there_are() {
        for rows in (0..40_u64).chain([1; 20]) {
            let network = |row: u64| {
                let sum = std::sync::atomic::AtomicU64::new(0);
                share((0..row).collect(), |part| {
                    sum.fetch_add(part, Ordering::Relaxed);
                });
                sum.into_inner()
            };
            let expected: Vec<u64> = (0..rows).map(|row| (0..row).sum()).collect();
            assert_eq!(each_row((0..rows).collect(), network), expected);
        }
        assert_eq!(crew(), rayon::current_num_threads());
    }

    #[test]
    fn a_row_for_one_thread_has_a_crew_of_one() {
        let threads = rayon::current_num_threads();
        assert_eq!(each_row(vec![(); threads], |()| crew()), vec![1; threads]);
        assert_eq!(crew(), threads);
    }
}
