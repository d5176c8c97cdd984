//! What a matcher says of itself, checked before anything of it runs.

use std::path::Path;

use heartline_plugin_abi::{Entry, Text};
use serde::{Deserialize, Serialize};

use crate::{HostError, HostLimits};

/// The longest id, in bytes: it becomes a metric label and a config key.
const MAX_ID_BYTES: usize = 64;

/// What a matcher says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    /// The stable id, in lower-case letters, digits, `.`, `-` and `_`.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// The matcher's own version.
    pub version: String,
    /// The major version of the ABI it was built against.
    pub abi_major: u32,
    /// The minor version of the ABI it was built against.
    pub abi_minor: u32,
    /// What it does, in a sentence.
    pub description: String,
}

impl Descriptor {
    /// Reads and checks the texts of an entry.
    ///
    /// # Safety
    /// Every non-null text of the entry must point at as many bytes as its length says.
    pub(crate) unsafe fn read(path: &Path, entry: &Entry, limits: &HostLimits) -> Result<Self, HostError> {
        let read = |field: &'static str, text: Text, limit: usize| {
            let refuse =
                |reason: String| HostError::InvalidDescriptor { path: path.to_owned(), field, reason };
            if text.length > limit {
                return Err(refuse(format!("{} bytes are more than {limit}", text.length)));
            }
            // SAFETY: the caller promises that the text is as long as it says.
            let text = unsafe { text.as_str() };
            text.map(str::to_owned).ok_or_else(|| refuse("it is null or not UTF-8".to_owned()))
        };
        let descriptor = Self {
            id: read("id", entry.id, MAX_ID_BYTES)?,
            name: read("name", entry.name, limits.max_text_bytes)?,
            version: read("version", entry.version, limits.max_text_bytes)?,
            abi_major: entry.abi_major,
            abi_minor: entry.abi_minor,
            description: read("description", entry.description, limits.max_text_bytes)?,
        };
        descriptor.check().map_err(|(field, reason)| HostError::InvalidDescriptor {
            path: path.to_owned(),
            field,
            reason,
        })?;
        Ok(descriptor)
    }

    /// Checks what another process says of a matcher.
    pub(crate) fn check_told(&self, path: &Path, limits: &HostLimits) -> Result<(), HostError> {
        let refuse = |(field, reason)| HostError::InvalidDescriptor { path: path.to_owned(), field, reason };
        let limited = [
            ("id", &self.id, MAX_ID_BYTES),
            ("name", &self.name, limits.max_text_bytes),
            ("version", &self.version, limits.max_text_bytes),
            ("description", &self.description, limits.max_text_bytes),
        ];
        if let Some((field, text, limit)) = limited.into_iter().find(|(_, text, limit)| text.len() > *limit) {
            return Err(refuse((field, format!("{} bytes are more than {limit}", text.len()))));
        }
        self.check().map_err(refuse)
    }

    fn check(&self) -> Result<(), (&'static str, String)> {
        let allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_')
        };
        if self.id.is_empty() || !self.id.bytes().all(allowed) {
            let reason = format!("{:?} is not made of lower-case letters, digits, '.', '-' and '_'", self.id);
            return Err(("id", reason));
        }
        for (field, text) in
            [("name", &self.name), ("version", &self.version), ("description", &self.description)]
        {
            if text.is_empty() {
                return Err((field, "it is empty".to_owned()));
            }
            if text.chars().any(char::is_control) {
                return Err((field, "it has control characters".to_owned()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            id: Text::from_borrowed("com.example.seniority-2"),
            name: Text::from_borrowed("Seniority"),
            version: Text::from_borrowed("1.0"),
            description: Text::from_borrowed("Prefers the experienced."),
            ..Entry::EMPTY
        }
    }

    fn refused(entry: &Entry) -> &'static str {
        // SAFETY: all texts of these tests are string literals, or are refused before they are read.
        match unsafe { Descriptor::read(Path::new("x.so"), entry, &HostLimits::default()) } {
            Err(HostError::InvalidDescriptor { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_proper_entry_is_read() {
        // SAFETY: the texts are string literals.
        let descriptor =
            unsafe { Descriptor::read(Path::new("x.so"), &entry(), &HostLimits::default()) }.unwrap();
        assert_eq!(descriptor.id, "com.example.seniority-2");
        assert_eq!((descriptor.abi_major, descriptor.abi_minor), (1, 0));
    }

    #[test]
    fn improper_texts_are_refused_by_name() {
        assert_eq!(refused(&Entry { id: Text::from_borrowed("Has Spaces"), ..entry() }), "id");
        assert_eq!(refused(&Entry { id: Text::EMPTY, ..entry() }), "id");
        assert_eq!(refused(&Entry { name: Text::from_borrowed("a\nb"), ..entry() }), "name");
        assert_eq!(refused(&Entry { version: Text::EMPTY, ..entry() }), "version");
        assert_eq!(
            refused(&Entry { description: Text { length: 9_999, ..entry().description }, ..entry() }),
            "description"
        );
        assert_eq!(
            refused(&Entry { description: Text { data: std::ptr::null(), length: 3 }, ..entry() }),
            "description"
        );
    }
}
