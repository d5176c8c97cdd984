//! From a photograph to an aligned crop.

use super::CROP_SIDE;
use super::quality::rate;
use crate::RgbImage;
use crate::detector::FaceBox;

/// Where the landmarks lie in the pictures that the network was trained on, in pixels of the crop: the means that
/// the detector finds on FER-2013's faces, made symmetric.
const LANDMARKS: [(f32, f32); 5] = [(14.85, 17.3), (32.15, 17.3), (23.5, 27.3), (16.5, 35.5), (30.5, 35.5)];

/// The width of a detector's box around such a face, in pixels of the crop.
const BOX_WIDTH: f32 = 38.2;

/// A crop's pixel is the mean of at most this many samples a side.
const LARGEST_SAMPLING: usize = 8;

/// A face, aligned and scaled for the face model.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceCrop {
    /// 48 x 48 grey pixels, row-major.
    pub pixels: Vec<u8>,
    /// How much can be read from it: 0 (nothing) to 1.
    pub quality: f32,
}

/// Turns, scales and shifts a face so that its landmarks lie where the network expects them. What lies outside of
/// the photograph repeats its edge. A face without usable numbers gives a black crop of quality 0.
#[must_use]
pub fn crop(image: &RgbImage, face: &FaceBox) -> FaceCrop {
    let frame = Frame::of_landmarks(face).or_else(|| Frame::of_box(face));
    let (Some(frame), Ok(())) = (frame, image.check()) else {
        return FaceCrop { pixels: vec![0; CROP_SIDE * CROP_SIDE], quality: 0.0 };
    };
    let scale = frame.real.hypot(frame.imaginary);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number, then clamped"
    )]
    let samples = (scale.ceil() as usize).clamp(1, LARGEST_SAMPLING);
    let size = (image.width, image.height);
    let part = Part::of(image, &frame);
    // Each sample looks at four pixels: reckoning every pixel once is cheaper, unless most of them are never looked at.
    let pixels = if part.pixels() <= 4 * (CROP_SIDE * samples).pow(2) {
        let grey = part.grey(image);
        means(&|x, y| part.read(&grey, x, y), size, &frame, samples)
    } else {
        means(&|x, y| image.luma(x, y), size, &frame, samples)
    };
    let eye_distance = scale * (LANDMARKS[1].0 - LANDMARKS[0].0);
    let quality = rate(&pixels, eye_distance, frame.imaginary.atan2(frame.real));
    FaceCrop { pixels, quality }
}

/// The crop's pixels: each the mean of `samples` by `samples` evenly spread places of the photograph.
fn means(
    luma: &impl Fn(usize, usize) -> f32,
    size: (usize, usize),
    frame: &Frame,
    samples: usize,
) -> Vec<u8> {
    let offset = |sample: usize| (sample as f32 + 0.5) / samples as f32 - 0.5;
    let mean = |x: usize, y: usize| {
        let mut sum = 0.0;
        for row in 0..samples {
            for column in 0..samples {
                let place = frame.place(x as f32 + offset(column), y as f32 + offset(row));
                sum += bilinear(luma, size, place);
            }
        }
        let value = sum / (samples * samples) as f32;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
        let value = value.round().clamp(0.0, 255.0) as u8;
        value
    };
    (0..CROP_SIDE * CROP_SIDE).map(|index| mean(index % CROP_SIDE, index / CROP_SIDE)).collect()
}

fn bilinear(luma: &impl Fn(usize, usize) -> f32, (width, height): (usize, usize), (x, y): (f32, f32)) -> f32 {
    let x = x.clamp(0.0, (width - 1) as f32);
    let y = y.clamp(0.0, (height - 1) as f32);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the picture")]
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
    let (across, down) = (x - left as f32, y - top as f32);
    let upper = luma(left, top) * (1.0 - across) + luma(right, top) * across;
    let lower = luma(left, bottom) * (1.0 - across) + luma(right, bottom) * across;
    upper * (1.0 - down) + lower * down
}

