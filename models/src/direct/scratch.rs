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
            let fits = |(_, buffer): &(usize, &Vec<Eight>)| (length..=2 * length).contains(&buffer.len());
            let best = kept.iter().enumerate().filter(fits).min_by_key(|(_, buffer)| buffer.len());
            if let Some((index, _)) = best {
                let mut buffer = kept.swap_remove(index);
                buffer.truncate(length);
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
            let held: usize = kept.iter().map(Vec::len).sum();
            if kept.len() < MOST_KEPT && held + buffer.len() <= LARGEST_KEPT {
                kept.push(buffer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
