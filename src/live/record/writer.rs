//! The thread that writes recordings.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use tokio::sync::oneshot;

use super::super::{Event, Fact, SessionOptions};
use super::file::{Cut, End, Header, Line, SUFFIX, Took};
use super::outline::{Fingerprint, outline};

/// Bytes that the compressor may hold back before it is asked for them, so that the size is known.
const HELD_BYTES: u64 = 64 << 10;
/// Bytes that are kept for the last line.
const LAST_LINE_BYTES: u64 = 1 << 10;

/// What the writer is told.
pub(super) enum Order {
    Begin { id: Arc<str>, header: Box<Header> },
    Options { id: Arc<str>, options: Box<SessionOptions> },
    Took { id: Arc<str>, fact: Box<Fact>, events: Vec<Event> },
    End { id: Arc<str>, is_cut: bool },
    Settle { done: oneshot::Sender<()> },
}

/// Writes all recordings of a server.
pub(super) struct Writer {
    folder: PathBuf,
    max_bytes: u64,
    waiting: Arc<AtomicUsize>,
    open: HashMap<Arc<str>, Tape>,
    settling: Vec<oneshot::Sender<()>>,
}

impl Writer {
    pub(super) fn new(folder: PathBuf, max_bytes: u64, waiting: Arc<AtomicUsize>) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        // A folder that is there need not be ours to write to.
        let trial = folder.join(format!(".trial.{SUFFIX}"));
        File::create(&trial)?;
        std::fs::remove_file(trial)?;
        Ok(Self { folder, max_bytes, waiting, open: HashMap::new(), settling: Vec::new() })
    }

    /// Follows orders until nobody gives any.
    pub(super) fn run(mut self, orders: &mpsc::Receiver<Order>) {
        while let Ok(order) = orders.recv() {
            if matches!(order, Order::Options { .. } | Order::Took { .. }) {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
            }
            self.follow(order);
            if self.open.is_empty() {
                for done in self.settling.drain(..) {
                    let _ = done.send(());
                }
            }
        }
    }

    fn follow(&mut self, order: Order) {
        match order {
            Order::Begin { id, header } => match Tape::begin(&self.folder, &id, &header, self.max_bytes) {
                Ok(tape) => {
                    self.open.insert(id, tape);
                }
                Err(error) => tracing::error!(%error, session = &*id, "a recording cannot be written"),
            },
            Order::Options { id, options } => self.write(&id, |tape| tape.options(options)),
            Order::Took { id, fact, events } => self.write(&id, |tape| tape.took(fact, &events)),
            Order::End { id, is_cut } => {
                if let Some(tape) = self.open.remove(&id)
                    && let Err(error) = tape.end(is_cut)
                {
                    tracing::error!(%error, session = &*id, "a recording cannot be written");
                }
            }
            Order::Settle { done } => self.settling.push(done),
        }
    }

    fn write(&mut self, id: &Arc<str>, write: impl FnOnce(&mut Tape) -> io::Result<()>) {
        if let Some(tape) = self.open.get_mut(id)
            && let Err(error) = write(tape)
        {
            tracing::error!(%error, session = &**id, "a recording cannot be written and is left out");
            self.open.remove(id);
        }
    }
}

/// One recording under way. Until it is whole it has another name; one that never gets whole is removed.
struct Tape {
    lines: GzEncoder<Counted>,
    temporary: Temporary,
    path: PathBuf,
    max_bytes: u64,
    /// Bytes that were given to the compressor since it was last asked for them.
    held_bytes: u64,
    fingerprint: Fingerprint,
    facts: u64,
    cut: Option<Cut>,
}

/// A file that is removed unless it is kept.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}

struct Counted {
    file: BufWriter<File>,
    bytes: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Tape {
    fn begin(folder: &Path, id: &str, header: &Header, max_bytes: u64) -> io::Result<Self> {
        let path = folder.join(format!("{id}.{SUFFIX}"));
        let temporary = Temporary(folder.join(format!(".{id}.partial")));
        let file = BufWriter::new(File::create(&temporary.0)?);
        let mut tape = Self {
            lines: GzEncoder::new(Counted { file, bytes: 0 }, Compression::fast()),
            temporary,
            path,
            max_bytes,
            held_bytes: 0,
            fingerprint: Fingerprint::new(header.records_words),
            facts: 0,
            cut: None,
        };
        tape.put(header)?;
        Ok(tape)
    }

    fn options(&mut self, options: Box<SessionOptions>) -> io::Result<()> {
        self.put(&Line::Options(options)).map(|_| ())
    }

    fn took(&mut self, fact: Box<Fact>, events: &[Event]) -> io::Result<()> {
        let mut fingerprint = self.fingerprint.clone();
        events.iter().for_each(|event| fingerprint.add(event));
        let short = (!events.is_empty()).then(|| fingerprint.short());
        let is_in = self.put(&Line::Took(Took { fact, said: outline(events), fingerprint: short }))?;
        if is_in {
            self.facts += 1;
            self.fingerprint = fingerprint;
        }
        Ok(())
    }

    /// Writes a line where there is room; true where there was.
    fn put(&mut self, line: &impl Serialize) -> io::Result<bool> {
        if self.cut.is_some() {
            return Ok(false);
        }
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        let length = bytes.len() as u64;
        let would_be = |tape: &Self| tape.lines.get_ref().bytes + tape.held_bytes + length + LAST_LINE_BYTES;
        if self.held_bytes + length > HELD_BYTES || would_be(self) > self.max_bytes {
            self.lines.flush()?;
            self.held_bytes = 0;
        }
        if would_be(self) > self.max_bytes {
            self.cut = Some(Cut::Size);
            return Ok(false);
        }
        self.lines.write_all(&bytes)?;
        self.held_bytes += length;
        Ok(true)
    }

    fn end(mut self, is_cut: bool) -> io::Result<()> {
        let end = End {
            facts: self.facts,
            events: self.fingerprint.events,
            sha256: self.fingerprint.whole(),
            cut: self.cut.or(is_cut.then_some(Cut::Behind)),
        };
        serde_json::to_writer(&mut self.lines, &Line::End(end))?;
        self.lines.write_all(b"\n")?;
        let Self { lines, mut temporary, path, .. } = self;
        let file = lines.finish()?.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        std::fs::rename(&temporary.0, path)?;
        temporary.0 = PathBuf::new();
        Ok(())
    }
}
