//! The pipelines: files as people have them, led through the media room with its limits, then read.
//!
//! The bytes are decoded on the worker pool. A file that cannot be read fails its request, and the message names its
//! row.

use std::time::Instant;

use axum::body::Bytes;
use heartline_models::RgbImage;
use heartline_models::detector::FaceBox;
use heartline_models::face::LABEL_COUNT;
use heartline_models::voice::VoicePrediction;

use super::compute::{DIMENSIONS, FACE_DIMENSIONS, unfit};
use super::execute::Computed;
use super::readings::{Readings, column, places};
use super::{Inference, Tensor, Values};
use crate::app::{AppError, HeardWindow, hear_caller, in_steps};
use crate::emotion::Span;
use crate::engine::Terms;
use crate::http::ApiError;
use crate::media::{
    AudioFormat, MediaError, MediaLimits, SAMPLE_RATE_HZ, SpeechWindow, decode_audio, decode_image,
};
use crate::predict::{CutClip, clip_finding, cut_whole, take_single};
use crate::telemetry::record;

/// Pictures that one request to the engine has; they are larger than other rows.
const PICTURES_PER_STEP: usize = 8;

impl Inference {
    pub(super) async fn audio_files(&self, input: Tensor, terms: Terms) -> Result<Computed, ApiError> {
        let Values::Elements(files) = input.values else { return Err(unfit()) };
        let limits = self.app().config().media.clone();
        let started = Instant::now();
        let decode = move || decode_clips(&files, &limits, terms.deadline);
        let mut clips = self.app().run_blocking(decode).await.map_err(AppError::from)??;
        let reading = started.elapsed();

        let single = take_single(clips.iter_mut());
        let engine = self.app().engine();
        let mut answers = engine.analyze_voice(single, terms).await.map_err(AppError::from)?.into_iter();
        let mut readings = Readings::new(0, DIMENSIONS);
        let mut durations = Vec::with_capacity(clips.len());
        for (row, decoded) in clips.into_iter().enumerate() {
            durations.push(i32::try_from(decoded.duration_ms).unwrap_or(i32::MAX));
            let heard = self.hear(decoded.clip.windows, &mut answers, terms).await?;
            let finding = clip_finding(heard, decoded.clip.has_speech);
            let finding = finding.ok_or_else(|| audio_fault(row, MediaError::Empty { what: "audio" }))?;
            readings.add_clip(&finding);
        }
        let (mut tensors, labels) = readings.into_tensors();
        tensors.push(column("duration_ms", Values::Integers(durations)));
        Ok(Computed { tensors, labels, reading })
    }

    /// The windows of one clip: the next of the answers where it is one, heard now where there are several.
    async fn hear(
        &self,
        windows: Vec<SpeechWindow>,
        answers: &mut impl Iterator<Item = VoicePrediction>,
        terms: Terms,
    ) -> Result<Vec<HeardWindow>, ApiError> {
        if let [SpeechWindow { start_ms, end_ms, speech_share, .. }] = windows[..] {
            let prediction = answers.next().ok_or_else(unfit)?;
            return Ok(vec![HeardWindow { span: Span::new(start_ms, end_ms), speech_share, prediction }]);
        }
        Ok(hear_caller(self.app().engine(), windows, terms).await.map_err(AppError::from)?)
    }

    pub(super) async fn image_files(&self, input: Tensor, terms: Terms) -> Result<Computed, ApiError> {
        let Values::Elements(files) = input.values else { return Err(unfit()) };
        let limits = self.app().config().media.clone();
        let started = Instant::now();
        let decode = move || decode_images(&files, &limits, terms.deadline);
        let images = self.app().run_blocking(decode).await.map_err(AppError::from)??;
        let reading = started.elapsed();

        let mut readings = Readings::new(LABEL_COUNT, FACE_DIMENSIONS);
        let mut faces: Vec<(usize, FaceBox)> = Vec::new();
        let ask = |pictures| self.app().engine().analyze_frames(pictures, terms);
        let found = in_steps(images, PICTURES_PER_STEP, ask).await.map_err(AppError::from)?;
        for (picture, seen) in found.into_iter().enumerate() {
            for one in seen {
                readings.add_face(&one.prediction);
                faces.push((picture, one.face));
            }
        }
        let (columns, labels) = readings.into_tensors();
        let mut tensors = places(&faces);
        tensors.extend(columns);
        Ok(Computed { tensors, labels, reading })
    }
}

/// Decodes clips one after the other; all of them together may be as long as one audio file may.
fn decode_clips(
    files: &[Bytes],
    limits: &MediaLimits,
    deadline: Option<Instant>,
) -> Result<Vec<CutClip>, ApiError> {
    let longest = u64::from(limits.max_audio_seconds) * u64::from(SAMPLE_RATE_HZ);
    let mut clips = Vec::with_capacity(files.len());
    let mut samples = 0;
    for (row, file) in files.iter().enumerate() {
        check_time(deadline)?;
        let started = Instant::now();
        let decoded = decode_audio(file, AudioFormat::Auto, limits);
        let audio = decoded.map_err(|source| audio_fault(row, source))?;
        record::decode("audio", started.elapsed());
        samples += audio.samples.len() as u64;
        if samples > longest {
            let found_seconds = samples / u64::from(SAMPLE_RATE_HZ);
            let source = MediaError::TooLong { limit_seconds: limits.max_audio_seconds, found_seconds };
            return Err(audio_fault(row, source));
        }
        clips.push(cut_whole(audio));
    }
    Ok(clips)
}

