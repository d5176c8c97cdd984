//! What a matcher exports: one structure that says what it is and how it is called.

use std::ffi::c_void;

use crate::{ABI_MAJOR, ABI_MINOR, Candidates, Host, Message, Request, Scores, Status, Text};

/// An instance of a matcher; only its library knows what is inside.
#[repr(C)]
#[derive(Debug)]
pub struct RawMatcher {
    nothing: [u8; 0],
}

/// Prepares the library, once, before anything else is called.
pub type InitFn = unsafe extern "C" fn(host: *const Host) -> Status;
/// Gives the JSON schema of the configuration; the empty text where there is nothing to configure.
pub type ConfigSchemaFn = unsafe extern "C" fn() -> Text;
/// Makes an instance from its configuration.
pub type CreateFn =
    unsafe extern "C" fn(config: Text, matcher: *mut *mut RawMatcher, message: *mut Message) -> Status;
/// Scores all candidates for one request.
pub type ScoreFn = unsafe extern "C" fn(
    matcher: *mut RawMatcher,
    request: *const Request,
    candidates: *const Candidates,
    scores: *mut Scores,
    message: *mut Message,
) -> Status;
/// Ends an instance.
pub type DestroyFn = unsafe extern "C" fn(matcher: *mut RawMatcher);
/// Says what a reason code means, or gives the empty text where it means nothing.
pub type DescribeReasonFn = unsafe extern "C" fn(code: u32) -> Text;
/// Gives an extension of the matcher by its id, or null.
pub type ExtensionFn = unsafe extern "C" fn(id: Text) -> *const c_void;

/// The one exported structure, a static named `heartline_matcher_entry`.
///
/// The functions are options only because a matcher written in C may leave one null; the host then refuses it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The bytes of this structure that the matcher has filled in.
    pub size: u32,
    /// The [`ABI_MAJOR`] that the matcher was built against.
    pub abi_major: u32,
    /// The [`ABI_MINOR`] that the matcher was built against.
    pub abi_minor: u32,
    /// Fills the structure up to a multiple of eight bytes; 0.
    pub reserved: u32,
    /// A stable id in lower-case letters, digits, `.`, `-` and `_`: `skill`, `com.example.seniority`.
    pub id: Text,
    /// A name for people.
    pub name: Text,
    /// The matcher's own version.
    pub version: Text,
    /// What the matcher does, in a sentence.
    pub description: Text,
    /// Required.
    pub init: Option<InitFn>,
    /// Required.
    pub config_schema: Option<ConfigSchemaFn>,
    /// Required.
    pub create: Option<CreateFn>,
    /// Required.
    pub score: Option<ScoreFn>,
    /// Required.
    pub destroy: Option<DestroyFn>,
    /// Required.
    pub describe_reason: Option<DescribeReasonFn>,
    /// May be null: the matcher has no extensions.
    pub get_extension: Option<ExtensionFn>,
}

impl Entry {
    /// An entry of this version with nothing in it, to start from.
    pub const EMPTY: Self = Self {
        size: crate::size_of_struct::<Self>(),
        abi_major: ABI_MAJOR,
        abi_minor: ABI_MINOR,
        reserved: 0,
        id: Text::EMPTY,
        name: Text::EMPTY,
        version: Text::EMPTY,
        description: Text::EMPTY,
        init: None,
        config_schema: None,
        create: None,
        score: None,
        destroy: None,
        describe_reason: None,
        get_extension: None,
    };
}

// SAFETY: an entry is read-only, and its texts live as long as the library, which is never unmapped.
unsafe impl Send for Entry {}
// SAFETY: as for `Send`.
unsafe impl Sync for Entry {}
