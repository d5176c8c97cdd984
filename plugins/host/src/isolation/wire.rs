//! What parent and child say to each other: messages of JSON, each after its length. Large things are in shared files.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::columns::Layout;
use crate::{AnswerFault, Descriptor, Explanation, Extensions, HostError, HostLimits, Outcome, ScoreRequest};

/// The longest message of a child, in bytes.
pub(super) const MAX_TOLD: usize = 4 << 20;
/// The longest message that goes through the pipe to a child. A pipe has room for it, so that a child that does not read
/// holds up nobody; longer messages go through the parcel.
pub(super) const MAX_INLINE: usize = 32 << 10;
/// Marks a length as that of a message in the parcel.
const IN_PARCEL: u32 = 1 << 31;

/// Where the shared files are until the child has opened them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Paths {
    /// For the candidates of rankings and for the one of a lesson.
    pub(super) columns: [PathBuf; 2],
    pub(super) answers: PathBuf,
    pub(super) parcel: PathBuf,
}

/// What the child is to become.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) paths: Paths,
    pub(super) source: PathBuf,
    pub(super) copy: PathBuf,
    pub(super) fingerprint: String,
    pub(super) limits: HostLimits,
    pub(super) memory_bytes: u64,
}

/// Which columns a call is about: new ones, where they have a layout.
pub(super) type NewColumns = Option<Layout>;

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Call {
    Open(Box<Hello>),
    Create {
        config: String,
    },
    Score {
        request: ScoreRequest,
        columns: NewColumns,
    },
    Explain {
        request: ScoreRequest,
        columns: NewColumns,
        row: usize,
    },
    Learn {
        request: ScoreRequest,
        columns: NewColumns,
        outcome: Outcome,
    },
    Describe {
        code: u32,
    },
    /// The state goes into the parcel.
    Save,
    /// The state is in the parcel.
    Restore {
        length: usize,
    },
}

/// A message to the child.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Question {
    pub(super) number: u64,
    /// How long the parent waits, in microseconds.
    pub(super) left_us: u64,
    pub(super) call: Call,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Told {
    Opened { descriptor: Descriptor, schema: String, extensions: Extensions },
    Created,
    Scored { written: u32, elapsed_us: u64 },
    Explained(Option<Explanation>),
    Learned(bool),
    Described(Option<String>),
    Saved(Option<usize>),
    Restored(bool),
}

/// A message from the child.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Note {
    Line { level: u32, line: String },
    Answer(Answer),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) number: u64,
    /// The metrics that changed.
    pub(super) metrics: Vec<(String, f64)>,
    pub(super) result: std::result::Result<Told, Fault>,
}

/// What went wrong in the child.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Fault {
    Incompatible { major: u32, minor: u32 },
    MissingFunction { function: String },
    InvalidEntry { reason: String },
    InvalidDescriptor { field: String, reason: String },
    Init { status: i32 },
    InvalidSchema { reason: String },
    ConfigRefused { reason: String },
    Create { status: i32, reason: String },
    Score { status: i32, reason: String },
    Panicked { reason: String },
    OutOfTime,
    State { reason: String },
    Answer { words: String },
    Request { reason: String },
    Other { reason: String },
}

impl From<HostError> for Fault {
    fn from(error: HostError) -> Self {
        match error {
            HostError::IncompatibleAbi { major, minor, .. } => Self::Incompatible { major, minor },
            HostError::MissingFunction { function, .. } => {
                Self::MissingFunction { function: function.to_owned() }
            }
            HostError::InvalidEntry { reason, .. } => Self::InvalidEntry { reason },
            HostError::InvalidDescriptor { field, reason, .. } => {
                Self::InvalidDescriptor { field: field.to_owned(), reason }
            }
            HostError::Init { status, .. } => Self::Init { status },
            HostError::InvalidSchema { reason, .. } => Self::InvalidSchema { reason },
            HostError::ConfigRefused { reason, .. } => Self::ConfigRefused { reason },
            HostError::Create { status, reason, .. } => Self::Create { status, reason },
            HostError::Score { status, reason, .. } => Self::Score { status, reason },
            HostError::Panicked { reason, .. } => Self::Panicked { reason },
            HostError::OutOfTime { .. } => Self::OutOfTime,
            HostError::State { reason, .. } => Self::State { reason },
            HostError::InvalidAnswer { fault, .. } => Self::Answer { words: fault.to_string() },
            HostError::InvalidRequest { reason, .. } => Self::Request { reason },
            other => {
                let cause =
                    std::error::Error::source(&other).map_or_else(String::new, |cause| format!(": {cause}"));
                Self::Other { reason: format!("{other}{cause}") }
            }
        }
    }
}

impl Fault {
    /// The same error as if the matcher ran in this process.
    pub(super) fn into_error(self, id: &str, path: &Path) -> HostError {
        let (id, path) = (id.to_owned(), path.to_owned());
        match self {
            Self::Incompatible { major, minor } => HostError::IncompatibleAbi { path, major, minor },
            Self::MissingFunction { function } => match known(&function, &FUNCTIONS) {
                Some(function) => HostError::MissingFunction { path, function },
                None => HostError::Refused { path, reason: format!("it has no function {function}") },
            },
            Self::InvalidEntry { reason } => HostError::InvalidEntry { path, reason },
            Self::InvalidDescriptor { field, reason } => match known(&field, &FIELDS) {
                Some(field) => HostError::InvalidDescriptor { path, field, reason },
                None => HostError::Refused { path, reason },
            },
            Self::Init { status } => HostError::Init { id, status },
            Self::InvalidSchema { reason } => HostError::InvalidSchema { id, reason },
            Self::ConfigRefused { reason } => HostError::ConfigRefused { id, reason },
            Self::Create { status, reason } => HostError::Create { id, status, reason },
            Self::Score { status, reason } => HostError::Score { id, status, reason },
            Self::Panicked { reason } => HostError::Panicked { id, reason },
            Self::OutOfTime => HostError::OutOfTime { id },
            Self::State { reason } => HostError::State { id, reason },
            Self::Answer { words } => HostError::InvalidAnswer { id, fault: AnswerFault::Told { words } },
            // The parent checked the request, so this is the child's mistake.
            Self::Request { reason } => HostError::Protocol { id, reason },
            Self::Other { reason } => HostError::Refused { path, reason },
        }
    }
}

