//! What of a frame is shown to the face detector: all of it, or only the surroundings of the faces known.
//!
//! The detector's cost is its pixels. Around a face there are few of them, and what is cut out is shrunk until the
//! face has the size that the detector reads well, so that a call with one large face costs a quarter or less.

use heartline_models::RgbImage;
use heartline_models::detector::FaceBox;

/// How large the surroundings of a face are: so many times its longer side.
const SURROUNDINGS: f32 = 2.0;
/// The least side of a region, in pixels: a small face moves far for its size.
const LEAST_SIDE: usize = 96;
/// A face is shrunk by whole factors while it keeps this many pixels on its longer side: down to here, landmarks are
/// as near to those of the whole frame as without shrinking.
const FACE_SIDE: f32 = 100.0;
/// The side to which the detector brings a whole frame at most, as its manifest ships; only costs are guessed by it.
const DETECTOR_SIDE: usize = 640;
/// Regions that cost more than this share of the whole frame are not worth leaving anything out.
const WORTHWHILE_SHARE: f32 = 0.75;
/// A box may stick out of its region by this share of its size before it counts as cut off.
const TOLERANCE: f32 = 0.05;
/// Boxes of two regions that overlap by so much are the same face.
const SAME_FACE_OVERLAP: f32 = 0.4;

/// What of a frame is shown to the detector.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Look {
    /// All of it.
    Whole,
    /// The surroundings of the faces known.
    Around(Vec<Region>),
}

/// A part of a frame, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    /// How many pixels a side become one.
    shrink: usize,
    /// The sides of the frame.
    frame: (usize, usize),
}

impl Look {
    /// The look around faces, or at everything where that is as cheap.
    pub(super) fn around(faces: impl Iterator<Item = FaceBox>, frame: (usize, usize)) -> Self {
        let mut regions: Vec<Region> = Vec::new();
        for face in faces {
            let Some(mut region) = Region::around(&face, frame) else { return Self::Whole };
            // Neighbours are shown together where two pictures of them would be larger.
            while let Some(index) = regions.iter().position(|other| region.is_better_joined(other)) {
                region = region.join(&regions.swap_remove(index));
            }
            regions.push(region);
        }
        let longest = frame.0.max(frame.1).max(1);
        let target =
            |side: usize| if longest > DETECTOR_SIDE { side * DETECTOR_SIDE / longest } else { side };
        let whole = padded_pixels(target(frame.0), target(frame.1));
        let parts: usize = regions.iter().map(Region::pixels).sum();
        if regions.is_empty() || parts as f32 > WORTHWHILE_SHARE * whole as f32 {
            return Self::Whole;
        }
        Self::Around(regions)
    }

    /// The faces of the frame from those of each picture shown, in pixels of the frame and each only once. Faces that
    /// a region cuts off are left out: their landmarks are guesses.
    pub(super) fn whole(&self, found: Vec<Vec<FaceBox>>) -> Vec<FaceBox> {
        let Self::Around(regions) = self else { return found.into_iter().flatten().collect() };
        let mut faces: Vec<FaceBox> = Vec::new();
        for (region, found) in regions.iter().zip(found) {
            for face in found.iter().map(|face| region.to_frame(face)).filter(|face| !region.cuts(face)) {
                match faces.iter_mut().find(|other| other.overlap(&face) > SAME_FACE_OVERLAP) {
                    Some(other) if other.score < face.score => *other = face,
                    Some(_) => {}
                    None => faces.push(face),
                }
            }
        }
        faces
    }
}

impl Region {
    /// The surroundings of a face; none where nothing of them is within the frame.
    fn around(face: &FaceBox, frame: (usize, usize)) -> Option<Self> {
        let longer = face.width.max(face.height);
        let half = (longer * SURROUNDINGS).max(LEAST_SIDE as f32) / 2.0;
        let span = |start: f32, length: f32, limit: usize| {
            let centre = start + length / 2.0;
            // Numbers that are not finite become 0, and the span empty.
            let first = (centre - half).clamp(0.0, limit as f32) as usize;
            let last = (centre + half).clamp(0.0, limit as f32) as usize;
            (first, last.saturating_sub(first))
        };
        let (left, width) = span(face.left, face.width, frame.0);
        let (top, height) = span(face.top, face.height, frame.1);
        let shrink = ((longer / FACE_SIDE) as usize).max(1);
        let region = Self { left, top, width, height, shrink, frame };
        (width >= shrink && height >= shrink).then_some(region)
    }

