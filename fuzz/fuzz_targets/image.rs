//! An encoded image: JPEG, PNG or WebP.
#![no_main]

use heartline::media::{MediaLimits, decode_image};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = MediaLimits { max_image_pixels: 1 << 20, ..MediaLimits::default() };
    if let Ok(image) = decode_image(bytes, &limits) {
        assert_eq!(image.pixels.len(), image.width * image.height * 3);
    }
});
