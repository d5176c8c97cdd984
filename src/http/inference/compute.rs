//! The engine's own models: tensors become rows, predictions become tensors.

use axum::body::Bytes;
use heartline_models::RgbImage;
use heartline_models::detector::FaceBox;
use heartline_models::face::{CROP_SIDE, FaceCrop, LABEL_COUNT};
use heartline_models::voice::{LONGEST_MS, SAMPLE_RATE_HZ, SHORTEST_MS};

use super::catalogue::Served;
use super::execute::Computed;
use super::fault::invalid;
use super::readings::{Readings, column, places, service};
use super::{Inference, Tensor, Values};
use crate::app::{AppError, TextLanguage};
use crate::engine::Terms;
use crate::http::{ApiError, ErrorCode};
use crate::predict::whole_crop;

/// The dimensions of words and voices: valence, arousal and dominance; a face shows no dominance.
pub(super) const DIMENSIONS: usize = 3;
pub(super) const FACE_DIMENSIONS: usize = 2;

impl Inference {
    /// Has a model compute one input, which fits what the catalogue says of it.
    pub(super) async fn compute(
        &self,
        served: Served,
        input: Tensor,
        terms: Terms,
    ) -> Result<Computed, ApiError> {
        match served {
            Served::Text => self.texts(input, terms, false).await,
            Served::TextEmotion => self.texts(input, terms, true).await,
            Served::Voice => self.waveforms(&input, terms).await,
            Served::Detector => self.frames(input, terms).await,
            Served::Face => self.crops(input, terms).await,
            Served::VoiceEmotion => self.audio_files(input, terms).await,
            Served::FaceEmotion => self.image_files(input, terms).await,
        }
    }

    async fn texts(&self, input: Tensor, terms: Terms, with_language: bool) -> Result<Computed, ApiError> {
        let texts = texts_of(&input, self.app().config().media.max_line_characters)?;
        let languages = if with_language { Some(self.languages(&texts).await?) } else { None };
        let found = self.app().engine().analyze_texts(texts, terms).await.map_err(AppError::from)?;
        let mut readings = Readings::new(0, DIMENSIONS);
        for (row, prediction) in found.iter().enumerate() {
            let language = languages.as_ref().and_then(|languages| languages.get(row));
            readings.add_text(prediction, language.is_none_or(|language| language.is_readable));
        }
        let (mut tensors, labels) = readings.into_tensors();
        tensors.push(service(&found));
        if let Some(languages) = languages {
            let tag = |language: &TextLanguage| Bytes::from(language.found.tag.clone().unwrap_or_default());
            tensors.push(column("language", Values::Elements(languages.iter().map(tag).collect())));
            let confidence = languages.iter().map(|language| language.found.confidence).collect();
            tensors.push(column("language_confidence", Values::Floats(confidence)));
        }
        Ok(Computed { tensors, labels, ..Computed::default() })
    }

    async fn languages(&self, texts: &[String]) -> Result<Vec<TextLanguage>, ApiError> {
        let texts = texts.to_vec();
        let detecting =
            self.app().run_blocking(move || texts.iter().map(|text| TextLanguage::of(text, None)).collect());
        Ok(detecting.await.map_err(AppError::from)?)
    }

    async fn waveforms(&self, input: &Tensor, terms: Terms) -> Result<Computed, ApiError> {
        let (Values::Floats(samples), [_, length]) = (&input.values, input.shape.as_slice()) else {
            return Err(unfit());
        };
        let shortest = (SHORTEST_MS * (SAMPLE_RATE_HZ / 1_000)) as usize;
        let longest = (LONGEST_MS * (SAMPLE_RATE_HZ / 1_000)) as usize;
        if !(shortest..=longest).contains(length) {
            let message = format!("a waveform has {shortest} to {longest} samples at 16 kHz, not {length}");
            return Err(invalid(message));
        }
        let clips: Vec<Vec<f32>> = samples.chunks(*length).map(<[f32]>::to_vec).collect();
        let found = self.app().engine().analyze_voice(clips, terms).await.map_err(AppError::from)?;
        let mut readings = Readings::new(0, DIMENSIONS);
        found.iter().for_each(|prediction| readings.add_voice(prediction));
        let (tensors, labels) = readings.into_tensors();
        Ok(Computed { tensors, labels, ..Computed::default() })
    }

