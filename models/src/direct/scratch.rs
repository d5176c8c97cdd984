//! Memory for results that is kept for the next call: a network needs the same sizes again and again, and fresh
//! memory costs as much as computing a small layer.

use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

use super::Eight;

/// How many eights are kept at most, of all sizes together: 64 MB.
const LARGEST_KEPT: usize = 2 << 20;
/// How many buffers are kept at most.
const MOST_KEPT: usize = 256;

static KEPT: Mutex<Vec<Vec<Eight>>> = Mutex::new(Vec::new());

/// A buffer that goes back to the kept ones when it is dropped.
#[derive(Debug, PartialEq, Default)]
pub(crate) struct Scratch(Vec<Eight>);

impl Scratch {
    /// A buffer of this length with anything in it.
    pub(crate) fn unset(length: usize) -> Self {
        if let Ok(mut kept) = KEPT.lock() {
            // Its capacity is what a buffer costs, however little of it the last network took.
            let fits =
                |(_, buffer): &(usize, &Vec<Eight>)| (length..=2 * length).contains(&buffer.capacity());
            let best = kept.iter().enumerate().filter(fits).min_by_key(|(_, buffer)| buffer.capacity());
            if let Some((index, _)) = best {
                let mut buffer = kept.swap_remove(index);
                buffer.resize(length, Eight::ZERO);
                return Self(buffer);
            }
        }
        Self(vec![Eight::ZERO; length])
    }

    /// A buffer of zeros.
    pub(crate) fn zeros(length: usize) -> Self {
        let mut scratch = Self::unset(length);
        scratch.fill(Eight::ZERO);
        scratch
    }
}

impl Clone for Scratch {
    fn clone(&self) -> Self {
        let mut copy = Self::unset(self.len());
        copy.copy_from_slice(self);
        copy
    }
}

impl Deref for Scratch {
    type Target = [Eight];

    fn deref(&self) -> &[Eight] {
        &self.0
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [Eight] {
        &mut self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.0);
        if buffer.is_empty() {
            return;
        }
        if let Ok(mut kept) = KEPT.lock() {
            let held: usize = kept.iter().map(Vec::capacity).sum();
            if kept.len() < MOST_KEPT && held + buffer.capacity() <= LARGEST_KEPT {
                kept.push(buffer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_shrinks_from_call_to_call_is_not_kept_for_less_than_it_costs() {
        // A length that no network here asks for.
        let mut length = 1_234_567;
        while length > 1_000 {
            drop(Scratch::unset(length));
            let kept = KEPT.lock().unwrap();
            let most = kept.iter().filter(|buffer| buffer.len() <= length).map(Vec::capacity).max();
            assert!(most.is_none_or(|most| most <= 1_234_567), "{most:?}");
            let held: usize = kept.iter().map(Vec::capacity).sum();
            assert!(held <= LARGEST_KEPT, "{held}");
            drop(kept);
            length = length * 3 / 5;
        }
        let small = Scratch::unset(1_000);
        assert!(small.0.capacity() <= 2_000, "{}", small.0.capacity());
    }

    #[test]
    fn buffers_have_the_length_that_was_asked_for_and_zeros_are_zero() {
        for length in [0, 5, 77, 60, 77] {
            let mut scratch = Scratch::zeros(length);
            assert!(scratch.len() == length && scratch.iter().all(|eight| *eight == Eight::ZERO));
            scratch.fill(Eight([3.0; 8]));
            assert_eq!(scratch.clone(), scratch);
        }
    }

    #[test]
    fn what_is_too_large_is_not_kept() {
        drop(Scratch::unset(LARGEST_KEPT + 1));
        let kept = KEPT.lock().unwrap();
        assert!(kept.iter().map(Vec::len).sum::<usize>() <= LARGEST_KEPT);
    }
}
