//! A borrowed run of UTF-8 bytes.

/// Borrowed UTF-8 text: a pointer and a length in bytes, not ended by a NUL.
///
/// A length of 0 is the empty text whatever the pointer is. How long the bytes live is said where the text is used.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// The first byte; may be null where `length` is 0.
    pub data: *const u8,
    /// The length in bytes.
    pub length: usize,
}

impl Text {
    /// The empty text.
    pub const EMPTY: Self = Self { data: std::ptr::null(), length: 0 };

    /// Points at a string; the text is valid for as long as the string is.
    #[must_use]
    pub const fn from_borrowed(text: &str) -> Self {
        Self { data: text.as_ptr(), length: text.len() }
    }

    /// The bytes, or `None` where the pointer is null although the length is not 0, or no memory is that long.
    ///
    /// # Safety
    /// A non-null `data` must point at `length` initialised bytes that nobody writes to during `'text`.
    #[must_use]
    pub unsafe fn bytes<'text>(self) -> Option<&'text [u8]> {
        if self.length == 0 {
            return Some(&[]);
        }
        if self.data.is_null() || self.length > isize::MAX as usize {
            return None;
        }
        // SAFETY: the pointer is not null, the length is possible, and the caller promises the rest.
        Some(unsafe { std::slice::from_raw_parts(self.data, self.length) })
    }

    /// The text, or `None` where [`Self::bytes`] has none or the bytes are not UTF-8.
    ///
    /// # Safety
    /// As for [`Self::bytes`].
    #[must_use]
    pub unsafe fn as_str<'text>(self) -> Option<&'text str> {
        // SAFETY: the caller promises what `bytes` asks for.
        unsafe { self.bytes() }.and_then(|bytes| std::str::from_utf8(bytes).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_gives_back_its_string() {
        let text = Text::from_borrowed("né");
        // SAFETY: the text points at a string literal.
        assert_eq!(unsafe { text.as_str() }, Some("né"));
        // SAFETY: a length of 0 reads nothing.
        assert_eq!(unsafe { Text::EMPTY.as_str() }, Some(""));
    }

    #[test]
    fn a_null_pointer_or_an_impossible_length_is_no_text() {
        let null = Text { data: std::ptr::null(), length: 3 };
        // SAFETY: a null pointer is refused before it is read.
        assert_eq!(unsafe { null.bytes() }, None);
        let endless = Text { data: b"x".as_ptr(), length: usize::MAX };
        // SAFETY: an impossible length is refused before anything is read.
        assert_eq!(unsafe { endless.bytes() }, None);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_no_text() {
        let bytes = [0xff_u8, 0xfe];
        let text = Text { data: bytes.as_ptr(), length: bytes.len() };
        // SAFETY: the text points at the array above, which outlives it.
        assert_eq!(unsafe { text.as_str() }, None);
    }
}
