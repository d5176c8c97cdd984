//! A matcher's library: found, opened and checked, not yet run. Libraries are never unmapped.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{ABI_MAJOR, ABI_MINOR, Entry, Text};

use crate::mapping::Slot;
use crate::schema::parse_config;
use crate::services::Services;
use crate::staging::Staged;
use crate::{ConfigSchema, Descriptor, Extensions, HostError, HostLimits, Instance};

/// The functions of a matcher, none of them missing.
#[derive(Clone, Copy)]
pub(crate) struct Functions {
    pub(crate) init: abi::InitFn,
    pub(crate) create: abi::CreateFn,
    pub(crate) score: abi::ScoreFn,
    pub(crate) destroy: abi::DestroyFn,
    pub(crate) describe_reason: abi::DescribeReasonFn,
    pub(crate) config_schema: abi::ConfigSchemaFn,
    get_extension: Option<abi::ExtensionFn>,
    // The extensions are asked for once the library is initialised.
    pub(crate) explain: Option<abi::ExplainFn>,
    pub(crate) learn: Option<abi::LearnFn>,
    pub(crate) state: Option<(abi::SaveFn, abi::LoadFn)>,
}

impl Functions {
    /// Asks an initialised library for its extensions; one that is incomplete is none.
    fn with_extensions(self) -> Self {
        let Some(get) = self.get_extension else { return self };
        // SAFETY: the library is initialised, and the function may be called on any thread.
        let ask = |id: &str| unsafe { get(Text::from_borrowed(id)) };
        // SAFETY: the header makes a matcher promise that each id gives the structure of that id, for ever.
        unsafe {
            Self {
                explain: extension::<abi::Explain>(ask(abi::EXPLAIN)).and_then(|table| table.explain),
                learn: extension::<abi::Learn>(ask(abi::LEARN)).and_then(|table| table.learn),
                state: extension::<abi::State>(ask(abi::STATE))
                    .and_then(|table| Some((table.save?, table.load?))),
                ..self
            }
        }
    }
}

/// Reads the structure of an extension, unless it is null, misaligned or shorter than this version.
///
/// # Safety
/// A non-null pointer must lead to a `T` as long as its first field, the size, says.
unsafe fn extension<T: Copy>(pointer: *const std::ffi::c_void) -> Option<T> {
    let pointer = pointer.cast::<T>();
    if pointer.is_null() || !pointer.is_aligned() {
        return None;
    }
    // SAFETY: the pointer is aligned, and the caller promises that the size is there.
    let size = unsafe { pointer.cast::<u32>().read() };
    // SAFETY: the structure is there in full.
    (size as usize >= size_of::<T>()).then(|| unsafe { pointer.read() })
}

/// A matcher's library that was opened and checked.
pub struct Library {
    path: PathBuf,
    fingerprint: String,
    slot: &'static Slot,
    descriptor: Descriptor,
    entry: Entry,
    functions: Functions,
    limits: HostLimits,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Library")
            .field("path", &self.path)
            .field("descriptor", &self.descriptor)
            .finish_non_exhaustive()
    }
}

impl Library {
    /// Opens and checks the copy of a library that was found.
    pub(crate) fn open(staged: &Staged, limits: HostLimits) -> Result<Self, HostError> {
        let path = staged.source();
        let slot = Slot::of(staged.fingerprint());
        let pointer = slot.entry(staged)?;
        // SAFETY: the pointer is the address of the entry symbol in a library that stays mapped.
        let entry = unsafe { read_entry(path, pointer) }?;
        let functions = functions(path, &entry)?;
        // SAFETY: the header makes a matcher promise that its texts are as long as they say and live as long as the
        // library, which is never unmapped.
        let descriptor = unsafe { Descriptor::read(path, &entry, &limits) }?;
        let fingerprint = staged.fingerprint().to_owned();
        Ok(Self { path: path.to_owned(), fingerprint, slot, descriptor, entry, functions, limits })
    }

