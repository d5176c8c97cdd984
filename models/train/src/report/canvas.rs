//! A white sheet to draw on: rectangles, lines, dots and text, smoothed at their edges, and its PNG.
//!
//! The fonts are built in, so a picture is the same on every machine. Places are in pixels from the upper left corner.

use std::collections::BTreeMap;

use ab_glyph::{Font, FontRef, OutlineCurve, Point};
use tiny_skia::{
    FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform,
};

use crate::error::TrainError;

/// Red, green, blue and how opaque, 0 to 255 each.
pub(super) type Colour = [u8; 4];

/// A place: from the left, from the top.
pub(super) type Place = (f32, f32);

/// On which side of its place a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// The text begins there.
    Left,
    /// Its middle is there.
    Middle,
    /// It ends there.
    Right,
}

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Style {
    /// The height of a line, in pixels.
    pub(super) size: f32,
    /// Whether the strokes are heavy.
    pub(super) bold: bool,
    /// The colour.
    pub(super) colour: Colour,
    /// Where it stands.
    pub(super) align: Align,
}

/// The sheet.
#[derive(Debug)]
pub(super) struct Canvas {
    pixmap: Pixmap,
    regular: FontRef<'static>,
    bold: FontRef<'static>,
}

impl Canvas {
    /// A white sheet.
    pub(super) fn new(width: u32, height: u32) -> Result<Self, TrainError> {
        let font = |bytes| {
            FontRef::try_from_slice(bytes).map_err(|error| TrainError::Picture(format!("text: {error}")))
        };
        let mut pixmap = Pixmap::new(width, height)
            .ok_or_else(|| TrainError::Picture(format!("{width} x {height} pixels")))?;
        pixmap.fill(tiny_skia::Color::WHITE);
        Ok(Self { pixmap, regular: font(ttf_noto_sans::REGULAR)?, bold: font(ttf_noto_sans::BOLD)? })
    }

    /// The width in pixels.
    pub(super) fn width(&self) -> f32 {
        self.pixmap.width() as f32
    }

    /// Fills a rectangle; one without an area is not drawn.
    pub(super) fn rectangle(&mut self, corner: Place, width: f32, height: f32, colour: Colour) {
        if let Some(rectangle) = Rect::from_xywh(corner.0, corner.1, width, height) {
            self.pixmap.fill_rect(rectangle, &paint(colour), Transform::identity(), None);
        }
    }

    /// Fills a disc.
    pub(super) fn disc(&mut self, centre: Place, radius: f32, colour: Colour) {
        if let Some(path) = PathBuilder::from_circle(centre.0, centre.1, radius) {
            self.fill(&path, colour, Transform::identity());
        }
    }

    /// Draws a line through places.
    pub(super) fn line(&mut self, places: &[Place], width: f32, colour: Colour) {
        self.stroke(places, &Stroke { width, ..round() }, colour);
    }

    /// Draws a line of dashes.
    pub(super) fn dashes(&mut self, places: &[Place], width: f32, colour: Colour) {
        let dash = StrokeDash::new(vec![5.0, 4.0], 0.0);
        self.stroke(places, &Stroke { width, dash, line_cap: LineCap::Butt, ..round() }, colour);
    }

    fn stroke(&mut self, places: &[Place], stroke: &Stroke, colour: Colour) {
        let mut builder = PathBuilder::new();
        for (index, place) in places.iter().enumerate() {
            if index == 0 { builder.move_to(place.0, place.1) } else { builder.line_to(place.0, place.1) }
        }
        if let Some(path) = builder.finish() {
            self.pixmap.stroke_path(&path, &paint(colour), stroke, Transform::identity(), None);
        }
    }

    fn fill(&mut self, path: &Path, colour: Colour, transform: Transform) {
        self.pixmap.fill_path(path, &paint(colour), FillRule::Winding, transform, None);
    }

    /// Writes a text; the place is on its base line.
    pub(super) fn text(&mut self, text: &str, place: Place, style: Style) {
        self.write(text, style, Transform::from_translate(place.0, place.1));
    }

    /// Writes a text from below to above.
    pub(super) fn text_upwards(&mut self, text: &str, place: Place, style: Style) {
        self.write(text, style, Transform::from_row(0.0, -1.0, 1.0, 0.0, place.0, place.1));
    }

