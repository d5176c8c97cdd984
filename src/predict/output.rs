//! The file of answers: written under a temporary name, renamed when it is complete.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{Line, PredictError};

/// What the temporary name adds.
const PARTIAL_ENDING: &str = "partial";

/// An output in work. Dropped before it is finished, it leaves nothing behind.
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    partial: PathBuf,
    writer: Option<BufWriter<File>>,
}

impl Output {
    /// Checks that an output may be written, before any work is done for it.
    ///
    /// # Errors
    /// [`PredictError::OutputExists`] where it is there and may not be replaced, [`PredictError::OutputUnusable`]
    /// where it is no file or the input itself.
    pub fn check(path: &Path, input: &Path, may_replace: bool) -> Result<(), PredictError> {
        let unusable = |reason| Err(PredictError::OutputUnusable { path: path.to_owned(), reason });
        let Ok(metadata) = std::fs::symlink_metadata(path) else {
            return if path.file_name().is_none() { unusable("it names no file") } else { Ok(()) };
        };
        if let (Ok(input), Ok(output)) = (input.canonicalize(), path.canonicalize())
            && input == output
        {
            return unusable("it is the input");
        }
        if !metadata.is_file() {
            return unusable("it is there and not a regular file");
        }
        if may_replace { Ok(()) } else { Err(PredictError::OutputExists { path: path.to_owned() }) }
    }

    /// Opens the temporary file beside the output. Its name holds the process, so that two runs do not share it.
    ///
    /// # Errors
    /// [`PredictError::Output`]
    pub fn create(path: &Path) -> Result<Self, PredictError> {
        let mut name: OsString = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.{PARTIAL_ENDING}", std::process::id()));
        let partial = path.with_file_name(name);
        let file = File::create(&partial)
            .map_err(|source| PredictError::Output { path: partial.clone(), source })?;
        Ok(Self { path: path.to_owned(), partial, writer: Some(BufWriter::new(file)) })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// [`PredictError::Output`]
    pub fn write(&mut self, line: &Line) -> Result<(), PredictError> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let written = serde_json::to_writer(&mut *writer, line)
            .map_err(std::io::Error::from)
            .and_then(|()| writer.write_all(b"\n"));
        written.map_err(|source| PredictError::Output { path: self.partial.clone(), source })
    }

    /// Brings everything to the disk and gives the file its name.
    ///
    /// # Errors
    /// [`PredictError::Output`]
    pub fn finish(mut self) -> Result<(), PredictError> {
        let Some(writer) = self.writer.take() else { return Ok(()) };
        let flushed =
            writer.into_inner().map_err(std::io::IntoInnerError::into_error).and_then(|file| file.sync_all());
        let named = flushed.and_then(|()| std::fs::rename(&self.partial, &self.path));
        named.map_err(|source| {
            // What cannot be finished is of no use to anybody.
            let _ = std::fs::remove_file(&self.partial);
            PredictError::Output { path: self.path.clone(), source }
        })
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if self.writer.take().is_some() {
            // There is nobody to tell where even this fails.
            let _ = std::fs::remove_file(&self.partial);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::RowFault;
    use super::*;

    fn line() -> Line {
        Line::Fault { id: None, error: RowFault::new("empty_text", "line 2".to_owned()) }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn the_file_appears_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let mut output = Output::create(&path).unwrap();
        output.write(&line()).unwrap();
        assert!(!path.exists());
        output.finish().unwrap();
        assert_eq!(names(folder.path()), ["out.jsonl"]);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "{\"id\":null,\"error\":{\"code\":\"empty_text\",\"message\":\"line 2\"}}\n");
    }

    #[test]
    fn what_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut output = Output::create(&folder.path().join("out.jsonl")).unwrap();
        output.write(&line()).unwrap();
        drop(output);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn only_a_free_name_is_taken_unless_told_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let (path, input) = (folder.path().join("out.jsonl"), folder.path().join("in.tsv"));
        std::fs::write(&input, "").unwrap();
        assert!(Output::check(&path, &input, false).is_ok());
        std::fs::write(&path, "").unwrap();
        assert!(matches!(Output::check(&path, &input, false), Err(PredictError::OutputExists { .. })));
        assert!(Output::check(&path, &input, true).is_ok());
        for path in [folder.path(), input.as_path(), Path::new("/"), Path::new("..")] {
            let checked = Output::check(path, &input, true);
            assert!(matches!(checked, Err(PredictError::OutputUnusable { .. })), "{}", path.display());
        }
        assert!(Output::create(&folder.path().join("no/out.jsonl")).is_err());
    }
}
