//! `heartline analyze`: one call from files.

use std::io::Write;
use std::path::Path;

use super::arguments::AnalyzeArguments;
use super::{CliError, report, serve};
use crate::app::{AgentList, App, CallMaterial, CallOptions, Frames};
use crate::config::Config;
use crate::media::{MediaError, read_transcript};
use crate::routing::SkillNeed;

/// The level of a skill that is asked for without one.
const DEFAULT_LEVEL: f32 = 3.0;

/// Analyses and prints.
pub(super) fn run(
    config: Config,
    arguments: AnalyzeArguments,
    output: &mut dyn Write,
) -> Result<(), CliError> {
    if arguments.audio.is_none() && arguments.video.is_none() && arguments.text.is_none() {
        let message = "there is nothing to analyse; give --audio, --video or --text";
        return Err(CliError::Usage(message.to_owned()));
    }
    let needed_skills = match arguments.skill.as_slice() {
        [] => None,
        skills => Some(skills.iter().map(|text| skill_need(text)).collect::<Result<_, _>>()?),
    };
    let options = CallOptions {
        language: arguments.language,
        needed_skills,
        waiting_ms: arguments.waiting_ms,
        audio_role: arguments.audio_role.into(),
        video_role: arguments.video_role.into(),
        ..CallOptions::default()
    };
    let files = Files {
        audio: arguments.audio.as_deref(),
        video: arguments.video.as_deref(),
        text: arguments.text.as_deref(),
        agents: arguments.agents.as_deref(),
    };
    let material = files.read(&config, options)?;
    analyze(config, material, arguments.output.json, output)
}

/// The files of a call.
pub(super) struct Files<'a> {
    /// The audio file.
    pub(super) audio: Option<&'a Path>,
    /// The picture, or the folder of pictures.
    pub(super) video: Option<&'a Path>,
    /// The transcript.
    pub(super) text: Option<&'a Path>,
    /// The agents.
    pub(super) agents: Option<&'a Path>,
}

impl Files<'_> {
    /// Reads them, so that a wrong name shows before the models are loaded.
    pub(super) fn read(&self, config: &Config, options: CallOptions) -> Result<CallMaterial, CliError> {
        let limits = &config.media;
        let transcript = match self.text {
            None => None,
            Some(path) => match read_transcript(path, limits) {
                Err(MediaError::Empty { .. }) => Some(Vec::new()),
                result => {
                    Some(result.map_err(|source| CliError::Material { path: path.to_path_buf(), source })?)
                }
            },
        };
        if let Some(path) = self.video
            && let Err(source) = std::fs::metadata(path)
        {
            return Err(CliError::Unreadable { path: path.to_path_buf(), source });
        }
        Ok(CallMaterial {
            audio: self.audio.map(|path| read(path, limits.max_audio_bytes)).transpose()?,
            frames: self.video.map_or(Frames::None, |path| Frames::Path(path.to_path_buf())),
            transcript,
            agents: self
                .agents
                .map(|path| read(path, config.server.max_body_bytes))
                .transpose()?
                .map(AgentList::Json),
            options,
        })
    }
}

/// Builds the app, analyses the material and prints the answer.
pub(super) fn analyze(
    config: Config,
    material: CallMaterial,
    as_json: bool,
    output: &mut dyn Write,
) -> Result<(), CliError> {
    let runtime = serve::runtime()?;
    let app = App::build(config)?;
    let analysis = runtime.block_on(async {
        let analysis = app.analyze_call(material).await;
        app.stop().await;
        analysis
    });
    let analysis = analysis?;
    if as_json {
        writeln!(output, "{}", serde_json::to_string_pretty(&analysis)?)?;
    } else {
        report::write(&analysis, output)?;
    }
    Ok(())
}

/// Reads a file of at most one byte more than the limit, so that what comes after can refuse it by size.
fn read(path: &Path, limit: usize) -> Result<Vec<u8>, CliError> {
    use std::io::Read;
    let unreadable = |source| CliError::Unreadable { path: path.to_path_buf(), source };
    // Asked before opening, because opening a pipe without a writer waits for one.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(unreadable(std::io::Error::other("it is not a regular file")));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

fn skill_need(text: &str) -> Result<SkillNeed, CliError> {
    let (name, level) = match text.split_once('=') {
        None => (text, DEFAULT_LEVEL),
        Some((name, level)) => {
            let parsed = level.trim().parse().ok().filter(|level| (1.0..=5.0).contains(level));
            let level = parsed.ok_or_else(|| {
                CliError::Usage(format!("--skill {text}: \"{level}\" is not a level within 1 to 5"))
            })?;
            (name, level)
        }
    };
    Ok(SkillNeed { name: name.trim().to_owned(), level, must_have: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skills_may_have_levels() {
        assert_eq!(skill_need("refund").unwrap().level, DEFAULT_LEVEL);
        let need = skill_need("refund=4.5").unwrap();
        assert_eq!((need.name.as_str(), need.level), ("refund", 4.5));
        for text in ["refund=6", "refund=", "refund=high", "refund=NaN"] {
            assert!(matches!(skill_need(text), Err(CliError::Usage(_))), "{text}");
        }
    }

    #[test]
    fn folders_and_missing_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(read(folder.path(), 9), Err(CliError::Unreadable { .. })));
        assert!(matches!(read(&folder.path().join("a"), 9), Err(CliError::Unreadable { .. })));
    }
}