    /// The pixels that the detector computes for it.
    fn pixels(&self) -> usize {
        padded_pixels(self.width / self.shrink, self.height / self.shrink)
    }

    fn join(&self, other: &Self) -> Self {
        let (left, top) = (self.left.min(other.left), self.top.min(other.top));
        let right = (self.left + self.width).max(other.left + other.width);
        let bottom = (self.top + self.height).max(other.top + other.height);
        let (width, height) = (right - left, bottom - top);
        Self { left, top, width, height, shrink: self.shrink.min(other.shrink), frame: self.frame }
    }

    fn is_better_joined(&self, other: &Self) -> bool {
        self.join(other).pixels() <= self.pixels() + other.pixels()
    }

    /// The part of the picture, shrunk by averaging.
    pub(super) fn cut(&self, image: &RgbImage) -> RgbImage {
        // The picture is that of the plan; should it ever be another, only what both have is cut.
        let side = |start: usize, length: usize, limit: usize| {
            (length.min(limit.saturating_sub(start)) / self.shrink).max(1)
        };
        let width = side(self.left, self.width, image.width);
        let height = side(self.top, self.height, image.height);
        let mut pixels = Vec::with_capacity(width * height * 3);
        let mut sums = vec![0_u32; width * 3];
        let share = (self.shrink * self.shrink) as u32;
        for row in 0..height {
            sums.fill(0);
            for line in 0..self.shrink {
                let start = ((self.top + row * self.shrink + line) * image.width + self.left) * 3;
                let length = width * self.shrink * 3;
                let bytes = image.pixels.get(start..start + length).unwrap_or_default();
                for (sums, pixels) in
                    sums.as_chunks_mut::<3>().0.iter_mut().zip(bytes.chunks_exact(3 * self.shrink))
                {
                    for pixel in pixels.as_chunks::<3>().0 {
                        for (sum, value) in sums.iter_mut().zip(pixel) {
                            *sum += u32::from(*value);
                        }
                    }
                }
            }
            pixels.extend(sums.iter().map(|sum| ((sum + share / 2) / share) as u8));
        }
        RgbImage { width, height, pixels }
    }

    fn to_frame(self, face: &FaceBox) -> FaceBox {
        let factor = self.shrink as f32;
        let place = |(x, y): (f32, f32)| (x * factor + self.left as f32, y * factor + self.top as f32);
        let (left, top) = place((face.left, face.top));
        FaceBox {
            left,
            top,
            width: face.width * factor,
            height: face.height * factor,
            score: face.score,
            landmarks: face.landmarks.map(place),
        }
    }

    /// Whether a face sticks out of the region where the frame goes on.
    fn cuts(&self, face: &FaceBox) -> bool {
        let (across, down) = (face.width * TOLERANCE, face.height * TOLERANCE);
        let (right, bottom) = (self.left + self.width, self.top + self.height);
        // A side that was shrunk may end a few pixels before the region does.
        let ends_frame = |end: usize, limit: usize| end + self.shrink > limit;
        (self.left > 0 && face.left + across < self.left as f32)
            || (self.top > 0 && face.top + down < self.top as f32)
            || (!ends_frame(right, self.frame.0) && face.left + face.width - across > right as f32)
            || (!ends_frame(bottom, self.frame.1) && face.top + face.height - down > bottom as f32)
    }
}