    async fn frames(&self, input: Tensor, terms: Terms) -> Result<Computed, ApiError> {
        let (Values::Octets(pixels), [count, height, width, _]) = (&input.values, input.shape.as_slice())
        else {
            return Err(unfit());
        };
        let limits = &self.app().config().media;
        let (side, area) = ((*height).max(*width), height.saturating_mul(*width));
        if side > limits.max_image_side as usize || area as u64 > limits.max_image_pixels {
            let message = format!(
                "frames of {width} x {height} pixels are beyond the limits: {} a side, {} in all",
                limits.max_image_side, limits.max_image_pixels
            );
            return Err(ApiError::new(ErrorCode::FrameTooLarge, message));
        }
        if *count > limits.max_frames {
            return Err(ApiError::new(
                ErrorCode::FrameTooLarge,
                format!("{count} frames are more than the limit of {}", limits.max_frames),
            ));
        }
        let (height, width, pixels) = (*height, *width, pixels.clone());
        let copying = self.app().run_blocking(move || {
            let picture = |pixels: &[u8]| RgbImage { width, height, pixels: pixels.to_vec() };
            pixels.chunks(area * 3).map(picture).collect()
        });
        let frames: Vec<RgbImage> = copying.await.map_err(AppError::from)?;
        let found = self.app().engine().detect_faces(frames, terms).await.map_err(AppError::from)?;
        let faces: Vec<(usize, FaceBox)> = found
            .into_iter()
            .enumerate()
            .flat_map(|(picture, faces)| faces.into_iter().map(move |face| (picture, face)))
            .collect();
        Ok(Computed { tensors: places(&faces), ..Computed::default() })
    }

    async fn crops(&self, input: Tensor, terms: Terms) -> Result<Computed, ApiError> {
        let Values::Octets(pixels) = input.values else { return Err(unfit()) };
        let make = move || pixels.chunks(CROP_SIDE * CROP_SIDE).map(crop_of).collect::<Vec<_>>();
        let crops = self.app().run_blocking(make).await.map_err(AppError::from)?;
        let found = self.app().engine().analyze_crops(crops, terms).await.map_err(AppError::from)?;
        let mut readings = Readings::new(LABEL_COUNT, FACE_DIMENSIONS);
        found.iter().for_each(|prediction| readings.add_face(prediction));
        let (tensors, labels) = readings.into_tensors();
        Ok(Computed { tensors, labels, ..Computed::default() })
    }
}

/// The elements of an input as texts.
fn texts_of(input: &Tensor, longest: usize) -> Result<Vec<String>, ApiError> {
    let Values::Elements(elements) = &input.values else { return Err(unfit()) };
    let text = |(row, element): (usize, &Bytes)| {
        let text = std::str::from_utf8(element)
            .map_err(|error| invalid(format!("row {row} of {} is not UTF-8: {error}", input.name)))?;
        if text.chars().nth(longest).is_some() {
            return Err(invalid(format!("row {row} of {} is longer than {longest} characters", input.name)));
        }
        Ok(text.to_owned())
    };
    elements.iter().enumerate().map(text).collect()
}

/// A crop as it is, rated as crops of found faces are.
fn crop_of(pixels: &[u8]) -> FaceCrop {
    let colours = pixels.iter().flat_map(|grey| [*grey; 3]).collect();
    let rated = whole_crop(&RgbImage { width: CROP_SIDE, height: CROP_SIDE, pixels: colours });
    FaceCrop { pixels: pixels.to_vec(), quality: rated.quality }
}

/// An input that was checked against the catalogue and yet is something else.
pub(super) fn unfit() -> ApiError {
    ApiError::new(ErrorCode::Internal, "an input is not what the catalogue says")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(elements: &[&[u8]]) -> Tensor {
        let values = elements.iter().map(|element| Bytes::copy_from_slice(element)).collect();
        column("text", Values::Elements(values))
    }

    #[test]
    fn texts_are_utf8_and_not_too_long() {
        assert_eq!(texts_of(&input(&["é".as_bytes(), b""]), 1).unwrap(), ["é", ""]);
        let message = texts_of(&input(&[b"a", &[0xff]]), 9).unwrap_err().message;
        assert!(message.contains("row 1"), "{message}");
        let message = texts_of(&input(&["ééé".as_bytes()]), 2).unwrap_err().message;
        assert!(message.contains("longer than 2"), "{message}");
    }

    #[test]
    fn a_crop_keeps_its_pixels_and_gets_a_quality() {
        let flat = crop_of(&[90; CROP_SIDE * CROP_SIDE]);
        let pixels: Vec<u8> = (0..CROP_SIDE * CROP_SIDE).map(|index| ((index * 7) % 256) as u8).collect();
        let busy = crop_of(&pixels);
        assert_eq!(busy.pixels, pixels);
        assert!(busy.quality > flat.quality, "{} {}", busy.quality, flat.quality);
    }
}
