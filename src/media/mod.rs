//! Untrusted bytes become bounded PCM, RGB or lines of text.
//!
//! Every input has a limit ([`MediaLimits`]) that is checked on what the input declares, before memory is taken for
//! it, and again on what really comes. Whatever is wrong becomes a [`MediaError`]; bytes never end the process.
//! Nothing here is async: callers run it where CPU work belongs.

mod audio;
mod clip;
mod container;
mod downmix;
mod error;
mod fence;
mod file;
mod frames;
mod image;
mod limits;
mod raw;
mod resample;
mod sniff;
mod speech;
pub mod stream;
mod transcript;

pub use audio::{Audio, AudioFormat, SAMPLE_RATE_HZ, decode_audio, read_audio};
pub use clip::{Clip, cut_clip};
pub use error::MediaError;
pub use frames::{Frame, frame_time_ms, is_image, read_frames, read_image};
pub use image::decode_image;
pub use limits::MediaLimits;
pub use raw::RawFormat;
pub use speech::{SpeechWindow, WindowConfig, speech_windows};
pub use stream::{AudioStream, SpeechEvent, SpeechStream, StreamFormat};
pub use transcript::{TranscriptLine, parse_transcript, read_transcript};