/// The part of a photograph that a crop is made of; the ends belong to it.
#[derive(Debug, Clone, Copy)]
struct Part {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

impl Part {
    fn of(image: &RgbImage, frame: &Frame) -> Self {
        let (first, last) = (-0.5, CROP_SIDE as f32 - 0.5);
        let corners = [(first, first), (first, last), (last, first), (last, last)];
        let places = corners.map(|(x, y)| frame.place(x, y));
        let span = |value: fn(&(f32, f32)) -> f32, limit: usize| {
            let values = places.iter().map(value);
            let (least, most) =
                values.fold((f32::MAX, f32::MIN), |(least, most), value| (least.min(value), most.max(value)));
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to the picture"
            )]
            let pixel = |value: f32| value.clamp(0.0, (limit - 1) as f32) as usize;
            (pixel(least), (pixel(most) + 1).min(limit - 1))
        };
        let (left, right) = span(|place| place.0, image.width);
        let (top, bottom) = span(|place| place.1, image.height);
        Self { left, top, right, bottom }
    }

    fn width(&self) -> usize {
        self.right - self.left + 1
    }

    fn pixels(&self) -> usize {
        self.width() * (self.bottom - self.top + 1)
    }

    /// The brightness of its pixels, row-major.
    fn grey(&self, image: &RgbImage) -> Vec<f32> {
        let rows = self.top..=self.bottom;
        rows.flat_map(|y| (self.left..=self.right).map(move |x| image.luma(x, y))).collect()
    }

    /// The brightness at a place, which rounding may have led to just beside the part.
    fn read(&self, grey: &[f32], x: usize, y: usize) -> f32 {
        let (x, y) = (x.clamp(self.left, self.right), y.clamp(self.top, self.bottom));
        grey.get((y - self.top) * self.width() + x - self.left).copied().unwrap_or_default()
    }
}

/// A similarity from the crop to the photograph: a turn with a scale, as a complex factor, then a shift.
#[derive(Debug, Clone, Copy)]
struct Frame {
    real: f32,
    imaginary: f32,
    shift: (f32, f32),
}

impl Frame {
    /// The similarity with the least squared distance between the expected and the found landmarks.
    fn of_landmarks(face: &FaceBox) -> Option<Self> {
        let expected = centre(&LANDMARKS);
        let found = centre(&face.landmarks);
        let (mut real, mut imaginary, mut spread) = (0.0, 0.0, 0.0);
        for (from, to) in LANDMARKS.iter().zip(&face.landmarks) {
            let (from_x, from_y) = (from.0 - expected.0, from.1 - expected.1);
            let (to_x, to_y) = (to.0 - found.0, to.1 - found.1);
            real += from_x * to_x + from_y * to_y;
            imaginary += from_x * to_y - from_y * to_x;
            spread += from_x * from_x + from_y * from_y;
        }
        Self::through(real / spread, imaginary / spread, expected, found)
    }

    /// Upright, by the box alone: for a face whose landmarks fall together.
    fn of_box(face: &FaceBox) -> Option<Self> {
        let found = (face.left + face.width / 2.0, face.top + face.height / 2.0);
        let middle = (CROP_SIDE as f32 - 1.0) / 2.0;
        Self::through(face.width / BOX_WIDTH, 0.0, (middle, middle), found)
    }

    /// The similarity that takes one place to another; none where the numbers lead nowhere.
    fn through(real: f32, imaginary: f32, from: (f32, f32), to: (f32, f32)) -> Option<Self> {
        let shift =
            (to.0 - (real * from.0 - imaginary * from.1), to.1 - (imaginary * from.0 + real * from.1));
        let usable = real.hypot(imaginary) > 1e-3 && shift.0.is_finite() && shift.1.is_finite();
        usable.then_some(Self { real, imaginary, shift })
    }

    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        (self.real * x - self.imaginary * y + self.shift.0, self.imaginary * x + self.real * y + self.shift.1)
    }
}