/// Decodes pictures one after the other, all together within the limits on the frames of one call.
fn decode_images(
    files: &[Bytes],
    limits: &MediaLimits,
    deadline: Option<Instant>,
) -> Result<Vec<RgbImage>, ApiError> {
    if files.len() > limits.max_frames {
        let source = MediaError::TooManyFrames { limit: limits.max_frames, found: files.len() };
        return Err(image_fault(limits.max_frames, source));
    }
    let mut images = Vec::with_capacity(files.len());
    let mut pixels = 0;
    for (row, file) in files.iter().enumerate() {
        check_time(deadline)?;
        let started = Instant::now();
        let image = decode_image(file, limits).map_err(|source| image_fault(row, source))?;
        record::decode("image", started.elapsed());
        pixels += (image.width * image.height) as u64;
        if pixels > limits.max_frames_pixels {
            let source = MediaError::TooManyPixels { limit: limits.max_frames_pixels, found: pixels };
            return Err(image_fault(row, source));
        }
        images.push(image);
    }
    Ok(images)
}

/// Ends work that nobody waits for any more.
fn check_time(deadline: Option<Instant>) -> Result<(), ApiError> {
    match deadline {
        Some(deadline) if Instant::now() >= deadline => Err(AppError::Deadline.into()),
        _ => Ok(()),
    }
}

fn audio_fault(row: usize, source: MediaError) -> ApiError {
    let error = ApiError::from(AppError::Audio(source));
    ApiError { message: format!("row {row}: {}", error.message), ..error }
}

fn image_fault(row: usize, source: MediaError) -> ApiError {
    AppError::Frame { frame: format!("row {row}"), source }.into()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::time::Duration;

    use super::*;
    use crate::http::ErrorCode;

    fn png(width: u32) -> Bytes {
        let mut bytes = Cursor::new(Vec::new());
        image::RgbImage::new(width, 8).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        Bytes::from(bytes.into_inner())
    }

    /// A WAV file of silence: 16 kHz, one channel, 16 bits.
    fn wav(samples: u32) -> Bytes {
        let mut file = b"RIFF".to_vec();
        file.extend((36 + samples * 2).to_le_bytes());
        file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        file.extend(16_000_u32.to_le_bytes());
        file.extend(32_000_u32.to_le_bytes());
        file.extend(b"\x02\0\x10\0data");
        file.extend((samples * 2).to_le_bytes());
        file.resize(file.len() + samples as usize * 2, 0);
        Bytes::from(file)
    }

    #[test]
    fn all_clips_together_are_limited() {
        let limits = MediaLimits { max_audio_seconds: 2, ..MediaLimits::default() };
        let clips = decode_clips(&[wav(1_600), wav(16_000)], &limits, None).unwrap();
        let lengths: Vec<_> = clips.iter().map(|clip| clip.duration_ms).collect();
        assert_eq!(lengths, [100, 1_000]);
        assert_eq!(clips[0].clip.windows[0].samples.len(), 6_400);
        let error = decode_clips(&[wav(16_000), wav(16_000), wav(16_000)], &limits, None).err().unwrap();
        assert_eq!(error.code, ErrorCode::AudioTooLarge);
        assert!(error.message.starts_with("row 2: "), "{}", error.message);
    }

    #[test]
    fn all_pictures_together_are_limited() {
        let limits = MediaLimits { max_frames: 2, max_frames_pixels: 100, ..MediaLimits::default() };
        assert_eq!(decode_images(&[png(8)], &limits, None).unwrap().len(), 1);
        for files in [vec![png(8), png(8)], vec![png(1); 3]] {
            let error = decode_images(&files, &limits, None).unwrap_err();
            assert_eq!(error.code, ErrorCode::FrameTooLarge);
        }
    }

    #[test]
    fn a_bad_file_is_named_by_its_row() {
        let bad = Bytes::from_static(b"neither sound nor picture");
        let error = decode_clips(&[wav(8_000), bad.clone()], &MediaLimits::default(), None).err().unwrap();
        assert!(error.code == ErrorCode::AudioUnreadable && error.message.starts_with("row 1"));
        let error = decode_images(&[bad], &MediaLimits::default(), None).unwrap_err();
        assert!(error.code == ErrorCode::FrameUnreadable && error.message.contains("row 0"));
    }

    #[test]
    fn decoding_stops_at_the_deadline() {
        let passed = Instant::now().checked_sub(Duration::from_millis(1));
        let error = decode_clips(&[wav(8_000)], &MediaLimits::default(), passed).err().unwrap();
        assert_eq!(error.code, ErrorCode::DeadlineExceeded);
        decode_images(&[png(8)], &MediaLimits::default(), passed).unwrap_err();
    }
}
