//! A found face.

/// A face in a picture, in pixels of that picture; parts of it may lie outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceBox {
    /// The left edge.
    pub left: f32,
    /// The upper edge.
    pub top: f32,
    /// The width.
    pub width: f32,
    /// The height.
    pub height: f32,
    /// How sure the detector is, 0 to 1.
    pub score: f32,
    /// The subject's right eye, left eye, nose tip, right and left corner of the mouth, as (x, y).
    pub landmarks: [(f32, f32); 5],
}

impl FaceBox {
    /// The area that two boxes share, divided by the area that they cover together; 0 to 1.
    #[must_use]
    pub fn overlap(&self, other: &Self) -> f32 {
        let side = |start: f32, length: f32, other_start: f32, other_length: f32| {
            ((start + length).min(other_start + other_length) - start.max(other_start)).max(0.0)
        };
        let shared = side(self.left, self.width, other.left, other.width)
            * side(self.top, self.height, other.top, other.height);
        let covered = self.width * self.height + other.width * other.height - shared;
        if covered > 0.0 { shared / covered } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(left: f32, width: f32) -> FaceBox {
        FaceBox { left, top: 0.0, width, height: 1.0, score: 1.0, landmarks: [(0.0, 0.0); 5] }
    }

    #[test]
    fn overlaps_of_known_boxes() {
        assert!((face(0.0, 2.0).overlap(&face(0.0, 2.0)) - 1.0).abs() < 1e-6);
        assert!((face(0.0, 2.0).overlap(&face(1.0, 2.0)) - 1.0 / 3.0).abs() < 1e-6);
        assert!(face(0.0, 1.0).overlap(&face(2.0, 1.0)) < 1e-6);
        assert!(face(0.0, 0.0).overlap(&face(0.0, 0.0)) < 1e-6);
    }
}
