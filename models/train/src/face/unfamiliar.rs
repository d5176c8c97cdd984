//! Crops that the face model was not made for: noise, flat surfaces, faces upside down.

use heartline_models::face::{CROP_SIDE, FaceCrop};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::data::Face;
use super::disturbances::{framed, turned};
use crate::error::TrainError;

/// Crops of each kind.
const CROPS: usize = 300;
/// What the made-up crops follow from.
const SEED: u64 = 1;

/// Every kind with its crops.
pub(super) fn kinds(faces: &[Face]) -> Result<[(&'static str, Vec<FaceCrop>); 3], TrainError> {
    let unseen: Vec<&Face> =
        faces.iter().filter(|face| !face.duplicate && face.majority().is_some()).collect();
    let every = unseen.len().div_ceil(CROPS).max(1);
    let upside_down = unseen.iter().step_by(every).map(|face| framed(&turned(&face.pixels, 180.0)));
    Ok([
        ("random noise", made(noise)?),
        ("flat surfaces", made(flat)?),
        ("faces upside down", upside_down.collect::<Result<_, _>>()?),
    ])
}

fn made(make: fn(&mut StdRng) -> Vec<u8>) -> Result<Vec<FaceCrop>, TrainError> {
    let mut random = StdRng::seed_from_u64(SEED);
    (0..CROPS).map(|_| framed(&make(&mut random))).collect()
}

/// Pixels that have nothing to do with each other.
fn noise(random: &mut StdRng) -> Vec<u8> {
    (0..CROP_SIDE * CROP_SIDE).map(|_| random.random()).collect()
}

/// One grey with the noise of a sensor.
fn flat(random: &mut StdRng) -> Vec<u8> {
    let level = random.random_range(10..245_u8);
    (0..CROP_SIDE * CROP_SIDE).map(|_| level - 2 + random.random_range(0..5_u8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use heartline_models::face::LABEL_COUNT;

    #[test]
    fn kinds_have_crops_and_repeats_of_training_pictures_have_none() {
        let face = |duplicate| {
            let mut votes = [0.0; LABEL_COUNT];
            votes[1] = 10.0;
            Face { pixels: vec![90; CROP_SIDE * CROP_SIDE], votes, unusable: 0.0, duplicate }
        };
        let kinds = kinds(&[face(false), face(true)]).unwrap();
        assert_eq!(kinds.each_ref().map(|(_, crops)| crops.len()), [CROPS, CROPS, 1]);
        let spread = |crop: &FaceCrop| crop.pixels.iter().max().unwrap() - crop.pixels.iter().min().unwrap();
        assert!(spread(&kinds[0].1[0]) > 200 && spread(&kinds[1].1[0]) <= 4);
    }
}
