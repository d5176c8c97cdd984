//! Faces over the frames of a video track: the same number for the same face, by where it is and how large, never by
//! whose it is. Nobody is recognised here, and nobody can be: a face that was away is a new one.

use heartline_models::detector::FaceBox;

use super::LiveConfig;
pub(super) use super::look::Look;

/// Boxes of one face in two frames overlap by at least this.
const LEAST_OVERLAP: f32 = 0.25;
/// Otherwise their centres are at most this far apart, in sides of the face.
const REACH: f32 = 1.0;
/// The sides of one face in two frames differ by at most this factor.
const LARGEST_GROWTH: f32 = 2.0;
/// How much larger a newcomer must be to take the place of a face that is followed, where places are few.
const LOYALTY: f32 = 1.25;
/// Nothing is the same after so long without a look, in milliseconds.
const LONG_GAP_MS: u64 = 10_000;
/// A movement is continued for so long at most, in milliseconds; then it is a guess.
const MOVEMENT_MS: u64 = 1_000;
/// How many faces that have left are remembered for each one that may be followed.
const REMEMBERED: usize = 8;

/// A face with its number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TrackedFace {
    /// The same as long as the face stays, or comes back soon where it left.
    pub(super) id: u32,
    /// Where it is in the frame.
    pub(super) face: FaceBox,
}

/// Follows the faces of one video track.
///
/// For each frame that is read, [`Self::plan`] says what the detector is shown and [`Self::settle`] takes what it
/// found. Every few frames, and whenever a face is lost or none is known, that is the whole frame; otherwise only the
/// surroundings of the faces known, which is cheaper and as exact. A newcomer is so seen within `detect_every` frames.
#[derive(Debug)]
pub(super) struct FaceTracker {
    max_faces: usize,
    detect_every: u32,
    forget_ms: u64,
    /// The sides of the frames.
    frame: (usize, usize),
    known: Vec<Known>,
    next_id: u32,
    newest_ms: u64,
    /// How many frames were looked at in part since the last whole one.
    since_whole: u32,
    is_partial: bool,
    must_look_whole: bool,
}

/// A face that is followed, or was.
#[derive(Debug, Clone, Copy)]
struct Known {
    id: u32,
    face: FaceBox,
    at_ms: u64,
    /// Its movement, in pixels a millisecond.
    movement: (f32, f32),
    /// The moment of the first frame without it; none while it is there.
    left_ms: Option<u64>,
}

impl FaceTracker {
    /// A tracker that knows no face.
    pub(super) fn new(config: &LiveConfig) -> Self {
        Self {
            max_faces: config.max_faces,
            detect_every: config.detect_every,
            forget_ms: config.forget_face_ms,
            frame: (0, 0),
            known: Vec::new(),
            next_id: 1,
            newest_ms: 0,
            since_whole: 0,
            is_partial: false,
            must_look_whole: false,
        }
    }

    /// What of the next frame the detector is to be shown; its sides are in pixels.
    pub(super) fn plan(&mut self, width: usize, height: usize) -> Look {
        self.fit((width, height));
        let is_due = self.must_look_whole || self.since_whole.saturating_add(1) >= self.detect_every;
        let present = self.known.iter().filter(|known| known.left_ms.is_none());
        let look =
            if is_due { Look::Whole } else { Look::around(present.map(|known| known.face), self.frame) };
        self.is_partial = look != Look::Whole;
        if self.is_partial {
            self.since_whole += 1;
        } else {
            self.since_whole = 0;
            self.must_look_whole = false;
        }
        look
    }

    /// Takes the faces of the frame, in its pixels, and gives those that are followed, the largest first.
    pub(super) fn settle(&mut self, at_ms: u64, mut found: Vec<FaceBox>) -> Vec<TrackedFace> {
        found.retain(is_sound);
        if self.newest_ms.abs_diff(at_ms) > LONG_GAP_MS {
            self.known.clear();
        }
        self.newest_ms = at_ms;
        let forget_ms = self.forget_ms;
        self.known
            .retain(|known| known.left_ms.is_none_or(|left_ms| at_ms.saturating_sub(left_ms) <= forget_ms));
        let owners = self.owners(at_ms, &found);
        self.note_missing(at_ms, &owners);
        let mut order: Vec<(usize, f32)> = found.iter().map(area).enumerate().collect();
        for (index, area) in &mut order {
            let owner = owners[*index].and_then(|owner| self.known.get(owner));
            if owner.is_some_and(|known| known.left_ms.is_none()) {
                *area *= LOYALTY;
            }
        }
        order.sort_by(|left, right| right.1.total_cmp(&left.1));
        let mut tracked = Vec::with_capacity(order.len().min(self.max_faces));
        for (place, (index, _)) in order.into_iter().enumerate() {
            let (face, owner) = (found[index], owners[index]);
            if place < self.max_faces {
                tracked.push(TrackedFace { id: self.follow(owner, face, at_ms), face });
            } else if let Some(known) = owner.and_then(|owner| self.known.get_mut(owner)) {
                // It is there, but others have taken its place.
                known.left_ms.get_or_insert(at_ms);
            }
        }
        self.forget_most();
        tracked
    }

    /// Frames of another size: the same picture scaled keeps its faces, another picture does not.
    fn fit(&mut self, frame: (usize, usize)) {
        if frame == self.frame {
            return;
        }
        let ratio = |(width, height): (usize, usize)| width as f32 / height.max(1) as f32;
        let is_scaled = (ratio(frame) / ratio(self.frame) - 1.0).abs() < 0.02;
        if is_scaled {
            let factor = frame.0 as f32 / self.frame.0.max(1) as f32;
            for known in &mut self.known {
                known.face = scaled(&known.face, factor);
                known.movement = (known.movement.0 * factor, known.movement.1 * factor);
            }
        } else {
            self.known.clear();
        }
        self.frame = frame;
        self.must_look_whole = true;
    }

