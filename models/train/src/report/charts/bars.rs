//! Bars of shares, row by row, in panels side by side: kinds of input, or conditions.

use super::super::canvas::{Align, Canvas, Style};
use super::{BLUE, FRAME, GRID, LABEL, ORANGE, Plot, TICK, WIDTH, heading, percent};
use crate::error::TrainError;

const TOP: f32 = 112.0;
const ROW_HEIGHT: f32 = 32.0;
const BAR_HEIGHT: f32 = 20.0;
const RIGHT: f32 = 24.0;
/// Room after a panel's full length for the number at the end of a bar.
const NUMBER_WIDTH: f32 = 52.0;
/// Between what a model knows and what it does not.
const PAUSE: f32 = 12.0;

/// A row: its name, whether the model was made for it, and one share a panel.
#[derive(Debug)]
pub(in crate::report) struct Row {
    pub(in crate::report) name: String,
    pub(in crate::report) known: bool,
    pub(in crate::report) values: Vec<f64>,
}

/// The chart.
#[derive(Debug)]
pub(in crate::report) struct Bars<'a> {
    pub(in crate::report) title: &'a str,
    pub(in crate::report) note: &'a str,
    /// The panels' names, and whether their values are written as percentages.
    pub(in crate::report) panels: &'a [(&'a str, bool)],
    /// The rows; the known ones come first.
    pub(in crate::report) rows: &'a [Row],
}

impl Bars<'_> {
    /// Draws the chart.
    pub(in crate::report) fn draw(&self) -> Result<Canvas, TrainError> {
        let pause = self.rows.iter().any(|row| row.known) && self.rows.iter().any(|row| !row.known);
        let pause = if pause { PAUSE } else { 0.0 };
        let height = TOP + ROW_HEIGHT * self.rows.len() as f32 + pause + 40.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred pixels")]
        let mut canvas = Canvas::new(WIDTH, height as u32)?;
        heading(&mut canvas, self.title, self.note);
        let widest =
            self.rows.iter().map(|row| canvas.text_width(&row.name, LABEL)).fold(0.0, f32::max).ceil();
        let left = 20.0 + widest + 14.0;
        let panel_width = (canvas.width() - left - RIGHT) / self.panels.len().max(1) as f32;
        let body = ROW_HEIGHT * self.rows.len() as f32 + pause;
        let plots: Vec<Plot> = (0..self.panels.len())
            .map(|index| Plot {
                left: (left + panel_width * index as f32).round(),
                top: TOP,
                width: (panel_width - NUMBER_WIDTH).round(),
                height: body,
            })
            .collect();
        for (plot, (name, in_percent)) in plots.iter().zip(self.panels) {
            canvas.text(name, (plot.left, TOP - 14.0), Style { bold: true, ..LABEL });
            for share in [0.0, 0.5, 1.0] {
                let (x, y) = plot.place(share, 0.0);
                canvas.line(&[(x, TOP), (x, y)], 1.0, if share > 0.0 { GRID } else { FRAME });
                canvas.text(&number(share, *in_percent, 1), (x, y + 20.0), TICK);
            }
        }
        for (index, row) in self.rows.iter().enumerate() {
            let pause = if row.known { 0.0 } else { pause };
            let top = TOP + ROW_HEIGHT * index as f32 + pause + (ROW_HEIGHT - BAR_HEIGHT) / 2.0;
            self.draw_row(&mut canvas, &plots, row, top);
        }
        Ok(canvas)
    }

    fn draw_row(&self, canvas: &mut Canvas, plots: &[Plot], row: &Row, top: f32) {
        let base = top + 15.0;
        if let Some(first) = plots.first() {
            canvas.text(&row.name, (first.left - 14.0, base), Style { align: Align::Right, ..LABEL });
        }
        let colour = if row.known { BLUE } else { ORANGE };
        for ((plot, value), (_, in_percent)) in plots.iter().zip(&row.values).zip(self.panels) {
            let length = plot.width * value.clamp(0.0, 1.0) as f32;
            canvas.rectangle((plot.left, top), length, BAR_HEIGHT, colour);
            let text = number(*value, *in_percent, 2);
            canvas.text(&text, (plot.left + length + 6.0, base), Style { size: 13.0, ..LABEL });
        }
    }
}

fn number(value: f64, in_percent: bool, digits: usize) -> String {
    if in_percent { percent(value) } else { format!("{value:.digits$}") }
}

#[cfg(test)]
mod tests {
    use super::super::super::canvas::tests::inked_share;
    use super::*;

    #[test]
    fn longer_bars_are_drawn_for_larger_shares() {
        let draw = |value| {
            let row = |known| Row { name: "white noise".to_owned(), known, values: vec![value, 0.5] };
            let rows = [row(true), row(false), row(false)];
            let panels = [("abstains", true), ("familiarity", false)];
            let bars = Bars { title: "Out of domain", note: "", panels: &panels, rows: &rows };
            inked_share(&bars.draw().unwrap().encode().unwrap(), WIDTH, 260)
        };
        assert!(draw(0.9) > draw(0.1) + 0.02);
        let empty = Bars { title: "Nothing", note: "", panels: &[], rows: &[] };
        assert!(empty.draw().is_ok());
    }
}
