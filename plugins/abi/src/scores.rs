//! What a matcher answers: its status, its words and its scores.

/// How a call of a matcher ended. An integer and no `enum`, because a matcher may answer anything.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status(pub i32);

impl Status {
    /// All went well.
    pub const OK: Self = Self(0);
    /// The call failed, for reasons that the message tells.
    pub const FAILED: Self = Self(1);
    /// The configuration is not acceptable; the message says why.
    pub const BAD_CONFIG: Self = Self(2);
    /// The caller broke the contract: a null pointer, a size below version 1.0, text that is not UTF-8.
    pub const BAD_ARGUMENT: Self = Self(3);
    /// The matcher panicked; this instance answers nothing but this from now on.
    pub const PANICKED: Self = Self(4);
    /// The time limit would be overrun, so the matcher stopped.
    pub const OUT_OF_TIME: Self = Self(5);
    /// The bytes are no state of this matcher, or one of a format it cannot read.
    pub const BAD_STATE: Self = Self(6);
}

/// A place for a few words about what went wrong; the caller owns it, the matcher writes it.
#[repr(C)]
#[derive(Debug)]
pub struct Message {
    /// The bytes of this structure that the host has filled in.
    pub size: u32,
    /// How many bytes may be written at `data`.
    pub capacity: u32,
    /// Where to write the UTF-8 text, without an ending NUL.
    pub data: *mut u8,
    /// How many bytes were written; the caller sets 0, the matcher sets what it used.
    pub length: u32,
    /// Fills the structure up to a multiple of eight bytes; 0.
    pub reserved: u32,
}

/// The answer, as columns with one row a candidate; the caller owns them, the matcher writes every row.
///
/// The caller fills the columns with values that are no answer (NaN, 255, `u32::MAX`), so a row left out is found.
#[repr(C)]
#[derive(Debug)]
pub struct Scores {
    /// The bytes of this structure that the host has filled in.
    pub size: u32,
    /// How many rows each column has: the number of candidates.
    pub capacity: u32,
    /// How many rows the matcher wrote; the caller sets 0, the matcher must set the number of candidates.
    pub count: u32,
    /// Fills the structure up to a multiple of eight bytes; 0.
    pub reserved: u32,
    /// How well each candidate fits, in [0, 1].
    pub scores: *mut f32,
    /// How sure the matcher is of each score, in [0, 1].
    pub confidences: *mut f32,
    /// Why: a code that the matcher's `describe_reason` knows.
    pub reason_codes: *mut u32,
    /// 1 where the candidate may take the call, 0 where not.
    pub eligible: *mut u8,
}
