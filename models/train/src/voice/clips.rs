//! A data set of emotional speech: its table, its labels and its audio.

use std::fs::File;
use std::path::{Path, PathBuf};

use heartline_models::Category;
use heartline_models::voice::SAMPLE_RATE_HZ;
use serde::Deserialize;
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

use crate::error::TrainError;

/// The longest window a clip is cut into, in samples: 5 s, as in service.
const WINDOW: usize = 5 * SAMPLE_RATE_HZ as usize;

/// A row of the table `manifest.tsv`.
#[derive(Debug, Deserialize)]
struct Row {
    path: String,
    set: String,
    speaker: String,
    emotion: String,
    split: String,
}

/// A labelled clip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clip {
    /// The audio file.
    pub(crate) path: PathBuf,
    /// The collection it comes from.
    pub(crate) set: String,
    /// Who speaks.
    pub(crate) speaker: String,
    /// What its speaker was asked to show.
    pub(crate) category: Category,
}

/// Reads the clips of one split; rows whose emotion is no category (boredom) are left out.
pub(crate) fn read_split(data: &Path, split: &str) -> Result<Vec<Clip>, TrainError> {
    let path = data.join("manifest.tsv");
    let file = File::open(&path).map_err(TrainError::file(&path))?;
    let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').quoting(false).from_reader(file);
    let mut clips = Vec::new();
    for row in reader.deserialize::<Row>() {
        let row = row.map_err(|error| TrainError::data(&path, error))?;
        if row.split != split || row.emotion == "bored" {
            continue;
        }
        let category = category(&row.emotion)
            .ok_or_else(|| TrainError::data(&path, format!("unknown emotion {}", row.emotion)))?;
        clips.push(Clip { path: data.join(&row.path), set: row.set, speaker: row.speaker, category });
    }
    if clips.is_empty() {
        return Err(TrainError::data(&path, format!("it has no clips in split {split}")));
    }
    Ok(clips)
}

/// The category of an emotion as the sets name it. Calm is neutral speech with a smile and has no category of its own.
fn category(emotion: &str) -> Option<Category> {
    Some(match emotion {
        "neutral" | "calm" => Category::Neutral,
        "happy" => Category::Happiness,
        "surprise" => Category::Surprise,
        "sad" => Category::Sadness,
        "angry" => Category::Anger,
        "disgust" => Category::Disgust,
        "fear" => Category::Fear,
        _ => return None,
    })
}

/// Decodes a 16 kHz mono file.
pub(crate) fn decode(path: &Path) -> Result<Vec<f32>, TrainError> {
    let failed = |error: symphonia::core::errors::Error| TrainError::data(path, error);
    let file = File::open(path).map_err(TrainError::file(path))?;
    let stream =
        MediaSourceStream::new(Box::new(file), symphonia::core::io::MediaSourceStreamOptions::default());
    let mut hint = Hint::new();
    hint.with_extension("ogg");
    let mut format = symphonia::default::get_probe()
        .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(failed)?;
    let track =
        format.default_track(TrackType::Audio).ok_or_else(|| TrainError::data(path, "no audio track"))?;
    let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
    let parameters = parameters.ok_or_else(|| TrainError::data(path, "no audio parameters"))?;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(failed)?;
    let mut samples = Vec::new();
    let mut packet_samples: Vec<f32> = Vec::new();
    while let Some(packet) = format.next_packet().map_err(failed)? {
        let audio = decoder.decode(&packet).map_err(failed)?;
        if audio.spec().rate() != SAMPLE_RATE_HZ || audio.num_planes() != 1 {
            return Err(TrainError::data(path, "it is not 16 kHz mono"));
        }
        packet_samples.clear();
        audio.copy_to_vec_interleaved(&mut packet_samples);
        samples.extend_from_slice(&packet_samples);
    }
    Ok(samples)
}

/// Cuts a clip into equal windows that are not longer than those in service; a short clip is one window.
pub(crate) fn windows(samples: &[f32]) -> Vec<&[f32]> {
    let count = samples.len().div_ceil(WINDOW).max(1);
    samples.chunks(samples.len().div_ceil(count).max(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_equal_and_not_too_long() {
        let lengths =
            |length| windows(&vec![0.0; length]).iter().map(|window| window.len()).collect::<Vec<_>>();
        assert_eq!(lengths(80_000), [80_000]);
        assert_eq!(lengths(80_001), [40_001, 40_000]);
        assert_eq!(lengths(240_000), [80_000; 3]);
        assert!(lengths(0).is_empty());
    }

    #[test]
    fn a_table_is_read_by_split_and_boredom_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let table = "path\tset\tspeaker\tgender\tlang\temotion\tintensity\ttext\tsplit\n\
            a.ogg\tx\ts\tf\ten\tcalm\t\t\"Hi\ttrain\nb.ogg\tx\ts\tf\ten\tbored\t\t\ttrain\n\
            c.ogg\tx\ts\tf\ten\tangry\t\t\tvalid\n";
        std::fs::write(folder.path().join("manifest.tsv"), table).unwrap();
        let clips = read_split(folder.path(), "train").unwrap();
        assert_eq!(clips.len(), 1);
        assert_eq!(clips[0].category, Category::Neutral);
        assert!(read_split(folder.path(), "test").is_err());
    }
}
