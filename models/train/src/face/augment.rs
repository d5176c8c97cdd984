//! Makes each view of a picture different: turned, shifted, scaled, mirrored, lit otherwise, partly hidden.
//!
//! Everything follows from the seed, the epoch and the row, so a run can be repeated and resumed. The ranges cover
//! what a face detector's landmarks miss by.

use heartline_models::face::CROP_SIDE;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const LARGEST_TURN_DEGREES: f32 = 25.0;
const LARGEST_SHIFT: f32 = 0.06;
const LARGEST_ZOOM: f32 = 0.1;
const LARGEST_CONTRAST: f32 = 0.25;
const LARGEST_BRIGHTNESS: f32 = 0.1;
const LARGEST_HOLE: f32 = 0.35;
const LARGEST_NOISE: f32 = 0.04;
const BLUR_SHARE: f64 = 0.15;
const MOST_BLURS: usize = 3;
const NOISE_SHARE: f64 = 0.1;
const HOLE_SHARE: f64 = 0.15;

/// The random source of one view.
pub(crate) fn source(seed: u64, epoch: usize, row: usize) -> StdRng {
    let mixed =
        (epoch as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (row as u64).wrapping_mul(0xd1b5_4a32_d192_ed03);
    StdRng::seed_from_u64(seed ^ mixed)
}

/// A view of a 48 x 48 picture at another side, without chance: values 0 to 1.
pub(crate) fn plain(pixels: &[u8], side: usize) -> Vec<f32> {
    sample(pixels, side, [1.0, 0.0, 0.0], [0.0, 0.0])
}

/// A random view of a 48 x 48 picture: values near 0 to 1.
pub(crate) fn view(pixels: &[u8], side: usize, source: &mut StdRng) -> Vec<f32> {
    // The product of two even distributions: most faces are nearly upright, a few are far from it.
    let turn = source.random_range(-1.0..1.0) * source.random_range(0.0..1.0) * LARGEST_TURN_DEGREES;
    let angle: f32 = turn.to_radians();
    let zoom = 1.0 + source.random_range(-LARGEST_ZOOM..LARGEST_ZOOM);
    let mirror = if source.random_bool(0.5) { -1.0 } else { 1.0 };
    let shift = [0, 1].map(|_| source.random_range(-LARGEST_SHIFT..LARGEST_SHIFT));
    let (sine, cosine) = (angle.sin() * zoom, angle.cos() * zoom);
    let mut values = sample(pixels, side, [cosine, sine, mirror], shift);
    if source.random_bool(BLUR_SHARE) {
        for _ in 0..source.random_range(1..=MOST_BLURS) {
            values = blur(&values, side);
        }
    }
    let contrast = 1.0 + source.random_range(-LARGEST_CONTRAST..LARGEST_CONTRAST);
    let brightness = source.random_range(-LARGEST_BRIGHTNESS..LARGEST_BRIGHTNESS);
    let noise = if source.random_bool(NOISE_SHARE) { source.random_range(0.0..LARGEST_NOISE) } else { 0.0 };
    for value in &mut values {
        *value = ((*value - 0.5) * contrast + 0.5 + brightness).clamp(0.0, 1.0);
        if noise > 0.0 {
            // The sum of three even distributions is close enough to a normal one.
            let normal: f32 = (0..3).map(|_| source.random_range(-1.0_f32..1.0)).sum();
            *value += normal * noise;
        }
    }
    if source.random_bool(HOLE_SHARE) {
        hide(&mut values, side, source);
    }
    values
}

/// Bilinear sampling under a turn, a zoom and a mirror about the centre and a shift in shares of the side. Places
/// outside repeat the edge. `frame` is cosine and sine times the zoom, and -1 to mirror.
fn sample(pixels: &[u8], side: usize, frame: [f32; 3], shift: [f32; 2]) -> Vec<f32> {
    let [cosine, sine, mirror] = if frame[2] == 0.0 { [frame[0], frame[1], 1.0] } else { frame };
    let middle = (CROP_SIDE as f32 - 1.0) / 2.0;
    let step = CROP_SIDE as f32 / side as f32;
    let mut values = Vec::with_capacity(side * side);
    for y in 0..side {
        for x in 0..side {
            let across = ((x as f32 + 0.5) * step - 0.5 - middle) * mirror;
            let down = (y as f32 + 0.5) * step - 0.5 - middle;
            let source_x = cosine * across - sine * down + middle + shift[0] * CROP_SIDE as f32;
            let source_y = sine * across + cosine * down + middle + shift[1] * CROP_SIDE as f32;
            values.push(bilinear(pixels, source_x, source_y));
        }
    }
    values
}

fn bilinear(pixels: &[u8], x: f32, y: f32) -> f32 {
    let last = CROP_SIDE as f32 - 1.0;
    let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the picture")]
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(CROP_SIDE - 1), (top + 1).min(CROP_SIDE - 1));
    let (across, down) = (x - left as f32, y - top as f32);
    let at = |x: usize, y: usize| f32::from(pixels[y * CROP_SIDE + x]);
    let upper = at(left, top) * (1.0 - across) + at(right, top) * across;
    let lower = at(left, bottom) * (1.0 - across) + at(right, bottom) * across;
    (upper * (1.0 - down) + lower * down) / 255.0
}

