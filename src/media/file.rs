//! Reads files up to a limit, whatever their metadata says.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::MediaError;

/// Checks encoded input against its limit.
pub(super) fn check_bytes(bytes: &[u8], limit: usize) -> Result<(), MediaError> {
    if bytes.len() > limit {
        return Err(MediaError::TooManyBytes { limit, found: bytes.len() });
    }
    Ok(())
}

/// Reads a regular file. Devices and pipes are refused: they may never end, and may block.
pub(super) fn read(path: &Path, limit: usize) -> Result<Vec<u8>, MediaError> {
    let unreadable = |source| MediaError::Unreadable { path: path.to_owned(), source };
    // Asked before opening, because opening a pipe without a writer waits for one.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(unreadable(std::io::Error::other("it is not a regular file")));
    }
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    check_bytes(&bytes, limit)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_inclusive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        std::fs::write(&path, [7; 10]).unwrap();
        assert_eq!(read(&path, 10).unwrap(), [7; 10]);
        assert_eq!(read(&path, 9).unwrap_err().code(), "media_too_many_bytes");
        assert_eq!(read(folder.path(), 9).unwrap_err().code(), "media_unreadable");
    }
}
