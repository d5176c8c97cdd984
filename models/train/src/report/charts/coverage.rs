//! The risk-coverage curve: the share of wrong answers when only the surest rows are answered, with a mark where the
//! model itself stops answering.

use super::super::canvas::{Align, Canvas, Style};
use super::super::risk::Point;
use super::{FAINT, LABEL, Plot, SERIES, TICK, WIDTH, heading, percent};
use crate::error::TrainError;

const HEIGHT: u32 = 480;
const PLOT: Plot = Plot { left: 84.0, top: 84.0, width: 744.0, height: 336.0 };
/// Below this coverage a curve rests on a handful of rows and only jumps about.
const LEAST_COVERAGE: f64 = 0.05;

/// One set's curve.
#[derive(Debug)]
pub(in crate::report) struct Line<'a> {
    pub(in crate::report) name: &'a str,
    pub(in crate::report) points: &'a [Point],
    pub(in crate::report) area: f64,
    /// Coverage and risk where the model itself abstains; none where it answers nothing.
    pub(in crate::report) abstention: Option<Point>,
}

/// Draws the curves of some sets.
pub(in crate::report) fn draw(title: &str, lines: &[Line<'_>]) -> Result<Canvas, TrainError> {
    let mut canvas = Canvas::new(WIDTH, HEIGHT)?;
    let note =
        "Wrong answers when only the surest rows are answered. Circles: where the model itself abstains.";
    heading(&mut canvas, title, note);
    let step = step(lines);
    let top = top(lines, step);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a handful of steps")]
    let steps = (top / step).round() as usize;
    let up: Vec<f64> = (0..=steps).map(|index| index as f64 * step / top).collect();
    let across: Vec<f64> = (0..=5_u8).map(|index| f64::from(index) / 5.0).collect();
    PLOT.grid(&mut canvas, &across, &up);
    PLOT.axes(&mut canvas);
    for share in up {
        let (x, y) = PLOT.place(0.0, share);
        canvas.text(&percent(share * top), (x - 8.0, y + 5.0), Style { align: Align::Right, ..TICK });
    }
    for share in across {
        let (x, y) = PLOT.place(share, 0.0);
        canvas.text(&percent(share), (x, y + 20.0), TICK);
    }
    let (middle, bottom) = PLOT.place(0.5, 0.0);
    canvas.text("rows that are answered", (middle, bottom + 42.0), TICK);
    canvas.text_upwards("wrong among them", (28.0, PLOT.top + PLOT.height / 2.0), TICK);
    for (line, colour) in lines.iter().zip(SERIES.into_iter().cycle()) {
        let places: Vec<(f32, f32)> = line
            .points
            .iter()
            .filter(|point| point.coverage >= LEAST_COVERAGE)
            .map(|point| PLOT.place(point.coverage, point.risk / top))
            .collect();
        canvas.line(&places, 2.2, colour);
    }
    for (line, colour) in lines.iter().zip(SERIES.into_iter().cycle()) {
        if let Some(point) = line.abstention {
            let place = PLOT.place(point.coverage, point.risk / top);
            canvas.disc(place, 7.0, colour);
            canvas.disc(place, 4.2, [255; 4]);
        }
    }
    legend(&mut canvas, lines);
    Ok(canvas)
}

/// Risk rises to the right, so the upper left corner is free.
fn legend(canvas: &mut Canvas, lines: &[Line<'_>]) {
    let (left, mut y) = (PLOT.left + 20.0, PLOT.top + 24.0);
    let widest = lines.iter().map(|line| canvas.text_width(line.name, LABEL)).fold(0.0, f32::max);
    let box_height = 24.0 * lines.len() as f32 + 12.0;
    canvas.rectangle((left - 10.0, PLOT.top + 4.0), widest + 160.0, box_height, [255, 255, 255, 235]);
    for (line, colour) in lines.iter().zip(SERIES.into_iter().cycle()) {
        canvas.line(&[(left, y - 5.0), (left + 26.0, y - 5.0)], 3.0, colour);
        canvas.text(line.name, (left + 36.0, y), LABEL);
        let area = format!("AURC {:.3}", line.area);
        canvas.text(&area, (left + 52.0 + widest, y), Style { colour: FAINT, ..LABEL });
        y += 24.0;
    }
}

/// The highest risk that is drawn.
fn highest(lines: &[Line<'_>]) -> f64 {
    let drawn = lines.iter().flat_map(|line| {
        let points = line.points.iter().filter(|point| point.coverage >= LEAST_COVERAGE);
        points.map(|point| point.risk).chain(line.abstention.map(|point| point.risk))
    });
    drawn.fold(0.0, f64::max)
}

fn step(lines: &[Line<'_>]) -> f64 {
    if highest(lines) > 0.5 { 0.2 } else { 0.1 }
}

/// The end of the axis: a whole number of steps, with room for the legend above the curves.
fn top(lines: &[Line<'_>], step: f64) -> f64 {
    ((highest(lines) * 1.15 / step).ceil() * step).max(2.0 * step).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::super::super::canvas::tests::inked_share;
    use super::*;

    #[test]
    fn curves_fit_the_sheet_and_axes_end_on_a_step() {
        let points: Vec<Point> = (1..=50_u8)
            .map(|n| Point { coverage: f64::from(n) / 50.0, risk: f64::from(n) / 150.0 })
            .collect();
        let abstention = Some(Point { coverage: 0.9, risk: 0.3 });
        let lines = [
            Line { name: "A set", points: &points, area: 0.17, abstention },
            Line { name: "Another", points: &points[..1], area: 0.0, abstention: None },
        ];
        assert!((top(&lines, step(&lines)) - 0.4).abs() < 1e-9);
        assert!(inked_share(&draw("Risk", &lines).unwrap().encode().unwrap(), WIDTH, HEIGHT) > 0.01);
        assert!(draw("Nothing", &[]).is_ok());
    }
}