    /// For each face found the place of the known one that it is; the likeliest pairs first.
    fn owners(&self, at_ms: u64, found: &[FaceBox]) -> Vec<Option<usize>> {
        let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
        for (owner, known) in self.known.iter().enumerate() {
            let expected = known.expected(at_ms);
            for (index, face) in found.iter().enumerate() {
                if let Some(likeness) = likeness(&expected, face).or_else(|| likeness(&known.face, face)) {
                    // Who is there comes before who has left.
                    let likeness = if known.left_ms.is_none() { likeness + 2.0 } else { likeness };
                    pairs.push((likeness, owner, index));
                }
            }
        }
        pairs.sort_by(|left, right| right.0.total_cmp(&left.0));
        let mut owners = vec![None; found.len()];
        let mut taken = vec![false; self.known.len()];
        for (_, owner, index) in pairs {
            if !taken[owner] && owners[index].is_none() {
                taken[owner] = true;
                owners[index] = Some(owner);
            }
        }
        owners
    }

    /// Notes the faces that nobody found: where only their surroundings were searched, the next look is at all.
    fn note_missing(&mut self, at_ms: u64, owners: &[Option<usize>]) {
        for (index, known) in self.known.iter_mut().enumerate() {
            if known.left_ms.is_none() && !owners.contains(&Some(index)) {
                known.left_ms = Some(at_ms);
                self.must_look_whole |= self.is_partial;
            }
        }
    }

    /// Follows a face that is known, or one more. Gives its number.
    fn follow(&mut self, owner: Option<usize>, face: FaceBox, at_ms: u64) -> u32 {
        if let Some(known) = owner.and_then(|owner| self.known.get_mut(owner)) {
            known.move_to(face, at_ms);
            return known.id;
        }
        let id = self.next_id;
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        self.known.push(Known { id, face, at_ms, movement: (0.0, 0.0), left_ms: None });
        id
    }

    /// Keeps the memory of faces that have left small, however many come and go.
    fn forget_most(&mut self) {
        let most = REMEMBERED * self.max_faces.max(1);
        if self.known.len() > most {
            self.known.sort_by_key(|known| (known.left_ms.is_some(), u64::MAX - known.at_ms));
            self.known.truncate(most);
        }
    }
}

impl Known {
    /// Where it should be by now.
    fn expected(&self, at_ms: u64) -> FaceBox {
        let elapsed_ms = at_ms.saturating_sub(self.at_ms).min(MOVEMENT_MS) as f32;
        // No further than the face is wide: a wrong movement must not lead away from where it was.
        let limit = self.face.width;
        FaceBox {
            left: self.face.left + (self.movement.0 * elapsed_ms).clamp(-limit, limit),
            top: self.face.top + (self.movement.1 * elapsed_ms).clamp(-limit, limit),
            ..self.face
        }
    }

    fn move_to(&mut self, face: FaceBox, at_ms: u64) {
        let elapsed_ms = at_ms.saturating_sub(self.at_ms);
        self.movement = if (1..=MOVEMENT_MS).contains(&elapsed_ms) && self.left_ms.is_none() {
            let (from, to) = (centre(&self.face), centre(&face));
            // Half of the old movement: boxes tremble a little.
            let smooth = |old: f32, from: f32, to: f32| 0.5 * old + 0.5 * (to - from) / elapsed_ms as f32;
            (smooth(self.movement.0, from.0, to.0), smooth(self.movement.1, from.1, to.1))
        } else {
            (0.0, 0.0)
        };
        self.face = face;
        self.at_ms = at_ms;
        self.left_ms = None;
    }
}

/// How likely two boxes are the same face: above 1 where they overlap, up to 1 where they are only near; none where
/// they cannot be.
fn likeness(known: &FaceBox, face: &FaceBox) -> Option<f32> {
    let sides = (area(known).sqrt(), area(face).sqrt());
    let growth = sides.0.max(sides.1) / sides.0.min(sides.1);
    if growth > LARGEST_GROWTH {
        return None;
    }
    let overlap = known.overlap(face);
    if overlap >= LEAST_OVERLAP {
        return Some(1.0 + overlap);
    }
    let (from, to) = (centre(known), centre(face));
    let distance = (to.0 - from.0).hypot(to.1 - from.1) / (0.5 * (sides.0 + sides.1));
    (distance <= REACH).then_some(1.0 - distance / REACH)
}

fn centre(face: &FaceBox) -> (f32, f32) {
    (face.left + face.width / 2.0, face.top + face.height / 2.0)
}

fn area(face: &FaceBox) -> f32 {
    face.width * face.height
}

fn scaled(face: &FaceBox, factor: f32) -> FaceBox {
    FaceBox {
        left: face.left * factor,
        top: face.top * factor,
        width: face.width * factor,
        height: face.height * factor,
        score: face.score,
        landmarks: face.landmarks.map(|(x, y)| (x * factor, y * factor)),
    }
}

/// Whether a box can be reckoned with.
fn is_sound(face: &FaceBox) -> bool {
    let numbers = [face.left, face.top, face.width, face.height, face.score, area(face)];
    numbers.iter().all(|number| number.is_finite())
        && face.landmarks.iter().all(|(x, y)| x.is_finite() && y.is_finite())
        && area(face) > 0.0
        && face.width > 0.0
}
