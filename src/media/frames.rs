//! The frames of a call from disk: a folder of images, or one image.

use std::path::{Path, PathBuf};

use heartline_models::RgbImage;

use super::{MediaError, MediaLimits, decode_image, file};

/// The endings of names that are taken for frames; other files in the folder are left alone.
const ENDINGS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// One picture of a call.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The moment of the picture, in milliseconds of the call.
    pub timestamp_ms: u64,
    /// The picture.
    pub image: RgbImage,
}

/// Reads the frames of a call, in order of time.
///
/// A folder's images are taken in the order of their names. A name that ends in a number and `ms`, such as
/// `0500ms.jpg` or `left-0500ms.png`, says its moment; where no name does, frames follow each other in the configured
/// interval. A path to one image gives one frame.
///
/// # Errors
/// [`MediaError::Empty`] where the folder holds no image, [`MediaError::FrameName`] where only some names say a
/// moment, [`MediaError::Frame`] with the path of a frame that is not usable, [`MediaError::Unreadable`] and the
/// limits.
pub fn read_frames(path: &Path, limits: &MediaLimits) -> Result<Vec<Frame>, MediaError> {
    let unreadable = |source| MediaError::Unreadable { path: path.to_owned(), source };
    let is_folder = std::fs::metadata(path).map_err(unreadable)?.is_dir();
    let paths = if is_folder { list(path, limits)? } else { vec![path.to_owned()] };
    let timestamps = timestamps(&paths, limits.frame_interval_ms)?;
    let mut frames = Vec::with_capacity(paths.len());
    let mut pixels = 0;
    for (path, timestamp_ms) in paths.iter().zip(timestamps) {
        let image = read_frame(path, limits)?;
        pixels += (image.width * image.height) as u64;
        if pixels > limits.max_frames_pixels {
            return Err(MediaError::TooManyPixels { limit: limits.max_frames_pixels, found: pixels });
        }
        frames.push(Frame { timestamp_ms, image });
    }
    frames.sort_by_key(|frame| frame.timestamp_ms);
    Ok(frames)
}

fn list(folder: &Path, limits: &MediaLimits) -> Result<Vec<PathBuf>, MediaError> {
    let unreadable = |source| MediaError::Unreadable { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if !is_image(&path) {
            continue;
        }
        paths.push(path);
        if paths.len() > limits.max_frames {
            return Err(MediaError::TooManyFrames { limit: limits.max_frames, found: paths.len() });
        }
    }
    if paths.is_empty() {
        return Err(MediaError::Empty { what: "folder of frames" });
    }
    paths.sort();
    Ok(paths)
}

/// Whether a path's name is one of a picture; hidden files are none.
#[must_use]
pub fn is_image(path: &Path) -> bool {
    let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    !is_hidden && ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

fn timestamps(paths: &[PathBuf], interval_ms: u64) -> Result<Vec<u64>, MediaError> {
    let named: Vec<Option<u64>> = paths.iter().map(|path| frame_time_ms(path)).collect();
    if named.iter().all(Option::is_none) {
        return Ok((0..paths.len() as u64).map(|index| index.saturating_mul(interval_ms)).collect());
    }
    let pairs = paths.iter().zip(named);
    pairs
        .map(|(path, moment)| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            moment.ok_or(MediaError::FrameName { name })
        })
        .collect()
}

/// The moment that a file's name says, in milliseconds; none where it says none.
#[must_use]
pub fn frame_time_ms(path: &Path) -> Option<u64> {
    let stem = path.file_stem()?.to_str()?.strip_suffix("ms")?;
    let digits = stem.len() - stem.bytes().rev().take_while(u8::is_ascii_digit).count();
    stem[digits..].parse().ok()
}

/// Reads and decodes one image.
///
/// # Errors
/// [`MediaError::Unreadable`], or as [`decode_image`].
pub fn read_image(path: &Path, limits: &MediaLimits) -> Result<RgbImage, MediaError> {
    decode_image(&file::read(path, limits.max_image_bytes)?, limits)
}

fn read_frame(path: &Path, limits: &MediaLimits) -> Result<RgbImage, MediaError> {
    read_image(path, limits)
        .map_err(|source| MediaError::Frame { path: path.to_owned(), source: Box::new(source) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (index, name) in names.iter().enumerate() {
            let picture = image::RgbImage::from_pixel(8 + index as u32, 8, image::Rgb([1, 2, 3]));
            picture.save_with_format(folder.path().join(name), image::ImageFormat::Png).unwrap();
        }
        folder
    }

    fn times_and_widths(folder: &tempfile::TempDir) -> Vec<(u64, usize)> {
        let frames = read_frames(folder.path(), &MediaLimits::default()).unwrap();
        frames.iter().map(|frame| (frame.timestamp_ms, frame.image.width)).collect()
    }

    #[test]
    fn names_say_the_time() {
        let folder = folder(&["1000ms.png", "left-500ms.PNG", "20ms.jpg"]);
        std::fs::write(folder.path().join("notes.txt"), "not a frame").unwrap();
        std::fs::write(folder.path().join(".hidden.png"), "not a frame").unwrap();
        assert_eq!(times_and_widths(&folder), [(20, 10), (500, 9), (1_000, 8)]);
    }

    #[test]
    fn without_times_the_interval_counts() {
        let folder = folder(&["b.png", "a.png"]);
        assert_eq!(times_and_widths(&folder), [(0, 9), (1_000, 8)]);
    }

    #[test]
    fn one_image_is_one_frame() {
        let folder = folder(&["0700ms.png"]);
        let frames = read_frames(&folder.path().join("0700ms.png"), &MediaLimits::default()).unwrap();
        assert_eq!((frames.len(), frames[0].timestamp_ms), (1, 700));
    }

    #[test]
    fn faults_are_named() {
        let limits = MediaLimits { max_frames: 2, max_frames_pixels: 100, ..MediaLimits::default() };
        let code = |folder: &tempfile::TempDir| read_frames(folder.path(), &limits).unwrap_err().code();
        assert_eq!(code(&folder(&[])), "media_empty");
        assert_eq!(code(&folder(&["0ms.png", "other.png"])), "frames_name");
        assert_eq!(code(&folder(&["a.png", "b.png", "c.png"])), "frames_too_many");
        assert_eq!(code(&folder(&["a.png", "b.png"])), "image_too_many_pixels");
        let broken = folder(&["a.png"]);
        std::fs::write(broken.path().join("a.png"), "no image").unwrap();
        let error = read_frames(broken.path(), &limits).unwrap_err();
        assert_eq!(error.code(), "media_unknown_format");
        assert!(error.to_string().contains("a.png"), "{error}");
        assert_eq!(read_frames(Path::new("nowhere"), &limits).unwrap_err().code(), "media_unreadable");
    }
}
