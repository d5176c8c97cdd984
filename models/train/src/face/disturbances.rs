//! What a camera or a line does to a face: blur, too little light, a turned head, strong compression, few pixels.

use heartline_models::RgbImage;
use heartline_models::detector::FaceBox;
use heartline_models::face::{CROP_SIDE, FaceCrop, crop};
use image::GrayImage;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, blur, resize};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::error::TrainError;

/// The width of a detector's box around a face that fills a crop as in training, in pixels of the crop.
const BOX_WIDTH: f32 = 38.2;
/// Of all light, what low light leaves.
const LOW_LIGHT: f32 = 0.25;
/// The noise of the sensor in low light: its standard deviation, of 255 levels.
const SENSOR_NOISE: f32 = 4.0;
const ROLL_DEGREES: f32 = 25.0;
const JPEG_QUALITY: u8 = 30;

/// A disturbance of a 48 x 48 picture; the number of the picture decides what is random.
pub(super) struct Disturbance {
    pub(super) name: &'static str,
    pub(super) apply: fn(&[u8], u64) -> Result<FaceCrop, TrainError>,
}

/// All of them, weaker ones of a kind first.
pub(super) const DISTURBANCES: [Disturbance; 6] = [
    Disturbance { name: "light blur", apply: |pixels, _| framed(blur(&grey(pixels)?, 1.0).as_raw()) },
    Disturbance { name: "strong blur", apply: |pixels, _| framed(blur(&grey(pixels)?, 2.0).as_raw()) },
    Disturbance { name: "low light", apply: |pixels, number| framed(&low_light(pixels, number)) },
    Disturbance { name: "turned by 25 degrees", apply: |pixels, _| framed(&turned(pixels, ROLL_DEGREES)) },
    Disturbance { name: "JPEG quality 30", apply: |pixels, _| framed(&compressed(pixels)?) },
    Disturbance { name: "half size", apply: |pixels, _| framed(&halved(pixels)?) },
];

/// A square picture of a face as the crop that service would make of it, with its quality.
pub(crate) fn framed(pixels: &[u8]) -> Result<FaceCrop, TrainError> {
    let side = pixels.len().isqrt();
    let image = RgbImage::new(side, side, pixels.iter().flat_map(|pixel| [*pixel; 3]).collect())?;
    let width = BOX_WIDTH * side as f32 / CROP_SIDE as f32;
    let corner = (side as f32 - 1.0 - width) / 2.0;
    // Landmarks that fall together say nothing, so the face is cut out by its box.
    let landmarks = [(0.0, 0.0); 5];
    Ok(crop(&image, &FaceBox { left: corner, top: corner, width, height: width, score: 1.0, landmarks }))
}

fn grey(pixels: &[u8]) -> Result<GrayImage, TrainError> {
    GrayImage::from_raw(CROP_SIDE as u32, CROP_SIDE as u32, pixels.to_vec())
        .ok_or_else(|| TrainError::Picture("a face that is not 48 x 48".to_owned()))
}

fn low_light(pixels: &[u8], number: u64) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(number);
    let dimmed = pixels.iter().map(|pixel| {
        // The sum of twelve even distributions is close to a normal one of deviation 1.
        let normal = (0..12).map(|_| random.random::<f32>()).sum::<f32>() - 6.0;
        byte(LOW_LIGHT * f32::from(*pixel) + SENSOR_NOISE * normal)
    });
    dimmed.collect()
}

/// Turned about its centre; places outside repeat the edge.
pub(super) fn turned(pixels: &[u8], degrees: f32) -> Vec<u8> {
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let last = CROP_SIDE as f32 - 1.0;
    let at = |x: f32, y: f32| {
        let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the picture")]
        let (left, top) = ((x as usize).min(CROP_SIDE - 2), (y as usize).min(CROP_SIDE - 2));
        let (across, down) = (x - left as f32, y - top as f32);
        let pixel = |x: usize, y: usize| f32::from(pixels[y * CROP_SIDE + x]);
        let upper = pixel(left, top) * (1.0 - across) + pixel(left + 1, top) * across;
        let lower = pixel(left, top + 1) * (1.0 - across) + pixel(left + 1, top + 1) * across;
        byte(upper * (1.0 - down) + lower * down)
    };
    (0..CROP_SIDE * CROP_SIDE)
        .map(|index| {
            let across = (index % CROP_SIDE) as f32 - last / 2.0;
            let down = (index / CROP_SIDE) as f32 - last / 2.0;
            at(cosine * across - sine * down + last / 2.0, sine * across + cosine * down + last / 2.0)
        })
        .collect()
}

fn compressed(pixels: &[u8]) -> Result<Vec<u8>, TrainError> {
    let failed = |error: image::ImageError| TrainError::Picture(error.to_string());
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY).encode_image(&grey(pixels)?).map_err(failed)?;
    Ok(image::load_from_memory(&file).map_err(failed)?.into_luma8().into_raw())
}

fn halved(pixels: &[u8]) -> Result<Vec<u8>, TrainError> {
    let side = CROP_SIDE as u32 / 2;
    Ok(resize(&grey(pixels)?, side, side, FilterType::Triangle).into_raw())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
pub(super) fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Vec<u8> {
        (0..CROP_SIDE * CROP_SIDE)
            .map(|index| u8::try_from((index % CROP_SIDE * 5 + index / CROP_SIDE * 3) % 256).unwrap())
            .collect()
    }

    #[test]
    fn a_framed_picture_is_itself() {
        let crop = framed(&picture()).unwrap();
        assert_eq!(crop.pixels, picture());
        assert!(crop.quality > 0.0);
        assert!(framed(&[]).is_err());
    }

    #[test]
    fn every_disturbance_changes_the_picture_the_same_way_each_time() {
        for Disturbance { name, apply } in DISTURBANCES {
            let disturbed = apply(&picture(), 7).unwrap();
            assert_eq!(disturbed.pixels.len(), CROP_SIDE * CROP_SIDE, "{name}");
            assert_ne!(disturbed.pixels, picture(), "{name}");
            assert_eq!(disturbed, apply(&picture(), 7).unwrap(), "{name}");
        }
    }

    #[test]
    fn a_half_turn_is_the_picture_backwards_and_low_light_is_dark() {
        let backwards: Vec<u8> = picture().into_iter().rev().collect();
        for (found, expected) in turned(&picture(), 180.0).iter().zip(&backwards) {
            assert!(found.abs_diff(*expected) <= 1);
        }
        let mean = |pixels: &[u8]| pixels.iter().map(|pixel| f64::from(*pixel)).sum::<f64>() / 2304.0;
        assert!((mean(&low_light(&picture(), 1)) / mean(&picture()) - 0.25).abs() < 0.02);
    }
}
