//! Platforms on which a matcher cannot have a process of its own.

use crate::backend::Source;
use crate::staging::Staged;
use crate::{Host, HostError, ProcessOptions};

pub(crate) fn source(
    _host: &Host,
    _staged: Staged,
    _config_json: &str,
    _options: &ProcessOptions,
) -> Result<Box<dyn Source>, HostError> {
    let reason = "this platform is not served".to_owned();
    Err(HostError::Process { reason, source: std::io::ErrorKind::Unsupported.into() })
}
