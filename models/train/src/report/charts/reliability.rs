//! The reliability diagram: how often the model is right against how sure it is, and how many answers each bin holds.

use super::super::calibration::{BINS, Bin};
use super::super::canvas::{Align, Canvas, Colour, Style};
use super::{BLUE, FAINT, LABEL, ORANGE, Plot, SUBTITLE, TICK, WIDTH, heading};
use crate::error::TrainError;
use crate::metrics::ratio;

const MARGIN: f32 = 20.0;
const TOP: f32 = 78.0;
const AXIS_LEFT: f32 = 58.0;
/// What a panel needs beside its plot: names above; counts and an axis below.
const ABOVE: f32 = 46.0;
const COUNTS_HEIGHT: f32 = 46.0;
const BELOW: f32 = COUNTS_HEIGHT + 64.0;
/// The largest plot; few panels do not grow beyond it.
const LARGEST_WIDTH: f32 = 330.0;
const LARGEST_HEIGHT: f32 = 230.0;
/// Bins with fewer answers are drawn pale: their accuracy says little.
const FEWEST: usize = 20;

const PALE: Colour = [176, 209, 230, 255];
const GREY: Colour = [170, 170, 170, 255];

/// One set's diagram.
#[derive(Debug)]
pub(in crate::report) struct Panel<'a> {
    pub(in crate::report) name: &'a str,
    pub(in crate::report) calibration_error: f64,
    pub(in crate::report) bins: &'a [Bin],
}

/// Draws panels side by side, at most three in a row (four stand two by two).
pub(in crate::report) fn draw(title: &str, panels: &[Panel<'_>]) -> Result<Canvas, TrainError> {
    let columns = match panels.len() {
        0 | 1 => 1,
        2 | 4 => 2,
        _ => 3,
    };
    let rows = panels.len().div_ceil(columns).max(1);
    let panel_width = (WIDTH as f32 - 2.0 * MARGIN) / columns as f32;
    let width = (panel_width - AXIS_LEFT - 22.0).min(LARGEST_WIDTH).round();
    let height = width.min(LARGEST_HEIGHT);
    let panel_height = ABOVE + height + BELOW;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred pixels")]
    let mut canvas = Canvas::new(WIDTH, (TOP + panel_height * rows as f32) as u32)?;
    let note = "Bars: share of right answers. Dots: mean confidence. Dashes: what it should be. Pale: under 20 rows.";
    heading(&mut canvas, title, note);
    for (index, panel) in panels.iter().enumerate() {
        let plot = Plot {
            left: (MARGIN + panel_width * (index % columns) as f32 + AXIS_LEFT).round(),
            top: (TOP + panel_height * (index / columns) as f32 + ABOVE).round(),
            width,
            height,
        };
        draw_panel(&mut canvas, &plot, panel);
    }
    Ok(canvas)
}

fn draw_panel(canvas: &mut Canvas, plot: &Plot, panel: &Panel<'_>) {
    let total: usize = panel.bins.iter().map(|bin| bin.count).sum();
    canvas.text(panel.name, (plot.left, plot.top - 28.0), Style { bold: true, size: 15.0, ..LABEL });
    let facts = format!("ECE {:.3}, {total} rows", panel.calibration_error);
    canvas.text(&facts, (plot.left, plot.top - 10.0), Style { size: 13.0, ..SUBTITLE });
    plot.grid(canvas, &[], &[0.25, 0.5, 0.75, 1.0]);
    let step = 1.0 / BINS as f64;
    for (index, bin) in panel.bins.iter().enumerate().filter(|(_, bin)| bin.count > 0) {
        let (left, top) = plot.place(step * index as f64, bin.accuracy);
        let (right, bottom) = plot.place(step * (index + 1) as f64, 0.0);
        let colour = if bin.count < FEWEST { PALE } else { BLUE };
        let (left, right) = (left.round() + 1.0, right.round() - 1.0);
        canvas.rectangle((left, top), right - left, bottom - top, colour);
    }
    canvas.dashes(&[plot.place(0.0, 0.0), plot.place(1.0, 1.0)], 1.5, FAINT);
    for (index, bin) in panel.bins.iter().enumerate().filter(|(_, bin)| bin.count > 0) {
        let middle = plot.place(step * (index as f64 + 0.5), bin.confidence);
        canvas.disc(middle, 4.5, [255; 4]);
        canvas.disc(middle, 3.2, ORANGE);
    }
    plot.axes(canvas);
    for share in [0.0, 0.5, 1.0] {
        let (x, y) = plot.place(0.0, share);
        canvas.text(&format!("{share:.1}"), (x - 8.0, y + 5.0), Style { align: Align::Right, ..TICK });
    }
    let middle = plot.top + plot.height / 2.0;
    canvas.text_upwards("accuracy", (plot.left - 38.0, middle), Style { size: 13.0, ..TICK });
    draw_counts(canvas, plot, panel.bins, total);
}

/// The answers of each bin under the diagram, as shares of all.
fn draw_counts(canvas: &mut Canvas, plot: &Plot, bins: &[Bin], total: usize) {
    let counts = Plot { top: plot.top + plot.height + 8.0, height: COUNTS_HEIGHT, ..*plot };
    let step = 1.0 / BINS as f64;
    let most = bins.iter().map(|bin| ratio(bin.count, total)).fold(0.0, f64::max).max(1e-9);
    for (index, bin) in bins.iter().enumerate() {
        let (left, top) = counts.place(step * index as f64, ratio(bin.count, total) / most);
        let (right, bottom) = counts.place(step * (index + 1) as f64, 0.0);
        let (left, right) = (left.round() + 1.0, right.round() - 1.0);
        canvas.rectangle((left, top), right - left, bottom - top, GREY);
    }
    canvas.line(&[counts.place(0.0, 0.0), counts.place(1.0, 0.0)], 1.0, super::FRAME);
    for share in [0.0, 0.5, 1.0] {
        let (x, y) = counts.place(share, 0.0);
        canvas.text(&format!("{share:.1}"), (x, y + 17.0), TICK);
    }
    let (_, bottom) = counts.place(0.0, 0.0);
    canvas.text("rows", (counts.left - 8.0, bottom - 16.0), Style { align: Align::Right, ..TICK });
    canvas.text("confidence", (counts.left + counts.width / 2.0, bottom + 35.0), TICK);
}

#[cfg(test)]
mod tests {
    use super::super::super::canvas::tests::inked_share;
    use super::*;

    #[test]
    fn panels_fit_the_sheet() {
        let mut bins = vec![Bin::default(); BINS];
        bins[9] = Bin { count: 100, confidence: 0.95, accuracy: 0.9 };
        bins[4] = Bin { count: 3, confidence: 0.45, accuracy: 1.0 };
        let heights = [1, 2, 3, 4].map(|count| {
            let panels: Vec<Panel<'_>> =
                (0..count).map(|_| Panel { name: "A set", calibration_error: 0.05, bins: &bins }).collect();
            let canvas = draw("Reliability", &panels).unwrap();
            let file = canvas.encode().unwrap();
            let height = image::load_from_memory(&file).unwrap().height();
            assert!(inked_share(&file, WIDTH, height) > 0.02);
            height
        });
        assert!(heights[3] > heights[2] && heights[2] < heights[0] && heights[0] == heights[1]);
    }
}
