//! Faces over time.

use heartline_models::RgbImage;
use heartline_models::detector::FaceBox;

use super::LiveConfig;

pub(super) struct FaceTracker;
pub(super) enum Look {
    Whole,
    Around(Vec<Region>),
}
pub(super) struct Region;
impl Region {
    pub(super) fn cut(&self, image: &RgbImage) -> RgbImage {
        image.clone()
    }
}
impl Look {
    pub(super) fn whole(&self, found: Vec<Vec<FaceBox>>) -> Vec<FaceBox> {
        found.into_iter().flatten().collect()
    }
}
#[derive(Debug, Clone)]
pub(super) struct TrackedFace {
    pub(super) id: u32,
    pub(super) face: FaceBox,
}
impl FaceTracker {
    pub(super) fn new(_: &LiveConfig) -> Self {
        Self
    }
    pub(super) fn plan(&mut self, _: usize, _: usize) -> Look {
        Look::Whole
    }
    pub(super) fn settle(&mut self, _: u64, found: Vec<FaceBox>) -> Vec<TrackedFace> {
        found.into_iter().enumerate().map(|(id, face)| TrackedFace { id: id as u32, face }).collect()
    }
}