/// The mean of each pixel's 3 x 3 neighbourhood.
pub(crate) fn blur(values: &[f32], side: usize) -> Vec<f32> {
    let mut blurred = Vec::with_capacity(values.len());
    for y in 0..side {
        for x in 0..side {
            let (mut sum, mut count) = (0.0, 0.0);
            for row in y.saturating_sub(1)..(y + 2).min(side) {
                for value in &values[row * side + x.saturating_sub(1)..row * side + (x + 2).min(side)] {
                    sum += value;
                    count += 1.0;
                }
            }
            blurred.push(sum / count);
        }
    }
    blurred
}

/// Paints over a rectangle, as a hand, a microphone or hair may cover a part of the face.
fn hide(values: &mut [f32], side: usize, source: &mut StdRng) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the side")]
    let largest = ((side as f32 * LARGEST_HOLE) as usize).max(2);
    let (width, height) = (source.random_range(1..largest), source.random_range(1..largest));
    let (left, top) = (source.random_range(0..side - width), source.random_range(0..side - height));
    let grey = source.random_range(0.0_f32..1.0);
    for row in top..top + height {
        values[row * side + left..row * side + left + width].fill(grey);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Vec<u8> {
        (0..CROP_SIDE * CROP_SIDE).map(|index| u8::try_from(index % CROP_SIDE * 5).unwrap()).collect()
    }

    #[test]
    fn a_plain_view_at_the_same_side_is_the_picture() {
        let picture = picture();
        let values = plain(&picture, CROP_SIDE);
        for (value, pixel) in values.iter().zip(&picture) {
            assert!((value - f32::from(*pixel) / 255.0).abs() < 1e-4);
        }
        assert_eq!(plain(&picture, 32).len(), 32 * 32);
    }

    #[test]
    fn views_follow_from_seed_epoch_and_row() {
        let picture = picture();
        let make = |seed, epoch, row| view(&picture, 32, &mut source(seed, epoch, row));
        assert_eq!(make(1, 2, 3), make(1, 2, 3));
        assert_ne!(make(1, 2, 3), make(1, 2, 4));
        assert_ne!(make(1, 2, 3), make(1, 3, 3));
        assert_ne!(make(1, 2, 3), make(2, 2, 3));
    }

    #[test]
    fn values_stay_near_the_range_of_pixels() {
        for row in 0..200 {
            for value in view(&picture(), 40, &mut source(5, 0, row)) {
                assert!((-0.2..1.2).contains(&value), "{value}");
            }
        }
    }
}
