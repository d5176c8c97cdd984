//! The first step of a call's road: bytes become windows of speech, pictures and agents, on workers.

use std::time::Instant;

use heartline_models::RgbImage;

use super::material::{AgentList, EncodedFrame, Frames};
use super::{App, AppError, CallOptions};
use crate::media::{
    self, Audio, AudioFormat, Frame, MediaError, MediaLimits, SpeechWindow, WindowConfig, decode_audio,
    decode_image, speech_windows,
};
use crate::routing::Agent;
use crate::telemetry::record;

/// The latest media time of a frame, in milliseconds: a day.
const TIME_LIMIT_MS: u64 = 86_400_000;

/// What the material holds.
#[derive(Default)]
pub(super) struct Decoded {
    /// The audio's length, in milliseconds; none where there is no audio.
    pub(super) audio_ms: Option<u64>,
    /// The stretches of the audio where somebody speaks.
    pub(super) windows: Vec<SpeechWindow>,
    /// The pictures in order of time; none where no frames were given.
    pub(super) frames: Option<Vec<Frame>>,
    /// The agents to rank; none where none were given.
    pub(super) agents: Option<Vec<Agent>>,
}

impl Decoded {
    /// The latest media time, in milliseconds.
    pub(super) fn duration_ms(&self) -> u64 {
        let last_frame = self.frames.iter().flatten().map(|frame| frame.timestamp_ms).max();
        self.audio_ms.max(last_frame).unwrap_or(0)
    }
}

impl App {
    /// Decodes everything side by side, as far as there are workers.
    pub(super) async fn decode(
        &self,
        audio: Option<Vec<u8>>,
        frames: Frames,
        agents: Option<AgentList>,
        options: &CallOptions,
    ) -> Result<Decoded, AppError> {
        let (audio, frames, agents) = tokio::try_join!(
            self.decode_speech(audio, options),
            self.decode_frames(frames, options),
            self.read_agents(agents),
        )?;
        let (audio_ms, windows) = audio.map_or((None, Vec::new()), |(ms, windows)| (Some(ms), windows));
        Ok(Decoded { audio_ms, windows, frames, agents })
    }

    async fn decode_speech(
        &self,
        audio: Option<Vec<u8>>,
        options: &CallOptions,
    ) -> Result<Option<(u64, Vec<SpeechWindow>)>, AppError> {
        let Some(bytes) = audio else { return Ok(None) };
        let limits = self.config().media.clone();
        let format = options.audio_format.map_or(AudioFormat::Auto, AudioFormat::from);
        let decoded = self.run_blocking(move || {
            let started = Instant::now();
            let audio: Audio = decode_audio(&bytes, format, &limits)?;
            record::decode("audio", started.elapsed());
            drop(bytes);
            Ok((audio.duration_ms(), speech_windows(&audio, &WindowConfig::default())))
        });
        decoded.await?.map(Some).map_err(AppError::Audio)
    }

    async fn decode_frames(
        &self,
        frames: Frames,
        options: &CallOptions,
    ) -> Result<Option<Vec<Frame>>, AppError> {
        let mut limits = self.config().media.clone();
        if let Some(interval_ms) = options.frame_interval_ms {
            limits.frame_interval_ms = interval_ms;
        }
        match frames {
            Frames::None => Ok(None),
            Frames::Encoded(encoded) => {
                self.run_blocking(move || decode_encoded(encoded, &limits)).await?.map(Some)
            }
            Frames::Path(path) => {
                let read = self.run_blocking(move || {
                    media::read_frames(&path, &limits)
                        .map_err(|source| AppError::Frame { frame: path.display().to_string(), source })
                });
                read.await?.map(Some)
            }
        }
    }

    async fn read_agents(&self, agents: Option<AgentList>) -> Result<Option<Vec<Agent>>, AppError> {
        let Some(list) = agents else { return Ok(None) };
        let limits = self.config().routing.limits.clone();
        self.run_blocking(move || list.into_agents(&limits)).await?.map(Some).map_err(AppError::Agents)
    }
}

