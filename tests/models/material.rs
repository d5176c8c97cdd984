//! The slices: where their rows come from.

use std::path::{Path, PathBuf};

use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, Luma, RgbImage};

use crate::clips::generated;
use crate::support::{file, root};

/// The sides of a square of the first English frame that holds its face, as x, y, width and height in pixels.
const FACE_SQUARE: [u32; 4] = [200, 100, 240, 240];

/// A table or folder, and whatever it refers to.
pub(crate) struct Slice {
    pub(crate) input: PathBuf,
    _folder: Option<tempfile::TempDir>,
}

/// The labelled sentences.
pub(crate) fn texts() -> Slice {
    Slice { input: file("slice/text.tsv"), _folder: None }
}

/// The sentences as a change makes them.
pub(crate) fn changed_texts(change: impl Fn(&str) -> String) -> Slice {
    let table = std::fs::read_to_string(file("slice/text.tsv")).unwrap();
    let (header, rows) = table.split_once('\n').unwrap();
    let changed = rows.lines().map(|row| {
        let (rest, text) = row.rsplit_once('\t').unwrap();
        format!("{rest}\t{}\n", change(text))
    });
    let folder = tempfile::tempdir().unwrap();
    let table = format!("{header}\n{}", changed.collect::<String>());
    slice(folder, "text.tsv", table)
}

/// The sample calls and the generated clips, whose files state their rates times `pace`.
pub(crate) fn clips(pace: f64) -> Slice {
    let folder = tempfile::tempdir().unwrap();
    let mut table = "id\tpath\n".to_owned();
    for call in ["call", "call-zh"] {
        table += &format!("{call}\t{}\n", root().join("samples").join(call).join("speech.flac").display());
    }
    for clip in generated() {
        let name = format!("{}.wav", clip.name);
        let rate_hz = (f64::from(clip.rate_hz) * pace).round() as u32;
        std::fs::write(folder.path().join(&name), clip.wav(rate_hz)).unwrap();
        table += &format!("{}\t{name}\n", clip.name);
    }
    slice(folder, "voice.tsv", table)
}

/// The frames of both sample calls, one of them smaller, turned and mirrored, and a wall.
pub(crate) fn pictures() -> Slice {
    let folder = tempfile::tempdir().unwrap();
    let mut table = "id\tpath\n".to_owned();
    for call in ["call", "call-zh"] {
        for frame in frames(call) {
            let name = frame.file_stem().unwrap().to_string_lossy().into_owned();
            table += &format!("{call}/{name}\t{}\n", frame.display());
        }
    }
    let frame = first_frame();
    let small = frame.resize(frame.width() / 3, frame.height() / 3, FilterType::Triangle);
    let made =
        [("small", small), ("mirrored", frame.fliph()), ("on-its-side", frame.rotate90()), ("wall", wall())];
    for (name, picture) in made {
        picture.save(folder.path().join(format!("{name}.png"))).unwrap();
        table += &format!("{name}\t{name}.png\n");
    }
    slice(folder, "face.tsv", table)
}

/// A face as crops of several sizes, and the frames of the samples as if they were crops, after a change of their
/// pixels.
pub(crate) fn crops(change: impl Fn(&GrayImage, u32, u32) -> u8) -> Slice {
    let folder = tempfile::tempdir().unwrap();
    let [x, y, width, height] = FACE_SQUARE;
    let face = first_frame().crop_imm(x, y, width, height);
    let mut made = Vec::new();
    for side in [48, 96, 240] {
        made.push((format!("crop-{side}"), face.resize_exact(side, side, FilterType::Triangle)));
    }
    for call in ["call", "call-zh"] {
        for (index, frame) in frames(call).iter().enumerate() {
            let whole = image::open(frame).unwrap();
            made.push((format!("crop-{call}-{index}"), whole.resize_exact(48, 48, FilterType::Triangle)));
        }
    }
    let mut table = "id\tpath\n".to_owned();
    for (name, picture) in made {
        let grey = picture.to_luma8();
        let changed = GrayImage::from_fn(grey.width(), grey.height(), |x, y| Luma([change(&grey, x, y)]));
        changed.save(folder.path().join(format!("{name}.png"))).unwrap();
        table += &format!("{name}\t{name}.png\n");
    }
    slice(folder, "crops.tsv", table)
}

/// A pixel as it is.
pub(crate) fn unchanged(picture: &GrayImage, x: u32, y: u32) -> u8 {
    picture.get_pixel(x, y).0[0]
}

fn slice(folder: tempfile::TempDir, name: &str, table: String) -> Slice {
    let input = folder.path().join(name);
    std::fs::write(&input, table).unwrap();
    Slice { input, _folder: Some(folder) }
}

fn frames(call: &str) -> Vec<PathBuf> {
    let folder = root().join("samples").join(call).join("frames");
    let mut frames: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    frames.sort();
    frames
}

fn first_frame() -> DynamicImage {
    image::open(Path::new(&frames("call")[0])).unwrap()
}

/// A soft gradient without a face.
fn wall() -> DynamicImage {
    RgbImage::from_fn(320, 240, |x, y| image::Rgb([(x / 2) as u8, (y / 2) as u8, 120])).into()
}
