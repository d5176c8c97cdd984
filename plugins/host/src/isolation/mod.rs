//! A matcher in a process of its own: the same library, the same answers, another address space.
//!
//! The parent writes the candidates' columns into memory that both share, once a snapshot, and asks through a pipe; the
//! child maps the columns read-only, calls the matcher, and leaves its scores in shared memory. Nothing that comes back is
//! believed: lengths, numbers, texts and the order of messages are checked, as an answer within the process is. The parent
//! reads the scores with plain reads and maps nothing, so that no child can make it stumble.
//!
//! | what happens in the child | what it costs |
//! | --- | --- |
//! | it crashes, aborts, exits, writes into the columns | the call fails with [`crate::HostError::Crashed`] |
//! | it does not answer before the deadline | it is killed, the call fails with [`crate::HostError::Overrun`] |
//! | it takes more memory than it may | its allocations fail, which ends most programs |
//! | it sends what makes no sense | it is killed, the call fails with [`crate::HostError::Protocol`] |
//!
//! Afterwards it is started again, with the state that was saved after the last lesson, under the rules of the breaker.
//!
//! A program becomes a matcher's process by calling [`serve_child`], see [`crate::ProcessOptions`].

mod child;
mod columns;
mod files;
mod parent;
mod process;
mod restrict;
mod wire;

pub use child::serve_child;
pub(crate) use parent::source;
