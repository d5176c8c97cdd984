//! Pictures: with faces to be found, or faces already.

use std::path::Path;

use heartline_models::RgbImage;
use heartline_models::detector::FaceBox;
use heartline_models::face::{CROP_SIDE, FaceCrop, FacePrediction, crop};

use super::answer::{Abstain, Answer, FaceAnswer, Finding, Line, NoFace, SeenFace};
use super::ask::ask_each;
use super::predictor::on_worker;
use super::{PredictError, Predictor, Row, RowFault};
use crate::app::of_face;
use crate::emotion::Reading;
use crate::engine;
use crate::media::{MediaLimits, read_image};

/// Pictures that one request to the engine has; they are larger than other rows.
const PICTURES_PER_STEP: usize = 8;
/// The width of the detector's box around a face that fills a crop of 48 pixels, in such pixels: the one at which a
/// box without landmarks makes the crop a copy of the picture. A test holds the models' crate to it.
const WHOLE_BOX_WIDTH: f32 = 38.2;

/// A row's name with what was decoded of it, or what is wrong with it.
type Named<T> = (Option<String>, Result<T, RowFault>);

impl Predictor {
    /// Finds and reads the faces of pictures.
    pub(super) async fn answer_pictures(&self, rows: Vec<Row>) -> Result<Vec<Line>, PredictError> {
        let (named, pictures) = self.decode_pictures(rows, |picture| picture).await?;
        let step = self.step_rows.min(PICTURES_PER_STEP);
        let ask = |step| self.engine.analyze_frames(step, Some(Self::deadline()));
        let answers = ask_each(&pictures, step, ask).await?;
        Ok(lines(named, answers, picture_answer))
    }

    /// Reads pictures that are faces.
    pub(super) async fn answer_crops(&self, rows: Vec<Row>) -> Result<Vec<Line>, PredictError> {
        let (named, crops) = self.decode_pictures(rows, |picture| whole(&picture)).await?;
        let ask = |step| self.engine.analyze_crops(step, Some(Self::deadline()));
        let answers = ask_each(&crops, self.step_rows, ask).await?;
        Ok(lines(named, answers, crop_answer))
    }

    async fn decode_pictures<T: Send + 'static>(
        &self,
        rows: Vec<Row>,
        make: impl Fn(RgbImage) -> T + Send + 'static,
    ) -> Result<(Vec<Named<()>>, Vec<T>), PredictError> {
        let limits = self.media.clone();
        on_worker(move || {
            let mut decoded = Vec::new();
            let mut named = Vec::with_capacity(rows.len());
            for row in rows {
                let picture = row.content.and_then(|path| decode(Path::new(&path), &limits));
                named.push((row.id, picture.map(|picture| decoded.push(make(picture)))));
            }
            (named, decoded)
        })
        .await
    }
}

fn decode(path: &Path, limits: &MediaLimits) -> Result<RgbImage, RowFault> {
    read_image(path, limits).map_err(|error| RowFault::of(error.code(), &error))
}

/// A line for each row; answers are taken in order, one for each row that could be decoded.
fn lines<P>(
    named: Vec<Named<()>>,
    answers: Vec<Result<P, RowFault>>,
    answer_of: impl Fn(String, P) -> Answer,
) -> Vec<Line> {
    let mut answers = answers.into_iter();
    let line = |(id, decoded): Named<()>| {
        let answer = match decoded {
            Ok(()) => answers.next()?,
            Err(fault) => Err(fault),
        };
        Some(match answer {
            Ok(answer) => Line::Answer(Box::new(answer_of(id.unwrap_or_default(), answer))),
            Err(fault) => Line::Fault { id, error: fault },
        })
    };
    named.into_iter().filter_map(line).collect()
}

fn picture_answer(id: String, faces: Vec<engine::SeenFace>) -> Answer {
    let faces: Vec<SeenFace> = faces.into_iter().filter_map(seen).collect();
    // Faces come the largest first, and the largest is the one that the server reads.
    match faces.first().map(|largest| largest.finding.clone()) {
        Some(finding) => Answer::Face(FaceAnswer { id, finding, faces }),
        None => {
            let abstain = Some(Abstain::new("no_face", "no face was found in the picture"));
            Answer::NoFace(NoFace { id, predicted: None, categories: None, abstain, faces })
        }
    }
}

