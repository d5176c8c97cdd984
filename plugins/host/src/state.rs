//! Room for the state that a matcher saves.

use std::ffi::c_void;

use heartline_plugin_abi as abi;
use heartline_plugin_abi::Status;

/// Bytes that a matcher writes, up to a limit.
pub(crate) struct Bytes {
    bytes: Vec<u8>,
    limit: usize,
    is_full: bool,
}

impl Bytes {
    pub(crate) fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit, is_full: false }
    }

    /// The structure to pass; valid for as long as `self` is neither moved nor touched.
    pub(crate) fn lend(&mut self) -> abi::Writer {
        abi::Writer {
            size: abi::size_of_struct::<abi::Writer>(),
            reserved: 0,
            context: std::ptr::from_mut(self).cast(),
            write: Some(write),
        }
    }

    /// Whether the matcher wanted to write more than the limit.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }

    pub(crate) fn into_vec(self) -> Vec<u8> {
        self.bytes
    }
}

unsafe extern "C" fn write(context: *mut c_void, data: *const u8, length: usize) -> Status {
    // SAFETY: the header makes a matcher promise to pass the context on, which is the `Bytes` of this call.
    let Some(room) = (unsafe { context.cast::<Bytes>().as_mut() }) else { return Status::BAD_ARGUMENT };
    if length == 0 {
        return Status::OK;
    }
    if data.is_null() {
        return Status::BAD_ARGUMENT;
    }
    if length > room.limit - room.bytes.len() {
        room.is_full = true;
        return Status::FAILED;
    }
    // SAFETY: the header makes a matcher promise that there are as many bytes as it says; the length is limited.
    room.bytes.extend_from_slice(unsafe { std::slice::from_raw_parts(data, length) });
    Status::OK
}
