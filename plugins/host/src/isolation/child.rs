//! The child's side: opens the library it is told to, and answers one question after the other.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Error, Result};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use heartline_plugin_abi as abi;
use memmap2::{Mmap, MmapMut, MmapOptions};

use super::columns::{Layout, Mapped};
use super::files::AnswerPlaces;
use super::restrict;
use super::wire::{self, Answer, Call, Fault, Hello, Note, Question, Told};
use crate::candidates::Lend;
use crate::services::{self, Services};
use crate::staging::Staged;
use crate::{HostError, HostLimits, Instance, Library, ScoreRequest};

/// Serves as a matcher's own process, on the standard input and output, until the parent ends it.
///
/// To be called at the beginning of a program that does nothing else: the process gives up most of its memory, its
/// standard streams and its life after the parent.
///
/// # Errors
/// [`HostError::Process`] where the process cannot be prepared or the parent cannot be understood.
pub fn serve_child() -> std::result::Result<(), HostError> {
    serve().map_err(|source| HostError::Process {
        reason: "the matcher's process cannot go on".to_owned(),
        source,
    })
}

fn serve() -> Result<()> {
    let (input, output) = restrict::take_streams()?;
    restrict::tie_to_parent()?;
    let output = Arc::new(Mutex::new(output));
    let lines = Arc::clone(&output);
    services::relay(Box::new(move |level, line| {
        // A line that reaches nobody is no reason to end.
        drop(tell(&lines, &Note::Line { level: level.0, line: line.to_owned() }));
    }));
    let mut input = BufReader::new(input);
    let mut child = Child::default();
    loop {
        let parcel = child.parcel();
        let question =
            wire::read::<Question>(&mut input, wire::MAX_INLINE, |length| read_parcel(parcel, length))?;
        let Some(Question { number, left_us, call }) = question else { return Ok(()) };
        let until = Instant::now() + Duration::from_micros(left_us);
        let result = child.serve(call, until).map_err(Fault::from);
        let metrics = child.services.as_ref().map(|services| services.take_changed()).unwrap_or_default();
        tell(&output, &Note::Answer(Answer { number, metrics, result }))?;
    }
}

fn tell(output: &Mutex<File>, note: &Note) -> Result<()> {
    let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
    wire::write(&mut *output, note, wire::MAX_TOLD, |_| wire::no_parcel())
}

