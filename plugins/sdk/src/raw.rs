//! From the ABI's pointers to slices and strings; the one place of this crate that follows what a host passes.

use heartline_plugin_abi::Text;

use crate::MatcherError;

/// A structure that begins with its size.
///
/// # Safety
/// The structure's first field must be its `size`, as a `u32`.
pub(crate) unsafe trait SizePrefixed {}

// SAFETY: the first field is `size`.
unsafe impl SizePrefixed for heartline_plugin_abi::Emotion {}
// SAFETY: the first field is `size`.
unsafe impl SizePrefixed for heartline_plugin_abi::Request {}
// SAFETY: the first field is `size`.
unsafe impl SizePrefixed for heartline_plugin_abi::Candidates {}
// SAFETY: the first field is `size`.
unsafe impl SizePrefixed for heartline_plugin_abi::Scores {}
// SAFETY: the first field is `size`.
unsafe impl SizePrefixed for heartline_plugin_abi::Message {}
// SAFETY: the first field is `size`.
unsafe impl SizePrefixed for heartline_plugin_abi::Factors {}
// SAFETY: the first field is `size`.
unsafe impl SizePrefixed for heartline_plugin_abi::Outcome {}
// SAFETY: the first field is `size`.
unsafe impl SizePrefixed for heartline_plugin_abi::Writer {}

/// Whether a pointer leads to a structure that has all fields this version knows.
///
/// # Safety
/// A non-null pointer must lead to at least the structure's `size` field.
pub(crate) unsafe fn is_complete<T: SizePrefixed>(pointer: *const T) -> bool {
    if pointer.is_null() || !pointer.is_aligned() {
        return false;
    }
    // SAFETY: the pointer is aligned, leads to a `size` field by the caller's promise, and that field comes first.
    let size = unsafe { pointer.cast::<u32>().read() };
    size as usize >= size_of::<T>()
}

/// Borrows a structure that the host passed.
///
/// # Safety
/// A non-null pointer must lead to a structure as long as its `size` says, which nobody writes to during `'call`.
pub(crate) unsafe fn structure<'call, T: SizePrefixed>(
    pointer: *const T,
    problem: &'static str,
) -> Result<&'call T, MatcherError> {
    // SAFETY: the caller promises that the `size` field is there.
    if !unsafe { is_complete(pointer) } {
        return Err(MatcherError::Argument(problem));
    }
    // SAFETY: the structure is there in full, aligned, and the caller promises that it stays as it is.
    Ok(unsafe { &*pointer })
}

/// Borrows a column that the host passed.
///
/// # Safety
/// A non-null pointer must lead to `count` values that nobody writes to during `'call`.
pub(crate) unsafe fn column<'call, T>(
    pointer: *const T,
    count: usize,
    problem: &'static str,
) -> Result<&'call [T], MatcherError> {
    if count == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() || !pointer.is_aligned() || count > isize::MAX as usize / size_of::<T>().max(1) {
        return Err(MatcherError::Argument(problem));
    }
    // SAFETY: the pointer is neither null nor misaligned, the length is possible, and the caller promises the rest.
    Ok(unsafe { std::slice::from_raw_parts(pointer, count) })
}

/// Borrows a column that may be null; it is empty then.
///
/// # Safety
/// As for [`column`].
pub(crate) unsafe fn optional<'call, T>(
    pointer: *const T,
    count: usize,
    problem: &'static str,
) -> Result<&'call [T], MatcherError> {
    if pointer.is_null() {
        return Ok(&[]);
    }
    // SAFETY: the caller promises what `column` asks for.
    unsafe { column(pointer, count, problem) }
}

/// Borrows a column of the answer.
///
/// # Safety
/// A non-null pointer must lead to `count` initialised values that nobody else touches during `'call`.
pub(crate) unsafe fn column_mut<'call, T>(
    pointer: *mut T,
    count: usize,
    problem: &'static str,
) -> Result<&'call mut [T], MatcherError> {
    if count == 0 {
        return Ok(&mut []);
    }
    if pointer.is_null() || !pointer.is_aligned() || count > isize::MAX as usize / size_of::<T>().max(1) {
        return Err(MatcherError::Argument(problem));
    }
    // SAFETY: the pointer is neither null nor misaligned, the length is possible, and the caller promises the rest.
    Ok(unsafe { std::slice::from_raw_parts_mut(pointer, count) })
}

/// Borrows a text that the host passed.
///
/// # Safety
/// A non-null text must be as long as it says, and nobody may write to it during `'call`.
pub(crate) unsafe fn text<'call>(text: Text, problem: &'static str) -> Result<&'call str, MatcherError> {
    // SAFETY: the caller promises what `as_str` asks for.
    unsafe { text.as_str() }.ok_or(MatcherError::Argument(problem))
}

/// Borrows a table of texts that the host passed.
///
/// # Safety
/// As for [`column`], and for [`text`] with each element.
pub(crate) unsafe fn texts<'call>(
    pointer: *const Text,
    count: u32,
    problem: &'static str,
) -> Result<Vec<&'call str>, MatcherError> {
    // SAFETY: the caller promises what `column` asks for.
    let column = unsafe { column(pointer, count as usize, problem) }?;
    // SAFETY: the caller promises what `text` asks for, for each element.
    column.iter().map(|element| unsafe { text(*element, problem) }).collect()
}
