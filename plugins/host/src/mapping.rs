//! Libraries in this process's memory: each is mapped once, initialised once and kept for ever, whoever loads it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{ENTRY_SYMBOL, Entry};

use crate::services::Services;
use crate::staging::Staged;
use crate::{HostError, HostLimits};

/// The place of one library, found by its fingerprint. Each has locks of its own, so that a library that hangs while it
/// is mapped or initialised holds up nobody who loads another.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// The address of the entry, once the library is mapped.
    address: Mutex<Option<usize>>,
    /// What the host does for it, once it is initialised.
    services: Mutex<Option<Arc<Services>>>,
}

impl Slot {
    /// The place of a library with this fingerprint.
    pub(crate) fn of(fingerprint: &str) -> &'static Self {
        static SLOTS: Mutex<BTreeMap<String, &'static Slot>> = Mutex::new(BTreeMap::new());
        let mut slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(fingerprint.to_owned()).or_insert_with(|| Box::leak(Box::default()))
    }

    /// The library's entry; maps the library where this was not done before.
    pub(crate) fn entry(&self, staged: &Staged) -> Result<*const Entry, HostError> {
        let mut address = self.address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(address) = *address {
            return Ok(std::ptr::with_exposed_provenance(address));
        }
        let entry = map(staged.source(), staged.copy())?;
        *address = Some(entry.expose_provenance());
        Ok(entry)
    }

    /// Initialises the library where this was not done before.
    pub(crate) fn initialise(
        &self,
        id: &str,
        init: abi::InitFn,
        limits: HostLimits,
    ) -> Result<Arc<Services>, HostError> {
        // Held during the call, so that two threads cannot both find the library untouched.
        let mut known = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(services) = &*known {
            return Ok(Arc::clone(services));
        }
        let (services, table) = Services::leak(id, limits);
        // SAFETY: `init` is the matcher's own function, and the table is valid for the rest of the process.
        let status = unsafe { init(table) };
        if status != abi::Status::OK {
            return Err(HostError::Init { id: id.to_owned(), status: status.0 });
        }
        *known = Some(Arc::clone(&services));
        Ok(services)
    }
}

/// Maps the copy of a library for the rest of the process and gives the address of its entry. Errors name the library
/// itself.
fn map(path: &Path, copy: &Path) -> Result<*const Entry, HostError> {
    let open_error = |source| HostError::Open { path: path.to_owned(), source };
    // All symbols are resolved now, so that a missing one is an error here instead of a crash in some later call, and
    // the library's own symbols are offered to nobody else.
    #[cfg(unix)]
    let library = {
        use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
        // SAFETY: opening runs the library's constructors; the crate's documentation says that matchers are trusted.
        libloading::Library::from(
            unsafe { Library::open(Some(copy), RTLD_NOW | RTLD_LOCAL) }.map_err(open_error)?,
        )
    };
    #[cfg(not(unix))]
    // SAFETY: opening runs the library's constructors; the crate's documentation says that matchers are trusted.
    let library = unsafe { libloading::Library::new(copy) }.map_err(open_error)?;
    // Unmapping is never safe: threads, thread-local destructors and texts may point into the library. A file that
    // turns out to be no matcher stays mapped too, which costs address space and nothing else.
    let library = Box::leak(Box::new(library));
    // SAFETY: the symbol's address is only taken here; `Library::open` looks at what it points at.
    let symbol = unsafe { library.get::<*const Entry>(ENTRY_SYMBOL) };
    symbol.map(|symbol| *symbol).map_err(|source| HostError::MissingSymbol {
        path: path.to_owned(),
        symbol: ENTRY_SYMBOL,
        source,
    })
}