    /// The matcher's entry, for who calls it without the guard of an [`Instance`].
    pub(crate) const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Where the library is, with all links followed.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The SHA-256 of the library, in hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// What the matcher says of itself.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Initialises the library, if this was not done before, and gives the schema of its configuration.
    ///
    /// # Errors
    /// [`HostError::Init`] or [`HostError::InvalidSchema`].
    pub fn config_schema(&self) -> Result<ConfigSchema, HostError> {
        self.initialise()?;
        // SAFETY: the library is initialised, and the function may be called on any thread.
        let text = unsafe { (self.functions.config_schema)() };
        // SAFETY: the header makes a matcher promise that the text is as long as it says and lives as long as the
        // library, which is never unmapped.
        let schema = unsafe { ConfigSchema::read(text, self.limits.max_schema_bytes) };
        schema.map_err(|reason| HostError::InvalidSchema { id: self.descriptor.id.clone(), reason })
    }

    /// Initialises the library, if this was not done before, and asks for its extensions.
    ///
    /// # Errors
    /// [`HostError::Init`]
    pub fn extensions(&self) -> Result<Extensions, HostError> {
        self.initialise()?;
        let Functions { explain, learn, state, .. } = self.functions.with_extensions();
        Ok(Extensions { explain: explain.is_some(), learn: learn.is_some(), state: state.is_some() })
    }

    /// Initialises the library, if this was not done before, holds the configuration to its schema, and makes an
    /// instance.
    ///
    /// An empty `config_json` stands for `{}`.
    ///
    /// # Errors
    /// [`HostError::Init`], [`HostError::InvalidSchema`], [`HostError::ConfigTooLarge`], [`HostError::ConfigNotJson`],
    /// [`HostError::ConfigInvalid`], [`HostError::ConfigRefused`], [`HostError::Create`] or [`HostError::Panicked`].
    pub fn create(&self, config_json: &str) -> Result<Instance, HostError> {
        let id = &self.descriptor.id;
        let services = self.initialise()?;
        let config = parse_config(id, config_json, self.limits.max_config_bytes)?;
        let checked = self.config_schema()?.check(&config);
        checked.map_err(|reason| HostError::ConfigInvalid { id: id.clone(), reason })?;
        let functions = self.functions.with_extensions();
        Instance::create(functions, self.descriptor.clone(), services, (self.limits, &config.to_string()))
    }

    fn initialise(&self) -> Result<Arc<Services>, HostError> {
        self.slot.initialise(&self.descriptor.id, self.functions.init, self.limits)
    }
}

/// Copies the entry out of the library, after checking that this host may read it.
///
/// # Safety
/// `pointer` must be the address of the entry symbol of a mapped library.
unsafe fn read_entry(path: &Path, pointer: *const Entry) -> Result<Entry, HostError> {
    let invalid = |reason: String| HostError::InvalidEntry { path: path.to_owned(), reason };
    if pointer.is_null() || !pointer.is_aligned() {
        return Err(invalid("it is null or not aligned".to_owned()));
    }
    // The first three fields are the same in all versions, so they can be read before the version is known.
    // SAFETY: the pointer is aligned and leads to the exported structure, whose beginning never changes.
    let (size, major, minor) = unsafe { ((*pointer).size, (*pointer).abi_major, (*pointer).abi_minor) };
    if major != ABI_MAJOR || minor > ABI_MINOR {
        return Err(HostError::IncompatibleAbi { path: path.to_owned(), major, minor });
    }
    // There is no minor version yet whose entry is longer than that of 1.0.
    if size as usize != size_of::<Entry>() {
        let reason = format!("its size is {size} bytes, version 1.0 has {}", size_of::<Entry>());
        return Err(invalid(reason));
    }
    // SAFETY: version and size say that all fields of this version are there; null functions are `None`.
    Ok(unsafe { *pointer })
}

fn functions(path: &Path, entry: &Entry) -> Result<Functions, HostError> {
    let missing = |function| HostError::MissingFunction { path: path.to_owned(), function };
    Ok(Functions {
        init: entry.init.ok_or_else(|| missing("init"))?,
        create: entry.create.ok_or_else(|| missing("create"))?,
        score: entry.score.ok_or_else(|| missing("score"))?,
        destroy: entry.destroy.ok_or_else(|| missing("destroy"))?,
        describe_reason: entry.describe_reason.ok_or_else(|| missing("describe_reason"))?,
        config_schema: entry.config_schema.ok_or_else(|| missing("config_schema"))?,
        get_extension: entry.get_extension,
        explain: None,
        learn: None,
        state: None,
    })
}
