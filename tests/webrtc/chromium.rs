//! A real browser whose camera and microphone are files.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use heartline::media::{MediaLimits, read_audio, read_image};
use tempfile::TempDir;

/// Where browsers are found, after what the environment names.
const PLACES: [&str; 4] =
    ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/snap/bin/chromium"];
/// What a test needs no browser to do.
const SILENCE: [&str; 12] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-features=MediaRouter,OptimizationHints,Translate",
    "--no-first-run",
    "--no-default-browser-check",
];
/// The camera's frames a second, and how many of them show the same picture.
const FILM_RATE: usize = 10;
const REPEATS: usize = 15;

/// A running browser, ended when it is dropped.
pub(crate) struct Browser {
    process: Child,
    // The files that it reads and writes, which must outlive it.
    folder: TempDir,
}

/// The browser of this machine. Where there is none, the test says so and passes.
pub(crate) fn find() -> Option<PathBuf> {
    let named = std::env::var_os("HEARTLINE_CHROMIUM").map(PathBuf::from);
    if let Some(named) = &named {
        assert!(named.is_file(), "HEARTLINE_CHROMIUM names no file: {}", named.display());
    }
    let found = named.or_else(|| PLACES.iter().map(PathBuf::from).find(|place| place.is_file()));
    if found.is_none() {
        eprintln!("SKIPPED: no Chromium on this machine; HEARTLINE_CHROMIUM may name one");
    }
    found
}

impl Browser {
    /// Opens a page with the sample call as microphone and camera.
    pub(crate) fn open(program: &Path, page: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (sound, pictures) = (folder.path().join("microphone.wav"), folder.path().join("camera.y4m"));
        std::fs::write(&sound, wave()).unwrap();
        std::fs::write(&pictures, film()).unwrap();
        let log = std::fs::File::create(folder.path().join("log.txt")).unwrap();
        let process = Command::new(program)
            .args(SILENCE)
            .args(["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"])
            .arg(format!("--use-file-for-fake-audio-capture={}", sound.display()))
            .arg(format!("--use-file-for-fake-video-capture={}", pictures.display()))
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg("--enable-logging=stderr")
            .arg(page)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { process, folder }
    }

    /// What the page said, for the message of a test that fails.
    pub(crate) fn said(&self) -> String {
        let log = std::fs::read(self.folder.path().join("log.txt")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        log.lines().filter(|line| line.contains("CONSOLE")).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/call").join(name)
}

/// The sample's sound as a WAV file of 16 bits.
fn wave() -> Vec<u8> {
    let audio = read_audio(&sample("speech.flac"), &MediaLimits::default()).unwrap();
    let samples: Vec<u8> =
        audio.samples.iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()).collect();
    let rate = heartline::media::SAMPLE_RATE_HZ;
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((samples.len() as u32 + 36).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1, 0, 1, 0]);
    file.extend(rate.to_le_bytes());
    file.extend((rate * 2).to_le_bytes());
    file.extend([2, 0, 16, 0]);
    file.extend(b"data");
    file.extend((samples.len() as u32).to_le_bytes());
    file.extend(samples);
    file
}

/// The sample's pictures as an uncompressed film (YUV4MPEG2), each for a while. Chromium reads films of JPEG pictures as
/// well, but shows black where their colours are not subsampled, as in the sample.
fn film() -> Vec<u8> {
    let mut film = Vec::new();
    for at_ms in ["0000", "2000", "4000", "6000", "8000", "10000"] {
        let picture = read_image(&sample(&format!("frames/{at_ms}ms.jpg")), &MediaLimits::default()).unwrap();
        let (width, height) = (picture.width, picture.height);
        if film.is_empty() {
            film.extend(format!("YUV4MPEG2 W{width} H{height} F{FILM_RATE}:1 Ip A1:1 C420\n").into_bytes());
        }
        let planes = planes(&picture.pixels, width, height);
        for _ in 0..REPEATS {
            film.extend(b"FRAME\n");
            film.extend(&planes);
        }
    }
    film
}

/// Brightness of every pixel, then each colour difference of every second pixel in every second row (BT.601).
fn planes(rgb: &[u8], width: usize, height: usize) -> Vec<u8> {
    let pixel = |x: usize, y: usize| {
        let at = (y * width + x) * 3;
        [f32::from(rgb[at]), f32::from(rgb[at + 1]), f32::from(rgb[at + 2])]
    };
    let weigh = |[red, green, blue]: [f32; 3], [r, g, b]: [f32; 3], offset: f32| {
        (red * r + green * g + blue * b + offset).round() as u8
    };
    let mut planes = Vec::with_capacity(width * height * 3 / 2);
    for y in 0..height {
        planes.extend((0..width).map(|x| weigh(pixel(x, y), [0.257, 0.504, 0.098], 16.0)));
    }
    for weights in [[-0.148, -0.291, 0.439], [0.439, -0.368, -0.071]] {
        for y in (0..height).step_by(2) {
            planes.extend((0..width).step_by(2).map(|x| weigh(pixel(x, y), weights, 128.0)));
        }
    }
    planes
}