    fn write(&mut self, text: &str, style: Style, at: Transform) {
        let font = self.font(style.bold).clone();
        let scale = scale(&font, style.size);
        let mut across = match style.align {
            Align::Left => 0.0,
            Align::Middle => -0.5 * self.text_width(text, style),
            Align::Right => -self.text_width(text, style),
        };
        for character in text.chars() {
            let glyph = font.glyph_id(character);
            if let Some(path) = font.outline(glyph).and_then(|outline| outline_path(&outline.curves)) {
                // A font's heights grow upwards.
                let place = Transform::from_row(scale, 0.0, 0.0, -scale, across, 0.0);
                self.fill(&path, style.colour, place.post_concat(at));
            }
            across += font.h_advance_unscaled(glyph) * scale;
        }
    }

    /// How many pixels a text is wide.
    pub(super) fn text_width(&self, text: &str, style: Style) -> f32 {
        let font = self.font(style.bold);
        let advance = |character| font.h_advance_unscaled(font.glyph_id(character));
        text.chars().map(advance).sum::<f32>() * scale(font, style.size)
    }

    fn font(&self, bold: bool) -> &FontRef<'static> {
        if bold { &self.bold } else { &self.regular }
    }

    /// The sheet as a PNG file with a palette, which is a good deal smaller than one with a colour a pixel.
    pub(super) fn encode(&self) -> Result<Vec<u8>, TrainError> {
        let failed = |error: png::EncodingError| TrainError::Picture(error.to_string());
        // The sheet is opaque, so what is stored with its opacity multiplied in is the colour itself.
        let pixels: Vec<Rgb> =
            self.pixmap.data().as_chunks::<4>().0.iter().map(|[r, g, b, _]| [*r, *g, *b]).collect();
        let (palette, places) = with_palette(&pixels);
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.pixmap.width(), self.pixmap.height());
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(palette.concat());
        encoder.set_compression(png::Compression::High);
        encoder.set_filter(png::Filter::NoFilter);
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(&places).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(file)
    }
}

type Rgb = [u8; 3];

/// The 256 commonest colours, and for each pixel the place of the nearest of them. What falls away are single pixels
/// at the edges of letters.
fn with_palette(pixels: &[Rgb]) -> (Vec<Rgb>, Vec<u8>) {
    let mut counts: BTreeMap<Rgb, usize> = BTreeMap::new();
    for pixel in pixels {
        *counts.entry(*pixel).or_default() += 1;
    }
    let mut colours: Vec<(Rgb, usize)> = counts.into_iter().collect();
    colours.sort_by_key(|(colour, count)| (std::cmp::Reverse(*count), *colour));
    let palette: Vec<Rgb> = colours.iter().take(256).map(|(colour, _)| *colour).collect();
    let distance = |left: &Rgb, right: &Rgb| -> u32 {
        left.iter().zip(right).map(|(left, right)| u32::from(left.abs_diff(*right)).pow(2)).sum()
    };
    let nearest = |colour: &Rgb| {
        let place = (0..=255_u8).zip(&palette).min_by_key(|(_, kept)| distance(colour, kept));
        place.map_or(0, |(place, _)| place)
    };
    let places: BTreeMap<Rgb, u8> = colours.iter().map(|(colour, _)| (*colour, nearest(colour))).collect();
    let indexed = pixels.iter().map(|pixel| places.get(pixel).copied().unwrap_or(0)).collect();
    (palette, indexed)
}

fn paint(colour: Colour) -> Paint<'static> {
    let [red, green, blue, opacity] = colour;
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(red, green, blue, opacity);
    paint
}

fn round() -> Stroke {
    Stroke { line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() }
}

/// Pixels a font unit.
fn scale(font: &FontRef<'static>, size: f32) -> f32 {
    size / font.units_per_em().unwrap_or(1000.0)
}

