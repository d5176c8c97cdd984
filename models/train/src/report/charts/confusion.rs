//! The confusion matrix: each row's shares as shades, with the shares and the counts written in the cells.

use super::super::canvas::{Align, Canvas, Colour, Style};
use super::{FAINT, INK, LABEL, SUBTITLE, WIDTH, heading, percent};
use crate::error::TrainError;
use crate::metrics::{Confusion, ratio};

const LEFT: f32 = 150.0;
const TOP: f32 = 104.0;
const RIGHT: f32 = 24.0;
const CELL_HEIGHT: f32 = 52.0;
/// From this share on a cell is so dark that its text is white.
const DARK: f64 = 0.62;
/// From this share on a cell is too dark for faint text.
const MIDDLING: f64 = 0.15;

/// The shade of no answer and of all answers of a row.
const SHADES: [[f32; 3]; 2] = [[244.0, 248.0, 252.0], [8.0, 81.0, 156.0]];

/// Draws a matrix; labels that neither occur nor are ever said are left out.
pub(in crate::report) fn draw(title: &str, confusion: &Confusion) -> Result<Canvas, TrainError> {
    let counts = confusion.counts();
    let total = |label: usize| counts[label].iter().sum::<usize>();
    let kept: Vec<usize> = (0..counts.len())
        .filter(|label| total(*label) > 0 || counts.iter().any(|row| row[*label] > 0))
        .collect();
    let height = TOP + CELL_HEIGHT * kept.len() as f32 + 22.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred pixels")]
    let mut canvas = Canvas::new(WIDTH, height as u32)?;
    heading(
        &mut canvas,
        title,
        "Rows: what is true. Columns: what the model says. Share of the row, count below it.",
    );
    let cell_width = (canvas.width() - LEFT - RIGHT) / kept.len().max(1) as f32;
    for (column, label) in kept.iter().enumerate() {
        let middle = LEFT + cell_width * (column as f32 + 0.5);
        let style = Style { align: Align::Middle, ..LABEL };
        canvas.text(&confusion.labels()[*label], (middle, TOP - 12.0), style);
    }
    for (row, truth) in kept.iter().enumerate() {
        let top = TOP + CELL_HEIGHT * row as f32;
        let style = Style { align: Align::Right, ..LABEL };
        canvas.text(&confusion.labels()[*truth], (LEFT - 12.0, top + 24.0), style);
        let style = Style { align: Align::Right, size: 12.0, ..SUBTITLE };
        canvas.text(&total(*truth).to_string(), (LEFT - 12.0, top + 41.0), style);
        for (column, said) in kept.iter().enumerate() {
            let left = LEFT + cell_width * column as f32;
            let count = counts[*truth][*said];
            let share = ratio(count, total(*truth));
            // A hair's breadth between the cells keeps them apart without lines.
            let (x, end) = (left.round() + 1.0, (left + cell_width).round() - 1.0);
            canvas.rectangle((x, top + 1.0), end - x, CELL_HEIGHT - 2.0, shade(share));
            cell_text(&mut canvas, (left + cell_width / 2.0, top), (share, count), truth == said);
        }
    }
    Ok(canvas)
}

/// The share and the count of a cell; cells without a count stay empty.
fn cell_text(canvas: &mut Canvas, (middle, top): (f32, f32), (share, count): (f64, usize), right: bool) {
    if count == 0 {
        return;
    }
    let [ink, faint] = match share {
        share if share >= DARK => [[255; 4], [225, 234, 244, 255]],
        share if share >= MIDDLING => [INK, INK],
        _ => [INK, FAINT],
    };
    let style = Style { size: 15.0, bold: right, colour: ink, align: Align::Middle };
    let text = if share < 0.005 { "<1 %".to_owned() } else { percent(share) };
    canvas.text(&text, (middle, top + 25.0), style);
    let style = Style { size: 12.0, bold: false, colour: faint, align: Align::Middle };
    canvas.text(&count.to_string(), (middle, top + 42.0), style);
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a shade between two bytes")]
fn shade(share: f64) -> Colour {
    // The root shows small confusions, which are what one looks for.
    let part = (share as f32).powf(0.8);
    let mix = |index: usize| (SHADES[0][index] + part * (SHADES[1][index] - SHADES[0][index])).round() as u8;
    [mix(0), mix(1), mix(2), 255]
}

#[cfg(test)]
mod tests {
    use super::super::super::canvas::tests::inked_share;
    use super::*;

    #[test]
    fn a_matrix_is_as_tall_as_its_labels_and_dark_where_the_counts_are() {
        let mut confusion = Confusion::new(&["neutral", "happiness", "never"]);
        for (truth, said, times) in [(0, 0, 90), (0, 1, 10), (1, 1, 40)] {
            (0..times).for_each(|_| confusion.add(truth, said));
        }
        let canvas = draw("A set", &confusion).unwrap();
        let file = canvas.encode().unwrap();
        assert!(inked_share(&file, WIDTH, 230) > 0.3);
        assert_eq!(file, draw("A set", &confusion).unwrap().encode().unwrap());
        let picture = image::load_from_memory(&file).unwrap().into_rgb8();
        assert!(picture.get_pixel(LEFT as u32 + 5, TOP as u32 + 5).0[0] < 60);
        assert!(picture.get_pixel(WIDTH - 40, TOP as u32 + 5).0[0] > 180);
    }

    #[test]
    fn nothing_at_all_can_be_drawn() {
        assert!(draw("Nothing", &Confusion::new(&["a"])).is_ok());
    }
}
