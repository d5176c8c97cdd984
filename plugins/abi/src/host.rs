//! What the host lends to a matcher: a table of functions, so that a matcher's library has no undefined symbols.

use std::ffi::c_void;

use crate::Text;

/// How important a log line is. An integer and no `enum`, because a matcher may pass anything.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogLevel(pub u32);

impl LogLevel {
    /// Something is broken.
    pub const ERROR: Self = Self(1);
    /// Something is wrong, but work goes on.
    pub const WARN: Self = Self(2);
    /// Something an operator wants to know.
    pub const INFO: Self = Self(3);
    /// Something a developer wants to know.
    pub const DEBUG: Self = Self(4);
}

/// Writes a line to the host's log.
pub type LogFn = unsafe extern "C" fn(context: *mut c_void, level: LogLevel, message: Text);
/// Sets a metric of the matcher to a value.
pub type MetricFn = unsafe extern "C" fn(context: *mut c_void, name: Text, value: f64);
/// Gives a host extension by its id, or null.
pub type HostExtensionFn = unsafe extern "C" fn(context: *mut c_void, id: Text) -> *const c_void;

/// The host's functions. Valid for the rest of the process once given to a matcher.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Host {
    /// The bytes of this structure that the host has filled in.
    pub size: u32,
    /// The host's [`crate::ABI_MAJOR`].
    pub abi_major: u32,
    /// The host's [`crate::ABI_MINOR`].
    pub abi_minor: u32,
    /// Fills the structure up to a multiple of eight bytes; 0.
    pub reserved: u32,
    /// The host's name.
    pub name: Text,
    /// The host's version.
    pub version: Text,
    /// Passed as the first argument of every function below; means nothing to the matcher.
    pub context: *mut c_void,
    /// Never null in 1.0.
    pub log: Option<LogFn>,
    /// Never null in 1.0.
    pub metric: Option<MetricFn>,
    /// Never null in 1.0, where a host has no extensions.
    pub get_extension: Option<HostExtensionFn>,
}

// SAFETY: the table is read-only once it is given away, and its functions may be called on any thread by contract.
unsafe impl Send for Host {}
// SAFETY: as for `Send`.
unsafe impl Sync for Host {}
