//! Reads the pictures (sheets of 1000 faces, 40 a row) and the votes beside them.

use std::path::Path;

use heartline_models::face::{CROP_SIDE, LABEL_COUNT};
use rayon::prelude::*;

use crate::error::TrainError;

const FACES_A_SHEET: usize = 1000;
const FACES_A_ROW: usize = 40;
/// The column of the first vote; eight labels, `unknown` and `not a face` follow, then the mark of duplicates.
const FIRST_VOTE: usize = 6;
const COLUMNS: usize = FIRST_VOTE + LABEL_COUNT + 3;

/// A picture with what the voters said.
#[derive(Debug, Clone)]
pub(crate) struct Face {
    /// 48 x 48 grey pixels.
    pub(crate) pixels: Vec<u8>,
    /// Votes for the eight labels.
    pub(crate) votes: [f32; LABEL_COUNT],
    /// Votes for `unknown` and `not a face`.
    pub(crate) unusable: f32,
    /// Byte-identical to an earlier training picture.
    pub(crate) duplicate: bool,
}

impl Face {
    /// What to learn: the shares of the labels. Single votes are taken for slips where others remain, as the
    /// authors of the votes do. None where most voters saw no label.
    pub(crate) fn target(&self) -> Option<[f32; LABEL_COUNT]> {
        let total: f32 = self.votes.iter().sum();
        if total <= self.unusable {
            return None;
        }
        let firm = self.votes.map(|vote| if vote > 1.0 { vote } else { 0.0 });
        let kept: f32 = firm.iter().sum();
        Some(if kept > 0.0 { firm.map(|vote| vote / kept) } else { self.votes.map(|vote| vote / total) })
    }

    /// The label with more than half of the votes, after single votes are taken off: the published protocol.
    pub(crate) fn majority(&self) -> Option<usize> {
        let firm = self.votes.map(|vote| if vote > 1.0 { vote } else { 0.0 });
        let unusable = if self.unusable > 1.0 { self.unusable } else { 0.0 };
        let total = firm.iter().sum::<f32>() + unusable;
        (0..LABEL_COUNT).find(|label| firm[*label] > total / 2.0)
    }

    /// The label with the most votes; none where two share the first place or most voters saw no label.
    pub(crate) fn plurality(&self) -> Option<usize> {
        let most = self.votes.iter().copied().fold(0.0, f32::max);
        let mut winners = (0..LABEL_COUNT).filter(|label| (self.votes[*label] - most).abs() < 0.5);
        let winner = winners.next()?;
        (winners.next().is_none() && most > self.unusable).then_some(winner)
    }
}

/// Reads a part of the data: `train` or `val`.
pub(crate) fn read(folder: &Path, part: &str) -> Result<Vec<Face>, TrainError> {
    let path = folder.join(format!("ferplus_{part}_labels.tsv"));
    let text = std::fs::read_to_string(&path).map_err(TrainError::file(&path))?;
    let mut faces = parse(&text).map_err(|reason| TrainError::data(&path, reason))?;
    let sheets = folder.join(format!("ferplus_{part}"));
    faces.par_chunks_mut(FACES_A_SHEET).enumerate().try_for_each(|(index, faces)| {
        let path = sheets.join(format!("faces_{index:02}.webp"));
        cut(&path, faces)
    })?;
    Ok(faces)
}

fn parse(text: &str) -> Result<Vec<Face>, String> {
    let mut faces = Vec::new();
    for (line, row) in text.lines().enumerate().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        if cells.len() != COLUMNS {
            return Err(format!("line {} has {} columns instead of {COLUMNS}", line + 1, cells.len()));
        }
        let number = |cell: &str| cell.parse::<f32>().map_err(|error| format!("line {}: {error}", line + 1));
        let mut votes = [0.0; LABEL_COUNT];
        for (vote, cell) in votes.iter_mut().zip(&cells[FIRST_VOTE..]) {
            *vote = number(cell)?;
        }
        let after = FIRST_VOTE + LABEL_COUNT;
        let unusable = number(cells[after])? + number(cells[after + 1])?;
        // Training rows name the first of their kind or -1; the other parts say 1 or 0.
        let mark = number(cells[after + 2])?;
        let index = number(cells[0])?;
        let training = cells[3] == "Training";
        let duplicate = if training { mark >= 0.0 && mark < index } else { mark > 0.0 };
        faces.push(Face { pixels: Vec::new(), votes, unusable, duplicate });
    }
    Ok(faces)
}

fn cut(path: &Path, faces: &mut [Face]) -> Result<(), TrainError> {
    let sheet = image::open(path).map_err(|error| TrainError::data(path, error))?.into_luma8();
    let (width, height) = (sheet.width() as usize, sheet.height() as usize);
    if width < FACES_A_ROW * CROP_SIDE || height < faces.len().div_ceil(FACES_A_ROW) * CROP_SIDE {
        return Err(TrainError::data(path, format!("{width} x {height} pixels are too few for the faces")));
    }
    let pixels = sheet.as_raw();
    for (index, face) in faces.iter_mut().enumerate() {
        let (top, left) = (index / FACES_A_ROW * CROP_SIDE, index % FACES_A_ROW * CROP_SIDE);
        face.pixels.reserve_exact(CROP_SIDE * CROP_SIDE);
        for row in top..top + CROP_SIDE {
            let start = row * width + left;
            face.pixels.extend_from_slice(&pixels[start..start + CROP_SIDE]);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(votes: [f32; LABEL_COUNT], unusable: f32) -> Face {
        Face { pixels: Vec::new(), votes, unusable, duplicate: false }
    }

    #[test]
    fn single_votes_are_slips_unless_there_is_nothing_else() {
        let mixed = face([6.0, 2.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0], 0.0);
        assert_eq!(mixed.target().unwrap(), [0.75, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!((mixed.majority(), mixed.plurality()), (Some(0), Some(0)));
        let scattered = face([1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0], 0.0);
        assert_eq!(scattered.target().unwrap()[0], 0.25);
        assert_eq!((scattered.majority(), scattered.plurality()), (None, None));
    }

    #[test]
    fn what_voters_could_not_read_is_left_out() {
        let unreadable = face([4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 6.0);
        assert!(unreadable.target().is_none() && unreadable.majority().is_none());
        assert!(unreadable.plurality().is_none());
    }

    #[test]
    fn rows_are_read_and_faults_named() {
        let head = "head\n";
        let row = |index: usize, usage: &str, mark: &str| {
            format!("{index}\t0\ta.png\t{usage}\t0\t0\t4\t0\t0\t1\t3\t2\t0\t0\t1\t2\t{mark}\n")
        };
        let faces = parse(&format!(
            "{head}{}{}{}",
            row(5, "Training", "3"),
            row(3, "Training", "-1"),
            row(0, "PublicTest", "1")
        ));
        let faces = faces.unwrap();
        assert_eq!(faces.iter().map(|face| face.duplicate).collect::<Vec<_>>(), [true, false, true]);
        assert_eq!((faces[0].votes[4], faces[0].unusable), (3.0, 3.0));
        assert!(parse("head\n1\t2\n").unwrap_err().contains("line 2"));
        assert!(parse(&format!("{head}{}", row(0, "Training", "x"))).unwrap_err().contains("line 2"));
    }
}