/// The detector pads both sides to a multiple of 32.
fn padded_pixels(width: usize, height: usize) -> usize {
    width.next_multiple_of(32) * height.next_multiple_of(32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: (usize, usize) = (640, 480);

    fn face(left: f32, top: f32, side: f32) -> FaceBox {
        FaceBox {
            left,
            top,
            width: side,
            height: side,
            score: 0.9,
            landmarks: [(left + side / 2.0, top + side / 2.0); 5],
        }
    }

    fn regions(faces: &[FaceBox]) -> Vec<Region> {
        match Look::around(faces.iter().copied(), FRAME) {
            Look::Whole => Vec::new(),
            Look::Around(regions) => regions,
        }
    }

    #[test]
    fn a_face_is_shown_with_its_surroundings() {
        let [region] = regions(&[face(300.0, 200.0, 70.0)])[..] else { panic!("one region") };
        assert_eq!((region.left, region.top, region.width, region.height), (265, 165, 140, 140));
        assert_eq!(region.shrink, 1);
        let [region] = regions(&[face(-20.0, 300.0, 200.0)])[..] else { panic!("one region") };
        assert_eq!((region.left, region.top, region.width, region.height), (0, 200, 280, 280));
        assert_eq!(region.shrink, 2);
        let [region] = regions(&[face(600.0, 10.0, 8.0)])[..] else { panic!("one region") };
        assert_eq!((region.left, region.top, region.width, region.height), (556, 0, 84, 62));
    }

    #[test]
    fn what_saves_nothing_shows_the_whole() {
        assert_eq!(Look::around(std::iter::empty(), FRAME), Look::Whole);
        assert_eq!(Look::around([face(f32::NAN, 0.0, 50.0)].into_iter(), FRAME), Look::Whole);
        assert_eq!(Look::around([face(0.0, 0.0, f32::INFINITY)].into_iter(), FRAME), Look::Whole);
        assert_eq!(Look::around([face(900.0, 100.0, 50.0)].into_iter(), FRAME), Look::Whole);
        let crowd = (0..12)
            .map(|index| face(40.0 + 160.0 * (index % 4) as f32, 40.0 + 160.0 * (index / 4) as f32, 79.0));
        assert_eq!(Look::around(crowd, FRAME), Look::Whole);
        assert_eq!(Look::around([face(1.0, 1.0, 9.0)].into_iter(), (0, 0)), Look::Whole);
    }

    #[test]
    fn neighbours_are_shown_together_and_others_apart() {
        assert_eq!(regions(&[face(200.0, 200.0, 70.0), face(260.0, 200.0, 70.0)]).len(), 1);
        assert_eq!(regions(&[face(20.0, 20.0, 70.0), face(500.0, 350.0, 70.0)]).len(), 2);
    }

    #[test]
    fn a_cut_is_the_mean_of_its_pixels_and_leads_back() {
        let pixels = (0..480 * 640).flat_map(|at| [(at % 640 / 4) as u8, (at / 640 / 4) as u8, 7]);
        let image = RgbImage::new(640, 480, pixels.collect()).unwrap();
        for side in [60.0, 150.0, 200.0] {
            let [region] = regions(&[face(250.0, 150.0, side)])[..] else { panic!("one region") };
            let part = region.cut(&image);
            part.check().unwrap();
            assert_eq!(
                (part.width, part.height),
                (region.width / region.shrink, region.height / region.shrink)
            );
            for (x, y) in [(0, 0), (part.width / 2, part.height / 3), (part.width - 1, part.height - 1)] {
                let at = region.to_frame(&face(x as f32, y as f32, 1.0));
                let pixel = &part.pixels[(y * part.width + x) * 3..][..3];
                assert!((f32::from(pixel[0]) * 4.0 - at.left).abs() <= 6.0, "{pixel:?} {at:?}");
                assert!((f32::from(pixel[1]) * 4.0 - at.top).abs() <= 6.0, "{pixel:?} {at:?}");
                assert_eq!(pixel[2], 7);
            }
        }
        let [region] = regions(&[face(500.0, 350.0, 60.0)])[..] else { panic!("one region") };
        let other = RgbImage::new(4, 4, vec![9; 48]).unwrap();
        region.cut(&other).check().unwrap();
    }

    #[test]
    fn faces_of_several_regions_count_once_and_cut_ones_not_at_all() {
        let look = Look::Around(regions(&[face(20.0, 20.0, 70.0), face(500.0, 350.0, 70.0)]));
        // The first region ends at 125: its second face goes on beyond it.
        let found = vec![vec![face(20.0, 20.0, 70.0), face(90.0, 20.0, 60.0)], vec![face(35.0, 35.0, 70.0)]];
        let faces = look.whole(found);
        assert_eq!(faces.len(), 2);
        assert_eq!((faces[0].left, faces[1].left, faces[1].top), (20.0, 500.0, 350.0));
        assert_eq!(faces[1].landmarks[0], (535.0, 385.0));
        let Look::Around(regions) = look else { panic!("two regions") };
        let twice = Look::Around(vec![regions[0], regions[0]]);
        assert_eq!(twice.whole(vec![vec![face(20.0, 20.0, 70.0)], vec![face(24.0, 20.0, 70.0)]]).len(), 1);
        assert_eq!(Look::Whole.whole(vec![vec![face(0.0, 0.0, 5.0); 3]]).len(), 3);
    }
}