fn centre(points: &[(f32, f32); 5]) -> (f32, f32) {
    let sum = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
    (sum.0 / points.len() as f32, sum.1 / points.len() as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A photograph whose brightness grows to the right, and a face in it that is already aligned.
    fn aligned() -> (RgbImage, FaceBox) {
        let pixels = (0..48 * 48).flat_map(|index| [u8::try_from(index % 48 * 5).unwrap(); 3]).collect();
        let face =
            FaceBox { left: 4.0, top: 4.0, width: 40.0, height: 40.0, score: 0.9, landmarks: LANDMARKS };
        (RgbImage::new(48, 48, pixels).unwrap(), face)
    }

    fn moved(face: &FaceBox, change: impl Fn((f32, f32)) -> (f32, f32)) -> FaceBox {
        FaceBox { landmarks: face.landmarks.map(change), ..*face }
    }

    #[test]
    fn an_aligned_face_is_its_own_crop() {
        let (image, face) = aligned();
        let found = crop(&image, &face);
        assert_eq!(found.pixels.len(), CROP_SIDE * CROP_SIDE);
        for (index, pixel) in found.pixels.iter().enumerate() {
            assert!(pixel.abs_diff(image.pixels[3 * index]) <= 1);
        }
        assert!(found.quality > 0.0 && found.quality <= 1.0);
    }

    #[test]
    fn pixels_reckoned_once_or_each_time_are_the_same() {
        let noise = (0..200 * 160 * 3_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8);
        let image = RgbImage::new(200, 160, noise.collect()).unwrap();
        for (scale, turn, shift) in [(1.0, 0.0, 20.0), (2.7, 0.4, 30.0), (3.1, -2.0, 90.0), (5.5, 0.1, -60.0)]
        {
            let (real, imaginary) = (scale * f32::cos(turn), scale * f32::sin(turn));
            let face = moved(&aligned().1, |(x, y)| {
                (real * x - imaginary * y + shift, imaginary * x + real * y + shift)
            });
            let frame = Frame::of_landmarks(&face).unwrap();
            let samples = (frame.real.hypot(frame.imaginary).ceil() as usize).clamp(1, LARGEST_SAMPLING);
            let each = means(&|x, y| image.luma(x, y), (200, 160), &frame, samples);
            assert_eq!(crop(&image, &face).pixels, each, "{scale} {turn} {shift}");
        }
    }

    #[test]
    fn a_face_on_its_head_is_turned_upright_but_worth_little() {
        let (image, face) = aligned();
        let turned = moved(&face, |(x, y)| (47.0 - x, 47.0 - y));
        let found = crop(&image, &turned);
        let (first, last) = (usize::from(found.pixels[0]), usize::from(found.pixels[47]));
        assert!(first > 200 && last < 40, "{first} {last}");
        assert!(found.quality < 0.01);
    }

    #[test]
    fn a_large_face_is_averaged_not_picked() {
        // A fine chequerboard: every sample alone is black or white, their mean is grey.
        let pixels =
            (0..480 * 480).flat_map(|index| [if (index % 480 + index / 480) % 2 == 0 { 255 } else { 0 }; 3]);
        let image = RgbImage::new(480, 480, pixels.collect()).unwrap();
        let large = moved(&aligned().1, |(x, y)| (x * 10.0, y * 10.0));
        assert!(crop(&image, &large).pixels.iter().all(|pixel| (90..=165).contains(pixel)));
    }

    #[test]
    fn faces_at_and_beyond_the_border_and_wild_numbers_do_not_crash() {
        let (image, face) = aligned();
        for shift in [-30.0, 30.0, 5000.0, -1e30] {
            assert_eq!(crop(&image, &moved(&face, |(x, y)| (x + shift, y - shift))).pixels.len(), 48 * 48);
        }
        let together = moved(&face, |_| (20.0, 20.0));
        assert!(crop(&image, &together).pixels.iter().any(|pixel| *pixel > 0));
        let nowhere = FaceBox { width: f32::NAN, ..moved(&face, |_| (f32::NAN, f32::INFINITY)) };
        assert_eq!(crop(&image, &nowhere), FaceCrop { pixels: vec![0; 48 * 48], quality: 0.0 });
        let dot = RgbImage::new(1, 1, vec![200, 200, 200]).unwrap();
        assert!(crop(&dot, &face).pixels.iter().all(|pixel| *pixel == 200));
        let broken = RgbImage { width: 5, height: 5, pixels: vec![0; 3] };
        assert!(crop(&broken, &face).quality < 1e-6);
    }
}