/// Decodes frames that came in memory, in order of time. A frame without a time follows the one before it.
fn decode_encoded(encoded: Vec<EncodedFrame>, limits: &MediaLimits) -> Result<Vec<Frame>, AppError> {
    let fault = |index: usize, source| AppError::Frame { frame: format!("frame {}", index + 1), source };
    let found = encoded.len();
    if found > limits.max_frames {
        return Err(fault(limits.max_frames, MediaError::TooManyFrames { limit: limits.max_frames, found }));
    }
    let mut frames: Vec<Frame> = Vec::with_capacity(found);
    let mut pixels = 0;
    for (index, frame) in encoded.into_iter().enumerate() {
        if frame.timestamp_ms.is_some_and(|timestamp_ms| timestamp_ms > TIME_LIMIT_MS) {
            let reason = format!("its time is beyond {TIME_LIMIT_MS} ms");
            return Err(fault(index, MediaError::Damaged(reason)));
        }
        let started = Instant::now();
        let image: RgbImage = decode_image(&frame.bytes, limits).map_err(|source| fault(index, source))?;
        record::decode("image", started.elapsed());
        pixels += (image.width * image.height) as u64;
        if pixels > limits.max_frames_pixels {
            return Err(fault(
                index,
                MediaError::TooManyPixels { limit: limits.max_frames_pixels, found: pixels },
            ));
        }
        let following =
            frames.last().map_or(0, |last| last.timestamp_ms.saturating_add(limits.frame_interval_ms));
        frames.push(Frame { timestamp_ms: frame.timestamp_ms.unwrap_or(following), image });
    }
    frames.sort_by_key(|frame| frame.timestamp_ms);
    Ok(frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::RgbImage::new(width, 8).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    fn frame(width: u32, timestamp_ms: Option<u64>) -> EncodedFrame {
        EncodedFrame { timestamp_ms, bytes: png(width) }
    }

    #[test]
    fn frames_without_times_follow_each_other() {
        let limits = MediaLimits { frame_interval_ms: 40, ..MediaLimits::default() };
        let frames =
            decode_encoded(vec![frame(8, Some(900)), frame(9, None), frame(10, Some(5))], &limits).unwrap();
        let times: Vec<_> = frames.iter().map(|frame| (frame.timestamp_ms, frame.image.width)).collect();
        assert_eq!(times, [(5, 10), (900, 8), (940, 9)]);
    }

    #[test]
    fn a_bad_frame_is_named_by_its_place() {
        let bad = EncodedFrame { timestamp_ms: None, bytes: b"no picture".to_vec() };
        let error = decode_encoded(vec![frame(8, None), bad], &MediaLimits::default()).unwrap_err();
        assert!(matches!(error, AppError::Frame { frame, .. } if frame == "frame 2"));
    }

    #[test]
    fn a_time_beyond_a_day_is_refused() {
        let error = decode_encoded(vec![frame(8, Some(u64::MAX))], &MediaLimits::default()).unwrap_err();
        assert!(matches!(error, AppError::Frame { source: MediaError::Damaged(_), .. }));
    }

    #[test]
    fn count_and_pixels_are_limited() {
        let few = MediaLimits { max_frames: 1, ..MediaLimits::default() };
        let small = MediaLimits { max_frames_pixels: 100, ..MediaLimits::default() };
        for (limits, what) in [(few, "count"), (small, "pixels")] {
            let error = decode_encoded(vec![frame(8, None), frame(8, None)], &limits).unwrap_err();
            let AppError::Frame { source, .. } = error else { panic!("{what}") };
            assert!(
                matches!(source, MediaError::TooManyFrames { .. } | MediaError::TooManyPixels { .. }),
                "{what}"
            );
        }
    }
}
