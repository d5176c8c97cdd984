//! The pictures of a report: one file a chart. Colours can be told apart without seeing colour differences well.

mod bars;
mod confusion;
mod coverage;
mod reliability;

pub(super) use bars::{Bars, Row};
pub(super) use confusion::draw as confusion;
pub(super) use coverage::{Line, draw as coverage};
pub(super) use reliability::{Panel, draw as reliability};

use super::canvas::{Align, Canvas, Colour, Place, Style};

/// The width of every picture, in pixels.
const WIDTH: u32 = 860;

const INK: Colour = [38, 38, 38, 255];
const FAINT: Colour = [110, 110, 110, 255];
const GRID: Colour = [228, 228, 228, 255];
const FRAME: Colour = [150, 150, 150, 255];
const BLUE: Colour = [0, 114, 178, 255];
const ORANGE: Colour = [213, 94, 0, 255];
/// For several lines in one picture.
const SERIES: [Colour; 5] = [BLUE, ORANGE, [0, 158, 115, 255], [204, 121, 167, 255], [86, 86, 86, 255]];

const TITLE: Style = Style { size: 19.0, bold: true, colour: INK, align: Align::Left };
const SUBTITLE: Style = Style { size: 14.0, bold: false, colour: FAINT, align: Align::Left };
const LABEL: Style = Style { size: 14.0, bold: false, colour: INK, align: Align::Left };
const TICK: Style = Style { size: 13.0, bold: false, colour: FAINT, align: Align::Middle };

/// The title and what to know to read the picture.
fn heading(canvas: &mut Canvas, title: &str, subtitle: &str) {
    canvas.text(title, (20.0, 32.0), TITLE);
    canvas.text(subtitle, (20.0, 54.0), SUBTITLE);
}

/// A rectangle in which data are drawn: shares 0 to 1 of both axes become places.
#[derive(Debug, Clone, Copy)]
struct Plot {
    left: f32,
    top: f32,
    width: f32,
    height: f32,
}

impl Plot {
    fn place(&self, across: f64, up: f64) -> Place {
        (self.left + self.width * across as f32, self.top + self.height * (1.0 - up as f32))
    }

    /// Light lines at shares of an axis, and the two axes.
    fn grid(&self, canvas: &mut Canvas, across: &[f64], up: &[f64]) {
        for share in across {
            canvas.line(&[self.place(*share, 0.0), self.place(*share, 1.0)], 1.0, GRID);
        }
        for share in up {
            canvas.line(&[self.place(0.0, *share), self.place(1.0, *share)], 1.0, GRID);
        }
    }

    fn axes(&self, canvas: &mut Canvas) {
        canvas.line(&[self.place(0.0, 1.0), self.place(0.0, 0.0), self.place(1.0, 0.0)], 1.0, FRAME);
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}
