//! How much a crop can be trusted: the size of the face, its sharpness, its light and how upright it was.

use super::CROP_SIDE;

/// A face whose eyes are this many pixels apart has as much detail as the network can use.
const FULL_EYE_DISTANCE: f32 = 20.0;
/// Below this distance of the eyes nothing can be read.
const LEAST_EYE_DISTANCE: f32 = 4.0;
/// The mean absolute difference of neighbouring pixels, relative to the contrast, of a sharp crop.
const FULL_SHARPNESS: f32 = 0.18;
/// The standard deviation of the brightness of a well-lit crop, as a share of 255.
const FULL_CONTRAST: f32 = 0.16;
/// The roll of the head, in degrees, from which the detector's landmarks are no longer to be trusted.
const LARGEST_ROLL_DEGREES: f32 = 70.0;

/// 0 to 1: the product of what the size, the sharpness, the light and the roll each leave.
///
/// `eye_distance` is in pixels of the photograph, `roll` in radians.
pub(super) fn rate(pixels: &[u8], eye_distance: f32, roll: f32) -> f32 {
    let size = ramp(eye_distance, LEAST_EYE_DISTANCE, FULL_EYE_DISTANCE);
    let upright = 1.0 - ramp(roll.abs().to_degrees(), 20.0, LARGEST_ROLL_DEGREES);
    let (mean, deviation) = spread(pixels);
    let contrast = ramp(deviation, 0.02, FULL_CONTRAST);
    let light = ramp(mean, 0.04, 0.25) * (1.0 - ramp(mean, 0.8, 0.98));
    let sharpness = ramp(gradient(pixels) / deviation.max(1e-3), 0.0, FULL_SHARPNESS);
    let rated = size * upright * contrast.sqrt() * light * sharpness.sqrt();
    if rated.is_finite() { rated } else { 0.0 }
}

/// 0 at `low` and below, 1 at `high` and above, a line between.
fn ramp(value: f32, low: f32, high: f32) -> f32 {
    ((value - low) / (high - low)).clamp(0.0, 1.0)
}

/// Mean and standard deviation of the brightness, as shares of 255.
fn spread(pixels: &[u8]) -> (f32, f32) {
    #[expect(clippy::cast_precision_loss, reason = "a crop has few thousand pixels")]
    let count = pixels.len().max(1) as f32;
    let values = || pixels.iter().map(|pixel| f32::from(*pixel) / 255.0);
    let mean = values().sum::<f32>() / count;
    let variance = values().map(|value| (value - mean).powi(2)).sum::<f32>() / count;
    (mean, variance.sqrt())
}

/// The mean absolute difference of horizontal and vertical neighbours, as a share of 255.
fn gradient(pixels: &[u8]) -> f32 {
    let (mut sum, mut count) = (0.0, 0.0);
    for (index, pixel) in pixels.iter().enumerate() {
        let right = (index % CROP_SIDE + 1 < CROP_SIDE).then(|| index + 1);
        for neighbour in right.into_iter().chain([index + CROP_SIDE]) {
            if let Some(neighbour) = pixels.get(neighbour) {
                sum += f32::from(pixel.abs_diff(*neighbour)) / 255.0;
                count += 1.0;
            }
        }
    }
    if count > 0.0 { sum / count } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(period: usize) -> Vec<u8> {
        let stripe = |index: usize| if (index % CROP_SIDE / period).is_multiple_of(2) { 60 } else { 190 };
        (0..CROP_SIDE * CROP_SIDE).map(stripe).collect()
    }

    #[test]
    fn a_large_sharp_upright_face_is_good_and_each_fault_costs() {
        let good = rate(&pattern(4), 40.0, 0.0);
        assert!(good > 0.9, "{good}");
        assert!(rate(&pattern(4), 8.0, 0.0) < good);
        assert!(rate(&pattern(4), 40.0, 1.0) < good);
        assert!(rate(&pattern(24), 40.0, 0.0) < good);
        let dark: Vec<u8> = pattern(4).iter().map(|pixel| pixel / 10).collect();
        assert!(rate(&dark, 40.0, 0.0) < good);
    }

    #[test]
    fn nothing_to_see_is_worth_nothing() {
        assert!(rate(&[0; CROP_SIDE * CROP_SIDE], 40.0, 0.0) < 1e-6);
        assert!(rate(&[128; CROP_SIDE * CROP_SIDE], 40.0, 0.0) < 1e-6);
        assert!(rate(&[], f32::NAN, f32::NAN) < 1e-6);
    }
}