const FUNCTIONS: [&str; 6] = ["init", "create", "score", "destroy", "describe_reason", "config_schema"];
const FIELDS: [&str; 4] = ["id", "name", "version", "description"];

fn known(word: &str, words: &[&'static str]) -> Option<&'static str> {
    words.iter().find(|known| **known == word).copied()
}

/// Writes a message; one that is too long for the pipe goes through `parcel`.
pub(super) fn write(
    output: &mut impl Write,
    message: &impl Serialize,
    limit: usize,
    parcel: impl FnOnce(&[u8]) -> Result<()>,
) -> Result<()> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = u32::try_from(bytes.len() - 4).ok().filter(|length| *length < IN_PARCEL);
    let length = length.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "the message is too long"))?;
    if length as usize > limit {
        parcel(&bytes[4..])?;
        bytes.truncate(4);
        bytes.copy_from_slice(&(length | IN_PARCEL).to_le_bytes());
    } else {
        bytes[..4].copy_from_slice(&length.to_le_bytes());
    }
    output.write_all(&bytes)?;
    output.flush()
}

/// Reads a message of at most `limit` bytes; `None` where the other side has ended. `parcel` reads one that did not go
/// through the pipe.
pub(super) fn read<T: DeserializeOwned>(
    input: &mut impl Read,
    limit: usize,
    parcel: impl FnOnce(usize) -> Result<Vec<u8>>,
) -> Result<Option<T>> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u32::from_le_bytes(length);
    let bytes = if length & IN_PARCEL == 0 {
        let length = length as usize;
        if length > limit {
            let words = format!("a message of {length} bytes is longer than {limit}");
            return Err(Error::new(ErrorKind::InvalidData, words));
        }
        let mut bytes = vec![0; length];
        input.read_exact(&mut bytes)?;
        bytes
    } else {
        parcel((length & !IN_PARCEL) as usize)?
    };
    Ok(Some(serde_json::from_slice(&bytes)?))
}

/// For a side that gets no parcels.
pub(super) fn no_parcel<T>() -> Result<T> {
    Err(Error::new(ErrorKind::InvalidData, "a message is not where it should be"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(length: usize) -> Note {
        Note::Line { level: 3, line: "x".repeat(length) }
    }

    #[test]
    fn a_message_goes_around() {
        let mut bytes = Vec::new();
        write(&mut bytes, &line(9), MAX_TOLD, |_| no_parcel()).unwrap();
        let back: Option<Note> = read(&mut &bytes[..], MAX_TOLD, |_| no_parcel()).unwrap();
        assert!(matches!(back, Some(Note::Line { level: 3, line }) if line.len() == 9));
        let end: Option<Note> = read(&mut &[][..], MAX_TOLD, |_| no_parcel()).unwrap();
        assert!(end.is_none());
    }

    #[test]
    fn a_long_message_goes_through_the_parcel() {
        let (mut bytes, mut parcel) = (Vec::new(), Vec::new());
        write(&mut bytes, &line(100), 50, |long| {
            parcel = long.to_vec();
            Ok(())
        })
        .unwrap();
        assert_eq!(bytes.len(), 4);
        let back: Option<Note> = read(&mut &bytes[..], 50, |length| Ok(parcel[..length].to_vec())).unwrap();
        assert!(matches!(back, Some(Note::Line { line, .. }) if line.len() == 100));
    }

    #[test]
    fn nonsense_is_an_error_and_takes_no_memory() {
        for bytes in [
            &[0xff, 0xff, 0xff, 0x7f][..],
            &[0xff, 0xff, 0xff, 0xff],
            &[1, 0, 0, 0, b'{'],
            &[9, 0, 0, 0, b'{'],
            &[2, 0, 0, 0, b'{', b'}'],
        ] {
            assert!(read::<Note>(&mut &bytes[..], MAX_TOLD, |_| no_parcel()).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn errors_come_out_as_they_went_in() {
        let id = || "x".to_owned();
        let path = Path::new("x.so");
        for error in [
            HostError::IncompatibleAbi { path: path.into(), major: 2, minor: 0 },
            HostError::MissingFunction { path: path.into(), function: "score" },
            HostError::InvalidDescriptor { path: path.into(), field: "id", reason: id() },
            HostError::Score { id: id(), status: -7, reason: id() },
            HostError::Panicked { id: id(), reason: id() },
            HostError::OutOfTime { id: id() },
        ] {
            let words = error.to_string();
            assert_eq!(Fault::from(error).into_error("x", path).to_string(), words);
        }
        let lie = Fault::MissingFunction { function: "nonsense".to_owned() }.into_error("x", path);
        assert!(matches!(lie, HostError::Refused { .. }));
    }
}
