//! The media of a synthetic call, made of the sample call: speech without end, frames, and a line of words now and then.

use std::path::Path;

use crate::load::LoadError;
use crate::media::{MediaLimits, parse_transcript, read_audio};

/// How much audio a message holds, in milliseconds, as a browser or a telephone gateway joins it.
pub(super) const PIECE_MS: u64 = 100;
/// From one line of words to the next, in milliseconds.
const LINE_MS: u64 = 5_000;

/// The media of a call.
#[derive(Debug)]
pub struct Script {
    /// Messages of audio, signed 16-bit samples at 16 kHz; after the last comes the first.
    pub(super) audio: Vec<Vec<u8>>,
    /// Image files; after the last comes the first.
    pub(super) frames: Vec<Vec<u8>>,
    /// Lines of the customer's.
    pub(super) lines: Vec<String>,
    /// From one frame to the next, in milliseconds.
    pub(super) frame_interval_ms: u64,
}

impl Script {
    /// Makes a script of a folder with `speech.flac`, `frames/` and `transcript.txt`.
    ///
    /// # Errors
    /// [`LoadError::Unreadable`], or [`LoadError::Media`] where a file cannot be used.
    pub fn of_sample(folder: &Path, frames_per_second: f64) -> Result<Self, LoadError> {
        let limits = MediaLimits::default();
        let sound = folder.join("speech.flac");
        let audio = read_audio(&sound, &limits).map_err(|source| LoadError::Media { path: sound, source })?;
        let samples_a_piece = (PIECE_MS * 16) as usize;
        let pieces = audio.samples.chunks_exact(samples_a_piece).map(|samples| {
            samples.iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()).collect()
        });
        let pictures = folder.join("frames");
        let unreadable = |source| LoadError::Unreadable { path: pictures.clone(), source };
        let mut names: Vec<_> = std::fs::read_dir(&pictures)
            .map_err(unreadable)?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| crate::media::is_image(path))
            .collect();
        names.sort();
        let frames = names.iter().map(std::fs::read).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
        let words = folder.join("transcript.txt");
        let bytes =
            std::fs::read(&words).map_err(|source| LoadError::Unreadable { path: words.clone(), source })?;
        let lines = parse_transcript(&bytes, &limits)
            .map_err(|source| LoadError::Media { path: words, source })?
            .into_iter()
            .filter(|line| line.is_customer())
            .map(|line| line.text);
        Ok(Self {
            audio: pieces.collect(),
            frames,
            lines: lines.collect(),
            frame_interval_ms: (1_000.0 / frames_per_second.max(0.01)) as u64,
        })
    }

    /// The piece of audio at a moment.
    pub(super) fn audio_at(&self, at_ms: u64) -> Option<&[u8]> {
        let index = (at_ms / PIECE_MS) as usize % self.audio.len().max(1);
        self.audio.get(index).map(Vec::as_slice)
    }

    /// The frame whose moment lies within this piece.
    pub(super) fn frame_at(&self, at_ms: u64) -> Option<&[u8]> {
        let index = turn(at_ms, self.frame_interval_ms)?;
        self.frames.get(index as usize % self.frames.len().max(1)).map(Vec::as_slice)
    }

    /// The line that ends within this piece.
    pub(super) fn line_at(&self, at_ms: u64) -> Option<&str> {
        let index = turn(at_ms, LINE_MS)?.checked_sub(1)?;
        self.lines.get(index as usize % self.lines.len().max(1)).map(String::as_str)
    }
}

/// Which turn of so many milliseconds begins within the piece at a moment, if one does.
fn turn(at_ms: u64, interval_ms: u64) -> Option<u64> {
    let interval_ms = interval_ms.max(1);
    let next = at_ms.div_ceil(interval_ms);
    (next * interval_ms < at_ms + PIECE_MS).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script() -> Script {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/call");
        Script::of_sample(&folder, 2.0).unwrap()
    }

    #[test]
    fn a_script_goes_on_for_ever_at_its_rates() {
        let script = script();
        let moments = || (0..60_000).step_by(PIECE_MS as usize);
        assert!(moments().all(|at_ms| script.audio_at(at_ms).is_some_and(|piece| piece.len() == 3_200)));
        assert_eq!(moments().filter(|at_ms| script.frame_at(*at_ms).is_some()).count(), 120);
        assert_eq!(moments().filter(|at_ms| script.line_at(*at_ms).is_some()).count(), 11);
    }

    #[test]
    fn a_folder_without_media_is_named() {
        let error = Script::of_sample(Path::new("/nowhere"), 2.0).unwrap_err().to_string();
        assert!(error.contains("nowhere"), "{error}");
    }
}
