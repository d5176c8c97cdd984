//! Structures as a host of this version passes them, or as one of a later minor version will: larger, with more behind.

use heartline_plugin_abi as abi;

/// A structure that begins with its size.
pub(crate) trait Sized32 {
    fn size(&mut self) -> &mut u32;
}

macro_rules! sized {
    ($($structure:ident),+) => {
        $(impl Sized32 for abi::$structure {
            fn size(&mut self) -> &mut u32 {
                &mut self.size
            }
        })+
    };
}

sized!(Candidates, Emotion, Factors, Message, Outcome, Request, Scores, Writer);

/// A structure with room behind it for what only a later version knows.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Grown<T> {
    known: T,
    unknown: [u64; 8],
}

impl<T: Sized32> Grown<T> {
    /// The structure with the size of this version, or of a later one.
    pub(crate) fn new(mut known: T, is_later: bool) -> Self {
        let size = if is_later { size_of::<Self>() } else { size_of::<T>() };
        // No structure has four billion bytes.
        *known.size() = size as u32;
        Self { known, unknown: [u64::MAX; 8] }
    }

    pub(crate) fn known(&self) -> &T {
        &self.known
    }

    pub(crate) fn as_ptr(&self) -> *const T {
        (&raw const *self).cast()
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut T {
        (&raw mut *self).cast()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_structure_is_larger_and_otherwise_the_same() {
        let factors =
            || abi::Factors { size: 0, capacity: 3, count: 2, reserved: 0, factors: std::ptr::null_mut() };
        let (now, later) = (Grown::new(factors(), false), Grown::new(factors(), true));
        assert_eq!(now.known().size as usize, size_of::<abi::Factors>());
        assert_eq!(later.known().size as usize, size_of::<abi::Factors>() + 64);
        assert_eq!((later.known().capacity, later.known().count), (3, 2));
        assert_eq!(later.as_ptr(), &raw const later.known);
    }
}
