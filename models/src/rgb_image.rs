//! A decoded picture: eight bits a channel, red, green, blue.

use crate::ModelError;

/// The bytes of one pixel.
const CHANNELS: usize = 3;

/// A picture in memory, row-major.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbImage {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The bytes: row-major, three a pixel.
    pub pixels: Vec<u8>,
}

impl RgbImage {
    /// A picture of `width * height * 3` bytes.
    ///
    /// # Errors
    /// [`ModelError::Input`] where a side is 0 or the bytes do not fit the sides.
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Result<Self, ModelError> {
        let image = Self { width, height, pixels };
        image.check()?;
        Ok(image)
    }

    /// Checks that the bytes fit the sides, which everybody can change.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn check(&self) -> Result<(), ModelError> {
        let Self { width, height, pixels } = self;
        let bytes = width.checked_mul(*height).and_then(|area| area.checked_mul(CHANNELS));
        if *width == 0 || *height == 0 || bytes != Some(pixels.len()) {
            return Err(ModelError::Input(format!(
                "{} bytes do not make a picture of {width} x {height} pixels",
                pixels.len()
            )));
        }
        Ok(())
    }

    /// Red, green and blue at a place; black outside of the picture.
    pub(crate) fn pixel(&self, x: usize, y: usize) -> [u8; CHANNELS] {
        let start = if x < self.width { y.saturating_mul(self.width).saturating_add(x) } else { usize::MAX };
        let bytes = start.checked_mul(CHANNELS).and_then(|start| self.pixels.get(start..)?.first_chunk());
        bytes.copied().unwrap_or_default()
    }

    /// Brightness of a pixel, 0 to 255, by the weights of BT.601 that grey photographs are commonly made with.
    pub(crate) fn luma(&self, x: usize, y: usize) -> f32 {
        let [red, green, blue] = self.pixel(x, y).map(f32::from);
        0.299 * red + 0.587 * green + 0.114 * blue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_row_major() {
        let image = RgbImage::new(2, 1, vec![255, 0, 0, 0, 0, 255]).unwrap();
        assert_eq!(image.pixel(1, 0), [0, 0, 255]);
        assert!((image.luma(0, 0) - 76.245).abs() < 1e-3);
        assert_eq!([image.pixel(2, 0), image.pixel(0, 1)], [[0; 3]; 2]);
    }

    #[test]
    fn bytes_must_fit_the_sides() {
        for (width, height, bytes) in [(0, 1, 0), (1, 0, 0), (2, 2, 11), (usize::MAX, 2, 6)] {
            assert!(matches!(RgbImage::new(width, height, vec![0; bytes]), Err(ModelError::Input(_))));
        }
    }
}
