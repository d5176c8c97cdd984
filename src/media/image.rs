//! Encoded images become RGB: JPEG, PNG and WebP, turned upright.

use std::io::Cursor;

use heartline_models::RgbImage;
use image::error::LimitErrorKind;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::fence::fenced;
use super::{MediaError, MediaLimits, file};

/// Decodes one image. Its dimensions are checked before its pixels are decoded, its orientation (EXIF) is honoured,
/// transparency is dropped, and of an animation the first picture is taken.
///
/// # Errors
/// Whatever is wrong with the bytes, see [`MediaError`]. An image that is cut off is an error: decoders would fill
/// the rest with grey, and half a face reads as another face.
pub fn decode_image(bytes: &[u8], limits: &MediaLimits) -> Result<RgbImage, MediaError> {
    if bytes.is_empty() {
        return Err(MediaError::Empty { what: "image" });
    }
    file::check_bytes(bytes, limits.max_image_bytes)?;
    let format = image::guess_format(bytes)
        .ok()
        .filter(|format| [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP].contains(format))
        .ok_or(MediaError::UnknownFormat { what: "image", expected: "JPEG, PNG or WebP" })?;
    let upright = fenced(|| decode_upright(bytes, format, limits))?;
    if format == ImageFormat::Jpeg && !jpeg_ends(bytes) {
        return Err(MediaError::Truncated("the JPEG has no end".to_owned()));
    }
    let (width, height) = (upright.width() as usize, upright.height() as usize);
    RgbImage::new(width, height, upright.into_rgb8().into_raw())
        .map_err(|error| MediaError::Damaged(error.to_string()))
}

fn decode_upright(
    bytes: &[u8],
    format: ImageFormat,
    limits: &MediaLimits,
) -> Result<DynamicImage, MediaError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut allowed = Limits::default();
    // No decoder here needs more than four channels of 16 bits, twice, and a few tables.
    allowed.max_alloc = Some(limits.max_image_pixels.saturating_mul(16).saturating_add(1 << 22));
    reader.limits(allowed);
    let mut decoder = reader.into_decoder().map_err(explain)?;
    let (width, height) = decoder.dimensions();
    check_dimensions(width, height, limits)?;
    let orientation = decoder.orientation().map_err(explain)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(explain)?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn check_dimensions(width: u32, height: u32, limits: &MediaLimits) -> Result<(), MediaError> {
    if width.max(height) > limits.max_image_side {
        return Err(MediaError::TooWide { limit: limits.max_image_side, width, height });
    }
    let found = u64::from(width) * u64::from(height);
    if found > limits.max_image_pixels {
        return Err(MediaError::TooManyPixels { limit: limits.max_image_pixels, found });
    }
    Ok(())
}

/// Whether a JPEG's last scan is closed. Within a scan's data 0xff is always followed by a zero or a restart marker,
/// so the last start of a scan and an end marker after it are unmistakable, and so is a thumbnail before both.
fn jpeg_ends(bytes: &[u8]) -> bool {
    let last = |marker| bytes.windows(2).rposition(|pair| pair == [0xff, marker]);
    match (last(0xda), last(0xd9)) {
        (Some(scan), Some(end)) => end > scan,
        _ => false,
    }
}

fn explain(error: ImageError) -> MediaError {
    match error {
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            MediaError::Truncated("the image ends early".to_owned())
        }
        ImageError::Unsupported(error) => MediaError::Unsupported(error.to_string()),
        ImageError::Limits(error) if error.kind() == LimitErrorKind::InsufficientMemory => {
            MediaError::Unsupported("decoding the image would take too much memory".to_owned())
        }
        error => MediaError::Damaged(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;

    use super::*;

    /// A red pixel at the top left of blue ones.
    fn picture(width: u32, height: u32) -> image::RgbImage {
        image::RgbImage::from_fn(width, height, |x, y| {
            image::Rgb(if x < width / 2 && y < height / 2 { [255, 0, 0] } else { [0, 0, 255] })
        })
    }

    fn encoded(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture(width, height).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn code(bytes: &[u8], limits: &MediaLimits) -> &'static str {
        decode_image(bytes, limits).unwrap_err().code()
    }

    #[test]
    fn every_format_gives_the_picture() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let image = decode_image(&encoded(64, 32, format), &MediaLimits::default()).unwrap();
            assert_eq!((image.width, image.height), (64, 32), "{format:?}");
            assert!(image.pixels[0] > 200 && image.pixels[2] < 60, "{format:?}");
            let last = image.pixels.len();
            assert!(image.pixels[last - 1] > 200, "{format:?}");
        }
    }

    #[test]
    fn an_orientation_is_honoured() {
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
        // A TIFF header with one entry: orientation 6, turn clockwise to show.
        let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        image::ImageEncoder::set_exif_metadata(&mut encoder, exif.to_vec()).unwrap();
        encoder.encode_image(&picture(64, 32)).unwrap();
        let image = decode_image(&bytes, &MediaLimits::default()).unwrap();
        assert_eq!((image.width, image.height), (32, 64));
        // The red quarter moves from the top left to the top right.
        assert!(image.pixels[31 * 3] > 200 && image.pixels[0] < 60);
    }

    #[test]
    fn large_images_are_refused_before_they_are_decoded() {
        let limits = MediaLimits { max_image_pixels: 2_047, ..MediaLimits::default() };
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            assert_eq!(code(&encoded(64, 32, format), &limits), "image_too_many_pixels");
        }
        let limits = MediaLimits { max_image_side: 63, ..MediaLimits::default() };
        assert_eq!(code(&encoded(64, 32, ImageFormat::Png), &limits), "image_too_wide");
        let limits = MediaLimits { max_image_bytes: 10, ..MediaLimits::default() };
        assert_eq!(code(&encoded(64, 32, ImageFormat::Png), &limits), "media_too_many_bytes");
    }

    #[test]
    fn a_header_that_lies_about_its_size_is_refused() {
        let mut bytes = encoded(64, 32, ImageFormat::Png);
        // Width and height in the PNG header, then its checksum, which decoders may or may not look at first.
        bytes[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
        assert!(decode_image(&bytes, &MediaLimits::default()).is_err());
        let mut bytes = encoded(64, 32, ImageFormat::Jpeg);
        let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        bytes[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
        assert_eq!(code(&bytes, &MediaLimits::default()), "image_too_wide");
    }

    #[test]
    fn images_that_are_cut_off_are_refused() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let bytes = encoded(64, 32, format);
            for share in [3, 5, 7, 9] {
                let cut = &bytes[..bytes.len() * share / 10];
                let code = code(cut, &MediaLimits::default());
                assert!(["media_truncated", "media_damaged"].contains(&code), "{format:?} {share}: {code}");
            }
        }
    }

    #[test]
    fn other_formats_are_named_as_unknown() {
        for bytes in [&b"GIF89a......"[..], b"hello", b"RIFF\0\0\0\0WAVEfmt "] {
            assert_eq!(code(bytes, &MediaLimits::default()), "media_unknown_format");
        }
        assert_eq!(code(b"", &MediaLimits::default()), "media_empty");
    }
}