/// A glyph's curves, which follow each other along each of its contours, as one path.
fn outline_path(curves: &[OutlineCurve]) -> Option<Path> {
    let mut builder = PathBuilder::new();
    let mut at: Option<Point> = None;
    for curve in curves {
        let (start, end) = match curve {
            OutlineCurve::Line(start, end) => (*start, *end),
            OutlineCurve::Quad(start, _, end) => (*start, *end),
            OutlineCurve::Cubic(start, _, _, end) => (*start, *end),
        };
        if at != Some(start) {
            if at.is_some() {
                builder.close();
            }
            builder.move_to(start.x, start.y);
        }
        match curve {
            OutlineCurve::Line(..) => builder.line_to(end.x, end.y),
            OutlineCurve::Quad(_, bend, _) => builder.quad_to(bend.x, bend.y, end.x, end.y),
            OutlineCurve::Cubic(_, first, second, _) => {
                builder.cubic_to(first.x, first.y, second.x, second.y, end.x, end.y);
            }
        }
        at = Some(end);
    }
    if at.is_some() {
        builder.close();
    }
    builder.finish()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const BLACK: Style = Style { size: 20.0, bold: false, colour: [0, 0, 0, 255], align: Align::Left };

    /// Decodes a picture, checks its size and gives the share of pixels that are not white.
    pub(in crate::report) fn inked_share(file: &[u8], width: u32, height: u32) -> f64 {
        let picture = image::load_from_memory(file).unwrap().into_rgb8();
        assert_eq!((picture.width(), picture.height()), (width, height));
        let inked = picture.pixels().filter(|pixel| pixel.0 != [255; 3]).count();
        inked as f64 / f64::from(width * height)
    }

    #[test]
    fn an_empty_sheet_is_white_and_text_is_not() {
        let mut canvas = Canvas::new(200, 40).unwrap();
        assert!(inked_share(&canvas.encode().unwrap(), 200, 40).abs() < 1e-9);
        canvas.text("agreement 0.8", (5.0, 28.0), BLACK);
        let share = inked_share(&canvas.encode().unwrap(), 200, 40);
        assert!((0.02..0.3).contains(&share), "{share}");
    }

    #[test]
    fn text_is_as_wide_as_measured_on_every_side() {
        let canvas = Canvas::new(300, 40).unwrap();
        let width = canvas.text_width("happiness", BLACK);
        assert!((60.0..120.0).contains(&width), "{width}");
        for (align, left) in
            [(Align::Left, 150.0), (Align::Middle, 150.0 - width / 2.0), (Align::Right, 150.0 - width)]
        {
            let mut canvas = Canvas::new(300, 40).unwrap();
            canvas.text("happiness", (150.0, 28.0), Style { align, ..BLACK });
            let picture = image::load_from_memory(&canvas.encode().unwrap()).unwrap().into_rgb8();
            let columns: Vec<u32> = picture
                .enumerate_pixels()
                .filter(|(_, _, pixel)| pixel.0[0] < 128)
                .map(|(x, ..)| x)
                .collect();
            let (first, last) = (columns.iter().min().unwrap(), columns.iter().max().unwrap());
            assert!((f64::from(*first) - f64::from(left)).abs() < 4.0, "{align:?}: {first} for {left}");
            assert!((f64::from(*last) - f64::from(left + width)).abs() < 4.0);
        }
    }

    #[test]
    fn shapes_cover_what_they_should() {
        let mut canvas = Canvas::new(100, 100).unwrap();
        canvas.rectangle((10.0, 10.0), 50.0, 20.0, [0, 114, 178, 255]);
        assert!((inked_share(&canvas.encode().unwrap(), 100, 100) - 0.1).abs() < 1e-9);
        canvas.rectangle((10.0, 50.0), 0.0, 20.0, [0, 0, 0, 255]);
        canvas.disc((70.0, 70.0), 10.0, [213, 94, 0, 255]);
        let share = inked_share(&canvas.encode().unwrap(), 100, 100);
        assert!((share - 0.1 - 0.0314).abs() < 0.005, "{share}");
        canvas.line(&[(0.0, 95.0), (99.0, 95.0)], 2.0, [0, 0, 0, 255]);
        assert!(inked_share(&canvas.encode().unwrap(), 100, 100) > share + 0.015);
    }

    #[test]
    fn many_colours_become_the_commonest() {
        let mut pixels = vec![[255, 255, 255]; 10];
        pixels.extend((0..=255_u8).flat_map(|level| [[level, 0, 0]; 2]));
        pixels.push([254, 254, 250]);
        let (palette, places) = with_palette(&pixels);
        assert_eq!((palette.len(), palette[0]), (256, [255, 255, 255]));
        assert_eq!((places.len(), places[0], *places.last().unwrap()), (523, 0, 0));
        assert_eq!(palette[usize::from(places[30])], pixels[30]);
    }

    #[test]
    fn an_impossible_sheet_is_refused() {
        assert!(matches!(Canvas::new(0, 10), Err(TrainError::Picture(_))));
    }
}