fn seen(seen: engine::SeenFace) -> Option<SeenFace> {
    let (finding, reading) = finding(seen.prediction, Some(&seen.face));
    reading.face.map(|region| SeenFace { region, finding })
}

fn crop_answer(id: String, prediction: FacePrediction) -> Answer {
    Answer::Face(FaceAnswer { id, finding: finding(prediction, None).0, faces: Vec::new() })
}

fn finding(prediction: FacePrediction, face: Option<&FaceBox>) -> (Finding, Reading) {
    let FacePrediction { quality, familiarity, doubt, .. } = prediction;
    let labels = prediction.labels.clone();
    let reading = of_face(face, prediction, 0, "");
    (Finding::of(&reading, labels, quality, familiarity, doubt.map(Abstain::doubting)), reading)
}

/// The whole picture as a crop: grey, scaled so that its longer side fits; what is missing beside a shorter side
/// repeats the edge. It goes the road of found faces, so that its quality is rated as theirs is.
pub(crate) fn whole(picture: &RgbImage) -> FaceCrop {
    let side = picture.width.max(picture.height) as f32;
    let width = side / CROP_SIDE as f32 * WHOLE_BOX_WIDTH;
    let (middle_x, middle_y) = ((picture.width as f32 - 1.0) / 2.0, (picture.height as f32 - 1.0) / 2.0);
    let face = FaceBox {
        left: middle_x - width / 2.0,
        top: middle_y - width / 2.0,
        width,
        height: width,
        score: 1.0,
        // Landmarks that fall together say nothing, so that the box alone decides.
        landmarks: [(middle_x, middle_y); 5],
    };
    crop(picture, &face)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: usize, height: usize, grey: impl Fn(usize, usize) -> u8) -> RgbImage {
        let pixels = (0..width * height).flat_map(|index| [grey(index % width, index / width); 3]).collect();
        RgbImage::new(width, height, pixels).unwrap()
    }

    fn byte(value: usize) -> u8 {
        u8::try_from(value % 256).unwrap()
    }

    #[test]
    fn a_crop_of_the_networks_size_is_taken_as_it_is() {
        let picture = picture(CROP_SIDE, CROP_SIDE, |x, y| byte(x * 5 + y * 37));
        let found = whole(&picture);
        for (index, pixel) in found.pixels.iter().enumerate() {
            assert!(pixel.abs_diff(picture.pixels[index * 3]) <= 1, "pixel {index}");
        }
        assert!(found.quality > 0.0);
    }

    #[test]
    fn crops_of_other_sizes_keep_their_framing() {
        for side in [24, 96, 480] {
            // Dark at the left, bright at the right.
            let found = whole(&picture(side, side, |x, _| if x < side / 2 { 20 } else { 220 }));
            let (left, right) = (found.pixels[CROP_SIDE * 20 + 4], found.pixels[CROP_SIDE * 20 + 43]);
            assert!(left < 30 && right > 210, "{side}: {left} {right}");
            let middle = found.pixels[CROP_SIDE * 20 + 22..CROP_SIDE * 20 + 26].to_vec();
            assert!(middle.windows(2).all(|pair| pair[0] <= pair[1]), "{side}: {middle:?}");
        }
    }

    #[test]
    fn a_picture_that_is_no_square_fits_with_its_longer_side() {
        let found = whole(&picture(96, 48, |_, y| if y == 0 { 0 } else { 200 }));
        // The upper quarter repeats the edge, which is black.
        assert!(found.pixels[..CROP_SIDE * 11].iter().all(|pixel| *pixel == 0));
        assert!(found.pixels[CROP_SIDE * 14..CROP_SIDE * 34].iter().all(|pixel| *pixel > 190));
        assert_eq!(whole(&picture(1, 1, |_, _| 7)).pixels.len(), CROP_SIDE * CROP_SIDE);
    }
}
