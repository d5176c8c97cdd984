//! Pictures of any size to the network's input, and the way back for coordinates.

use rayon::prelude::*;

use crate::RgbImage;
use crate::shapes::fill_up;

/// Both sides of the input are a multiple of this.
const MULTIPLE: usize = 32;

/// A picture as the network takes it, with what leads from its pixels back to the picture's.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scaled {
    /// The padded width.
    pub(super) width: usize,
    /// The padded height.
    pub(super) height: usize,
    /// Blue, green, red planes of 0 to 255; black on the right and below the picture.
    pub(super) planes: Vec<f32>,
    /// Pixels of the picture for one pixel of the input, across and down.
    pub(super) factors: (f32, f32),
}

/// The picture's sides without padding.
fn inner(image: &RgbImage, longest_side: usize) -> (usize, usize) {
    let longest = image.width.max(image.height);
    let target = |side: usize| {
        if longest <= longest_side { side } else { (side * longest_side / longest).max(1) }
    };
    (target(image.width), target(image.height))
}

/// The sides of the input that a picture becomes: as few pixels as can be, or a few sizes for all pictures.
pub(super) fn padded(image: &RgbImage, longest_side: usize, sizes: Sizes) -> (usize, usize) {
    let (width, height) = inner(image, longest_side);
    let pad = |side: usize| match sizes {
        Sizes::Any => side.next_multiple_of(MULTIPLE),
        Sizes::Few => fill_up(few_sides(longest_side), side.next_multiple_of(MULTIPLE)),
    };
    (pad(width), pad(height))
}

/// Which sizes an input may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sizes {
    /// Any, so that no pixel is computed in vain.
    Any,
    /// Each side one of [`few_sides`], for a device that compiles its kernels by size.
    Few,
}

/// The sides of inputs where there are to be few: a half, three quarters and the whole of the longest side.
pub(super) fn few_sides(longest_side: usize) -> impl Iterator<Item = usize> {
    [2, 3, 4].into_iter().map(move |quarters| (longest_side * quarters / 4).next_multiple_of(MULTIPLE))
}

/// Scales a picture down to a longest side by averaging areas, which loses no small faces to aliasing. Pictures that
/// are small enough keep their size.
pub(super) fn scale(image: &RgbImage, longest_side: usize, sizes: Sizes) -> Scaled {
    let (inner_width, inner_height) = inner(image, longest_side);
    let (width, height) = padded(image, longest_side, sizes);
    let mut planes = vec![0.0; 3 * width * height];
    let columns = spans(image.width, inner_width);
    let rows = spans(image.height, inner_height);
    let (blue, rest) = planes.split_at_mut(width * height);
    let (green, red) = rest.split_at_mut(width * height);
    let lines = red.par_chunks_mut(width).zip(green.par_chunks_mut(width)).zip(blue.par_chunks_mut(width));
    lines.zip(&rows).for_each_init(
        || vec![0.0; 3 * image.width],
        |sums, (((red, green), blue), row_span)| {
            add_rows(image, row_span, sums);
            let targets = red.iter_mut().zip(green).zip(blue);
            for (((red, green), blue), column_span) in targets.zip(&columns) {
                [*red, *green, *blue] = mean(sums, column_span);
            }
        },
    );
    let factors = (image.width as f32 / inner_width as f32, image.height as f32 / inner_height as f32);
    Scaled { width, height, planes, factors }
}

/// The part of the source that one pixel of the target covers: the first place, and the share of each place.
struct Span {
    first: usize,
    shares: Vec<f32>,
}

fn spans(source: usize, target: usize) -> Vec<Span> {
    let step = source as f64 / target as f64;
    (0..target)
        .map(|index| {
            let (start, end) = (index as f64 * step, (index as f64 + 1.0) * step);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the source")]
            let (first, last) = (start as usize, ((end - 1e-9).ceil() as usize).clamp(1, source));
            let first = first.min(last - 1);
            let share = |place: usize| {
                let covered = (end.min(place as f64 + 1.0) - start.max(place as f64)).max(0.0);
                #[expect(clippy::cast_possible_truncation, reason = "a share of 0 to 1")]
                let share = (covered / (end - start)) as f32;
                share
            };
            Span { first, shares: (first..last).map(share).collect() }
        })
        .collect()
}

/// The mean of a span's rows, for every column and colour.
fn add_rows(image: &RgbImage, rows: &Span, sums: &mut [f32]) {
    sums.fill(0.0);
    let length = 3 * image.width;
    for (row, share) in rows.shares.iter().enumerate() {
        let line = &image.pixels[(rows.first + row) * length..][..length];
        for (sum, value) in sums.iter_mut().zip(line) {
            *sum += share * f32::from(*value);
        }
    }
}

/// The mean of a span's columns in a line of red, green and blue.
fn mean(line: &[f32], columns: &Span) -> [f32; 3] {
    let (pixels, _) = line.as_chunks::<3>();
    let mut sums = [0.0; 3];
    for (pixel, share) in pixels[columns.first..].iter().zip(&columns.shares) {
        for (sum, value) in sums.iter_mut().zip(pixel) {
            *sum += share * value;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_picture_keeps_its_pixels_and_is_padded() {
        let image = RgbImage::new(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
        let scaled = scale(&image, 640, Sizes::Any);
        assert_eq!((scaled.width, scaled.height, scaled.factors), (32, 32, (1.0, 1.0)));
        let plane = 32 * 32;
        assert_eq!([0, plane, 2 * plane].map(|start| scaled.planes[start]), [3.0, 2.0, 1.0]);
        assert_eq!(scaled.planes[2 * plane + 1], 4.0);
        assert_eq!(scaled.planes[2], 0.0);
    }

    #[test]
    fn a_few_sizes_hold_every_picture() {
        let padded = |width: usize, height: usize| {
            let image = RgbImage::new(width, height, vec![0; 3 * width * height]).unwrap();
            padded(&image, 640, Sizes::Few)
        };
        assert_eq!(padded(1280, 720), (640, 480));
        assert_eq!(padded(480, 640), (480, 640));
        assert_eq!(padded(100, 30), (320, 320));
        assert_eq!(few_sides(640).collect::<Vec<_>>(), [320, 480, 640]);
    }

    #[test]
    fn scaling_down_averages_and_keeps_the_mean() {
        let pixels: Vec<u8> = (0..96 * 50).flat_map(|index| [u8::try_from(index % 96).unwrap(); 3]).collect();
        let scaled = scale(&RgbImage::new(96, 50, pixels).unwrap(), 64, Sizes::Any);
        assert_eq!((scaled.width, scaled.height), (64, 64));
        assert!((scaled.factors.0 - 1.5).abs() < 1e-6 && (scaled.factors.1 - 50.0 / 33.0).abs() < 1e-6);
        assert!((scaled.planes[0] - (0.0 * 1.0 + 1.0 * 0.5) / 1.5).abs() < 1e-4);
        let mean = scaled.planes[..64].iter().sum::<f32>() / 64.0;
        assert!((mean - 47.5).abs() < 1e-3, "{mean}");
    }

    #[test]
    fn extreme_shapes_stay_within_bounds() {
        let line = RgbImage::new(5000, 1, vec![9; 15_000]).unwrap();
        let scaled = scale(&line, 640, Sizes::Any);
        assert_eq!((scaled.width, scaled.height), (640, 32));
        assert!((scaled.planes[639] - 9.0).abs() < 1e-3);
    }
}
