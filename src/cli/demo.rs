//! `heartline demo`: the sample call that comes with the program. Its answer is computed, never stored.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::CliError;
use super::analyze::{Files, analyze};
use super::arguments::{DemoArguments, DemoLanguage};
use crate::app::{CallOptions, Consent, paths};
use crate::config::Config;

/// The name of a sample's audio, without its ending.
const AUDIO_STEM: &str = "speech";
/// The folder of a sample's pictures.
const FRAMES: &str = "frames";
/// A sample's transcript.
const TRANSCRIPT: &str = "transcript.txt";
/// The agents, beside the samples or in one.
const AGENTS: &str = "agents.json";

/// Analyses the sample and prints.
pub(super) fn run(config: Config, arguments: &DemoArguments, output: &mut dyn Write) -> Result<(), CliError> {
    let folder = sample_folder(&paths::find(&config.samples.folder), arguments.language);
    let missing = || CliError::NoSample { folder: folder.clone() };
    let audio = audio_file(&folder).ok_or_else(missing)?;
    let agents = agents_file(&folder).ok_or_else(missing)?;
    let (frames, transcript) = (folder.join(FRAMES), folder.join(TRANSCRIPT));
    let files =
        Files { audio: Some(&audio), video: Some(&frames), text: Some(&transcript), agents: Some(&agents) };
    // The people of the sample are speakers and portraits in the public domain, not customers.
    let options = CallOptions {
        consent: Consent::NoticeGiven,
        consent_reference: Some("sample material".to_owned()),
        ..CallOptions::default()
    };
    let material = files.read(&config, options)?;
    analyze(config, material, arguments.output.json, output)
}

/// The Chinese call lies beside the English one, under its name with `-zh`.
fn sample_folder(configured: &Path, language: DemoLanguage) -> PathBuf {
    match language {
        DemoLanguage::En => configured.to_path_buf(),
        DemoLanguage::Zh => {
            let mut name = configured.file_name().unwrap_or_default().to_owned();
            name.push("-zh");
            configured.with_file_name(name)
        }
    }
}

fn audio_file(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    entries.map(|entry| entry.path()).find(|path| path.file_stem().is_some_and(|stem| stem == AUDIO_STEM))
}

fn agents_file(folder: &Path) -> Option<PathBuf> {
    [Some(folder), folder.parent()]
        .into_iter()
        .flatten()
        .map(|place| place.join(AGENTS))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chinese_call_lies_beside_the_english_one() {
        let folder = Path::new("samples/call");
        assert_eq!(sample_folder(folder, DemoLanguage::En), folder);
        assert_eq!(sample_folder(folder, DemoLanguage::Zh), Path::new("samples/call-zh"));
    }

    #[test]
    fn agents_may_lie_beside_the_samples() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("call");
        std::fs::create_dir(&folder).unwrap();
        assert_eq!(agents_file(&folder), None);
        std::fs::write(root.path().join(AGENTS), "[]").unwrap();
        assert_eq!(agents_file(&folder), Some(root.path().join(AGENTS)));
        std::fs::write(folder.join("speech.flac"), "").unwrap();
        assert_eq!(audio_file(&folder), Some(folder.join("speech.flac")));
    }
}