fn read_parcel(parcel: Option<&File>, length: usize) -> Result<Vec<u8>> {
    let Some(parcel) = parcel else { return wire::no_parcel() };
    // The file says how much there can be, before room is made for it.
    if length as u64 > parcel.metadata()?.len() {
        return wire::no_parcel();
    }
    let mut bytes = vec![0; length];
    parcel.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// What there is so far.
#[derive(Default)]
struct Child {
    opened: Option<Opened>,
    instance: Option<Instance>,
    services: Option<Arc<Services>>,
}

struct Opened {
    library: Library,
    limits: HostLimits,
    shared: Shared,
}

/// The shared files.
struct Shared {
    columns: [(File, Option<Mapped>); 2],
    answers: (File, Option<MmapMut>),
    parcel: File,
}

impl Child {
    fn parcel(&self) -> Option<&File> {
        self.opened.as_ref().map(|opened| &opened.shared.parcel)
    }

    fn serve(&mut self, call: Call, until: Instant) -> std::result::Result<Told, HostError> {
        match call {
            Call::Open(hello) => self.open(&hello),
            Call::Create { config } => {
                let opened = self.opened.as_ref().ok_or_else(out_of_turn)?;
                let instance = opened.library.create(&config)?;
                self.services = Some(instance.services());
                self.instance = Some(instance);
                Ok(Told::Created)
            }
            call => {
                let opened = self.opened.as_mut().ok_or_else(out_of_turn)?;
                let instance = self.instance.as_mut().ok_or_else(out_of_turn)?;
                instance.set_end(until);
                opened.serve(instance, call)
            }
        }
    }

    fn open(&mut self, hello: &Hello) -> std::result::Result<Told, HostError> {
        let shared = Shared::open(hello).map_err(broken)?;
        restrict::limit_memory(hello.memory_bytes).map_err(broken)?;
        let staged = Staged::given(hello.source.clone(), hello.copy.clone(), hello.fingerprint.clone());
        let library = Library::open(&staged, hello.limits)?;
        let schema = library.config_schema()?.json().to_string();
        let (descriptor, extensions) = (library.descriptor().clone(), library.extensions()?);
        self.opened = Some(Opened { library, limits: hello.limits, shared });
        Ok(Told::Opened { descriptor, schema, extensions })
    }
}

impl Opened {
    fn serve(&mut self, instance: &mut Instance, call: Call) -> std::result::Result<Told, HostError> {
        match call {
            Call::Score { request, columns } => self.score(instance, &request, columns),
            Call::Explain { request, columns, row } => {
                let columns = self.shared.columns(0, columns).map_err(broken)?;
                instance.explain_row(&request, columns, row).map(Told::Explained)
            }
            Call::Learn { request, columns, outcome } => {
                let columns = self.shared.columns(1, columns).map_err(broken)?;
                instance.learn_row(&request, columns, &outcome).map(Told::Learned)
            }
            Call::Describe { code } => {
                Ok(Told::Described(instance.describe(0, code).ok().map(|text| text.to_string())))
            }
            Call::Save => match instance.save()? {
                None => Ok(Told::Saved(None)),
                Some(state) => {
                    self.shared.parcel.write_all_at(&state, 0).map_err(broken)?;
                    Ok(Told::Saved(Some(state.len())))
                }
            },
            Call::Restore { length } => {
                if length > self.limits.max_state_bytes {
                    return Err(out_of_turn());
                }
                let state = read_parcel(Some(&self.shared.parcel), length).map_err(broken)?;
                instance.load(&state).map(Told::Restored)
            }
            Call::Open(_) | Call::Create { .. } => Err(out_of_turn()),
        }
    }

    fn score(
        &mut self,
        instance: &mut Instance,
        request: &ScoreRequest,
        columns: Option<Layout>,
    ) -> std::result::Result<Told, HostError> {
        // The columns first: the answer has as many rows.
        let rows = self.shared.columns(0, columns).map_err(broken)?.len();
        let mut scores = self.shared.answer(&AnswerPlaces::new(rows)).map_err(broken)?;
        let columns = self.shared.columns(0, None).map_err(broken)?;
        let elapsed = instance.score_into(request, columns, &mut scores)?;
        let elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        Ok(Told::Scored { written: scores.count, elapsed_us })
    }
}

impl Shared {
    fn open(hello: &Hello) -> Result<Self> {
        let write = |path: &Path| OpenOptions::new().read(true).write(true).open(path);
        let [ranking, lesson] = &hello.paths.columns;
        Ok(Self {
            columns: [(File::open(ranking)?, None), (File::open(lesson)?, None)],
            answers: (write(&hello.paths.answers)?, None),
            parcel: write(&hello.paths.parcel)?,
        })
    }

    /// The columns of a call: those of the call before, unless there are new ones.
    fn columns(&mut self, place: usize, new: Option<Layout>) -> Result<&Mapped> {
        let (file, mapped) = &mut self.columns[place];
        if let Some(layout) = new {
            *mapped = None;
            let length = usize::try_from(layout.length).map_err(Error::other)?;
            // SAFETY: the parent writes the file only between calls, and never makes it shorter.
            let map: Mmap = unsafe { MmapOptions::new().len(length).map(&*file) }?;
            *mapped = Some(Mapped::new(map, layout)?);
        }
        mapped.as_ref().ok_or_else(|| Error::other("there are no columns yet"))
    }

    /// The place of an answer, in the ABI's shape; valid until the next call.
    fn answer(&mut self, places: &AnswerPlaces) -> Result<abi::Scores> {
        let (file, map) = &mut self.answers;
        if map.as_ref().is_none_or(|map| map.len() < places.length) {
            // SAFETY: the parent writes the file only between calls, and never makes it shorter.
            *map = Some(unsafe { MmapOptions::new().len(places.length).map_mut(&*file) }?);
        }
        let map = map.as_mut().ok_or_else(|| Error::other("there is no place for an answer"))?;
        let start = |index: usize| {
            // SAFETY: the map is at least as long as the places say.
            unsafe { map.as_ptr().cast_mut().add(places.starts[index]) }
        };
        Ok(abi::Scores {
            size: abi::size_of_struct::<abi::Scores>(),
            // `score_into` finds that the number fits before it calls the matcher.
            capacity: u32::try_from(places.count).unwrap_or(0),
            count: 0,
            reserved: 0,
            scores: start(0).cast(),
            confidences: start(1).cast(),
            reason_codes: start(2).cast(),
            eligible: start(3),
        })
    }
}

fn broken(source: Error) -> HostError {
    HostError::Process { reason: "the shared memory cannot be used".to_owned(), source }
}

fn out_of_turn() -> HostError {
    HostError::Protocol { id: String::new(), reason: "the question comes out of turn".to_owned() }
}
