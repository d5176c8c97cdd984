//! The host's functions, for the matcher's use: log lines and metrics.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{LogLevel, Text};

use crate::MatcherError;

/// The table that `init` got; null before. Each library has its own, because it links its own copy of this crate.
static HOST: AtomicPtr<abi::Host> = AtomicPtr::new(null_mut());

/// Remembers the host's table.
///
/// # Safety
/// A non-null `host` must point at a table that stays valid for the rest of the process.
pub(crate) unsafe fn remember(host: *const abi::Host) -> Result<(), MatcherError> {
    // SAFETY: the caller promises that a non-null pointer is valid.
    let Some(table) = (unsafe { host.as_ref() }) else {
        return Err(MatcherError::Argument("init got no host"));
    };
    if table.abi_major != abi::ABI_MAJOR || (table.size as usize) < size_of::<abi::Host>() {
        return Err(MatcherError::Argument("the host is of another version"));
    }
    HOST.store(host.cast_mut(), Ordering::Release);
    Ok(())
}

fn table() -> Option<&'static abi::Host> {
    // SAFETY: the pointer is null or comes from `remember`, whose caller promises that it stays valid.
    unsafe { HOST.load(Ordering::Acquire).cast_const().as_ref() }
}

/// Writes a line to the host's log. Does nothing before the host has initialised the library, as in unit tests.
pub fn log(level: LogLevel, message: &str) {
    if let Some((host, write)) = table().and_then(|host| Some((host, host.log?))) {
        // SAFETY: context and function are of the same table, and the text is borrowed for the call.
        unsafe { write(host.context, level, Text::from_borrowed(message)) };
    }
}

/// Sets a metric of this matcher; names are lower-case letters, digits and `_`. Does nothing before the host has
/// initialised the library, as in unit tests.
pub fn metric(name: &str, value: f64) {
    if let Some((host, set)) = table().and_then(|host| Some((host, host.metric?))) {
        // SAFETY: context and function are of the same table, and the text is borrowed for the call.
        unsafe { set(host.context, Text::from_borrowed(name), value) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_host_nothing_happens() {
        log(LogLevel::ERROR, "nobody hears this");
        metric("nobody_sees_this", 1.0);
        // SAFETY: null is refused before it is followed.
        assert!(unsafe { remember(std::ptr::null()) }.is_err());
    }
}
