//! Bytes of no meaning, and real files with some of their bytes changed: an answer always comes, and it is a value.

use heartline::media::{AudioFormat, MediaLimits, RawFormat, decode_audio, decode_image, parse_transcript};
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_oneof, proptest};

use crate::containers::ALL;
use crate::wav::Wav;

fn limits() -> MediaLimits {
    MediaLimits {
        max_audio_seconds: 5,
        max_image_pixels: 1 << 20,
        max_transcript_lines: 20,
        ..MediaLimits::default()
    }
}

fn image(format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_fn(48, 32, |x, y| image::Rgb([x as u8 * 5, y as u8 * 7, 90]));
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Changes some bytes, and may cut the end off.
fn mutated(originals: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changes = vec((any::<proptest::sample::Index>(), any::<u8>()), 0..12);
    let choice = any::<proptest::sample::Index>();
    (choice, changes, any::<bool>(), any::<proptest::sample::Index>()).prop_map(
        move |(choice, changes, is_cut, end)| {
            let mut bytes = choice.get(&originals).clone();
            for (index, value) in changes {
                let place = index.index(bytes.len());
                bytes[place] = value;
            }
            if is_cut {
                bytes.truncate(end.index(bytes.len()));
            }
            bytes
        },
    )
}

/// Changes that stay within the headers, where they do the most.
fn mutated_headers(originals: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changes = vec((0..160_usize, any::<u8>()), 1..6);
    (any::<proptest::sample::Index>(), changes).prop_map(move |(choice, changes)| {
        let mut bytes = choice.get(&originals).clone();
        for (place, value) in changes {
            let place = place % bytes.len();
            bytes[place] = value;
        }
        bytes
    })
}

fn audio_files() -> Vec<Vec<u8>> {
    let mut files: Vec<Vec<u8>> = ALL.iter().map(|(_, bytes)| bytes.to_vec()).collect();
    files.push(Wav::new(8_000, 2, &[500; 4_000]).bytes());
    files
}

fn image_files() -> Vec<Vec<u8>> {
    [image::ImageFormat::Jpeg, image::ImageFormat::Png, image::ImageFormat::WebP].map(image).to_vec()
}

/// Random bytes behind the first bytes of a format.
fn with_magic(magic: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    (proptest::sample::select(magic), vec(any::<u8>(), 0..2_000))
        .prop_map(|(magic, rest)| [magic, &rest].concat())
}

const AUDIO_MAGIC: &[&[u8]] = &[
    b"",
    b"RIFF\xff\xff\xff\xffWAVE",
    b"fLaC",
    b"OggS",
    b"\0\0\0\x18ftyp",
    b"\xff\xfb",
    b"\xff\xf1",
    b"ID3\x04\0\0",
];
const IMAGE_MAGIC: &[&[u8]] = &[b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\xff\xff\xffWEBP"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn audio_never_panics(
        bytes in prop_oneof![with_magic(AUDIO_MAGIC), mutated(audio_files()), mutated_headers(audio_files())],
    ) {
        if let Ok(audio) = decode_audio(&bytes, AudioFormat::Auto, &limits()) {
            prop_assert!(!audio.samples.is_empty() && audio.samples.len() <= 5 * 16_000 + 1);
            prop_assert!(audio.samples.iter().all(|sample| (-1.0..=1.0).contains(sample)));
        }
    }

    #[test]
    fn raw_audio_never_panics(
        bytes in vec(any::<u8>(), 0..4_000),
        sample_rate_hz in any::<u32>(),
        channels in prop_oneof![0_u16..12, any::<u16>()],
        is_mu_law in any::<bool>(),
    ) {
        let format = if is_mu_law {
            RawFormat::MuLaw { sample_rate_hz, channels }
        } else {
            RawFormat::PcmS16le { sample_rate_hz, channels }
        };
        let _ = decode_audio(&bytes, AudioFormat::Raw(format), &limits());
    }

    #[test]
    fn images_never_panic(
        bytes in prop_oneof![with_magic(IMAGE_MAGIC), mutated(image_files()), mutated_headers(image_files())],
    ) {
        if let Ok(image) = decode_image(&bytes, &limits()) {
            prop_assert!(image.width * image.height <= 1 << 20);
            prop_assert!(image.pixels.len() == image.width * image.height * 3);
        }
    }

    #[test]
    fn transcripts_never_panic(
        bytes in prop_oneof![
            vec(any::<u8>(), 0..500),
            "[\\[\\]0-9:. –{}\"a-z客户：\n-]{0,200}".prop_map(String::into_bytes),
            Just(b"[00:01 - ".to_vec()),
        ],
    ) {
        if let Ok(lines) = parse_transcript(&bytes, &limits()) {
            prop_assert!(!lines.is_empty() && lines.len() <= 20);
            prop_assert!(lines.iter().all(|line| !line.text.is_empty()));
        }
    }
}
