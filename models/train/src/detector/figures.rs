//! Counts what the detector finds in photographs with known boxes.

use std::collections::BTreeMap;
use std::path::Path;

use heartline_models::RgbImage;
use heartline_models::detector::{FaceBox, FaceDetector};

use crate::error::TrainError;

/// A found box counts for a known one from this overlap on.
const LEAST_OVERLAP: f32 = 0.3;
/// Faces of at least this many pixels are counted apart, in photographs as they are.
const LARGE: f32 = 40.0;
const COLUMNS: usize = 7;

/// A known box; one that is not a face to be found, but no false positive either, is ignored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// Where it is; its landmarks are not known.
    pub(crate) face: FaceBox,
    /// Whether it may be found or not.
    pub(crate) ignored: bool,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Counts {
    known: usize,
    found: usize,
    known_large: usize,
    found_large: usize,
    false_positives: usize,
}

/// The figures as Markdown.
pub(super) fn report(detector: &FaceDetector, folder: &Path) -> Result<String, TrainError> {
    let photographs = read_boxes(&folder.join("boxes.tsv"), folder)?;
    let mut text = String::from("| photograph | faces | found | false positives |\n|---|---|---|---|\n");
    let mut total = Counts::default();
    let begun = std::time::Instant::now();
    for (name, known) in &photographs {
        let image = read_image(&folder.join(name))?;
        let found = detector.detect(std::slice::from_ref(&image))?;
        let counts = count(known, found.first().map_or(&[], Vec::as_slice));
        text.push_str(&format!(
            "| {name} | {} | {} | {} |\n",
            counts.known, counts.found, counts.false_positives
        ));
        total.known += counts.known;
        total.found += counts.found;
        total.known_large += counts.known_large;
        total.found_large += counts.found_large;
        total.false_positives += counts.false_positives;
    }
    let Counts { known, found, known_large, found_large, false_positives } = total;
    text.push_str(&format!(
        "\nRecall {found}/{known}; of faces of at least {LARGE} pixels {found_large}/{known_large}; \
         {false_positives} false positives in {} photographs; {:.0} ms a photograph, decoding included.\n",
        photographs.len(),
        begun.elapsed().as_secs_f64() * 1000.0 / photographs.len().max(1) as f64
    ));
    Ok(text)
}

fn count(known: &[Known], found: &[FaceBox]) -> Counts {
    let mut counts = Counts::default();
    for known in known.iter().filter(|known| !known.ignored) {
        let hit = usize::from(found.iter().any(|face| face.overlap(&known.face) >= LEAST_OVERLAP));
        counts.known += 1;
        counts.found += hit;
        if known.face.width.min(known.face.height) >= LARGE {
            counts.known_large += 1;
            counts.found_large += hit;
        }
    }
    let wrong = |face: &&FaceBox| known.iter().all(|known| face.overlap(&known.face) < LEAST_OVERLAP);
    counts.false_positives = found.iter().filter(wrong).count();
    counts
}

/// The known boxes of every photograph; photographs without a face have none.
pub(crate) fn read_boxes(path: &Path, folder: &Path) -> Result<BTreeMap<String, Vec<Known>>, TrainError> {
    let mut photographs = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(TrainError::file(folder))? {
        let name = entry.map_err(TrainError::file(folder))?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".jpg") {
            photographs.insert(name, Vec::new());
        }
    }
    let text = std::fs::read_to_string(path).map_err(TrainError::file(path))?;
    for (line, row) in text.lines().enumerate().skip(1) {
        let known = parse_row(row)
            .map_err(|reason| TrainError::data(path, format!("line {}: {reason}", line + 1)))?;
        if let Some(boxes) = photographs.get_mut(&known.0) {
            boxes.push(known.1);
        }
    }
    Ok(photographs)
}

fn parse_row(row: &str) -> Result<(String, Known), String> {
    let cells: Vec<&str> = row.split('\t').collect();
    if cells.len() != COLUMNS {
        return Err(format!("{} columns instead of {COLUMNS}", cells.len()));
    }
    let number = |index: usize| cells[index].parse::<f32>().map_err(|error| error.to_string());
    let (left, top, right, bottom) = (number(1)?, number(2)?, number(3)?, number(4)?);
    let face = FaceBox {
        left,
        top,
        width: right - left,
        height: bottom - top,
        score: number(5)?,
        landmarks: [(0.0, 0.0); 5],
    };
    Ok((cells[0].to_owned(), Known { face, ignored: cells[6] != "face" }))
}

/// Decodes a photograph.
pub(crate) fn read_image(path: &Path) -> Result<RgbImage, TrainError> {
    let image = image::open(path).map_err(|error| TrainError::data(path, error))?.into_rgb8();
    let (width, height) = (image.width() as usize, image.height() as usize);
    Ok(RgbImage::new(width, height, image.into_raw())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_misses_and_false_positives_are_told_apart() {
        let known = |row: &str| parse_row(row).unwrap().1;
        let boxes = [
            known("a.jpg\t0\t0\t50\t50\t0.9\tface"),
            known("a.jpg\t100\t0\t120\t20\t0.9\tface"),
            known("a.jpg\t200\t0\t220\t20\t0.5\tignore"),
        ];
        let found = [boxes[0].face, boxes[2].face, known("a.jpg\t300\t0\t320\t20\t0.9\tface").face];
        let counts = count(&boxes, &found);
        let expected = Counts { known: 2, found: 1, known_large: 1, found_large: 1, false_positives: 1 };
        assert_eq!(counts, expected);
    }

    #[test]
    fn faulty_rows_are_named() {
        assert!(parse_row("a.jpg\t1").unwrap_err().contains("2 columns"));
        assert!(parse_row("a.jpg\tx\t0\t0\t0\t0\tface").is_err());
    }
}
