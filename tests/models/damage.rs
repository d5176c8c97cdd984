//! What the comparison is for: changed weights and changed preprocessing do not pass.

use std::path::Path;

use heartline_models::{Manifest, WEIGHTS_FILE};
use image::GrayImage;
use serde_json::Value;

use crate::material::{Slice, changed_texts, clips, crops, unchanged};
use crate::parts::Part;
use crate::support::{ask, ask_shipped, start, weights};

/// One byte in so many of the weights is changed.
const STRIDE: usize = 997;

/// Copies all models, and changes single bits of one's weights throughout. The checksum is put right, as somebody who
/// replaces a file by another does.
fn damaged(model: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["text", "voice", "detector", "face"] {
        let (from, to) = (weights().join(name).join("1"), folder.path().join(name).join("1"));
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    damage(&folder.path().join(model).join("1"));
    folder
}

fn damage(folder: &Path) {
    let path = folder.join(WEIGHTS_FILE);
    let mut bytes = std::fs::read(&path).unwrap();
    // A safetensors file begins with the length of its header.
    let header = usize::try_from(u64::from_le_bytes(*bytes.first_chunk().unwrap())).unwrap();
    for byte in bytes[8 + header..].iter_mut().step_by(STRIDE) {
        // Neither the sign of a float nor the top of its exponent, which would give infinities that anybody sees.
        *byte ^= 0x08;
    }
    std::fs::write(&path, bytes).unwrap();
    let manifest = std::fs::read(folder.join("model.json")).unwrap();
    let mut manifest: Manifest<Value> = serde_json::from_slice(&manifest).unwrap();
    let files: Vec<String> = manifest.files.keys().cloned().collect();
    manifest.write(folder, &files.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
}

#[tokio::test]
async fn changed_weights_do_not_pass() {
    let parts =
        [("text", Part::Text), ("voice", Part::Voice), ("detector", Part::Face), ("face", Part::Crops)];
    for (model, part) in parts {
        let folder = damaged(model);
        let (engine, config) = start(folder.path());
        let found = ask(&engine, &config, part.task(), &part.slice().input).await;
        engine.shutdown().await;
        assert!(!part.differences(&found).await.is_empty(), "{model} with changed weights passes");
    }
}

/// A single changed byte is seen before anything is computed.
#[test]
fn one_changed_byte_is_refused_by_its_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let from = weights().join("detector/1");
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let path = folder.path().join(WEIGHTS_FILE);
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = heartline_models::ModelFolder::<Value>::open(folder.path()).unwrap_err();
    assert!(matches!(error, heartline_models::ModelError::Checksum { .. }), "{error}");
}

/// How many differences the shipped models show where a part's rows are changed on the way.
async fn seen(part: Part, changed: Slice) -> usize {
    let found = ask_shipped(part.task(), &changed.input).await;
    part.differences(&found).await.len()
}

#[tokio::test]
async fn changed_preprocessing_does_not_pass() {
    let stopped = changed_texts(|text| format!("{text} ."));
    assert!(seen(Part::Text, stopped).await > 100);
    // As if the sample rate were taken for another by three in a hundred.
    assert!(seen(Part::Voice, clips(0.97)).await > 10);
    let darker = |picture: &GrayImage, x, y| unchanged(picture, x, y) / 2;
    let shifted = |picture: &GrayImage, x: u32, y| {
        unchanged(picture, (x + picture.width() / 24).min(picture.width() - 1), y)
    };
    let mirrored = |picture: &GrayImage, x: u32, y| unchanged(picture, picture.width() - 1 - x, y);
    for (what, changed) in
        [("darker", crops(darker)), ("shifted", crops(shifted)), ("mirrored", crops(mirrored))]
    {
        let seen = seen(Part::Crops, changed).await;
        assert!(seen > 10, "{what}: {seen} differences");
    }
}
