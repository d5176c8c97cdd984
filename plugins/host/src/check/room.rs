//! Room that a matcher writes into, between guard zones: whatever is written beside the room is seen.

use heartline_plugin_abi as abi;

/// The elements of each guard zone.
const GUARD: usize = 256;

/// A column between two guard zones.
pub(crate) struct Guarded<T> {
    cells: Vec<T>,
    guard: T,
}

impl<T: Copy + PartialEq> Guarded<T> {
    /// Room for so many elements, which hold `blank`; `guard` must be equal to itself.
    pub(crate) fn new(count: usize, blank: T, guard: T) -> Self {
        let mut cells = vec![guard; count + 2 * GUARD];
        cells[GUARD..GUARD + count].fill(blank);
        Self { cells, guard }
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut T {
        self.cells[GUARD..].as_mut_ptr()
    }

    pub(crate) fn values(&self) -> &[T] {
        &self.cells[GUARD..self.cells.len() - GUARD]
    }

    /// How far beside the room something was written: negative before it, 1 is the first element behind it.
    fn damage(&self) -> Option<isize> {
        let behind = &self.cells[self.cells.len() - GUARD..];
        let before = &self.cells[..GUARD];
        let changed = |value: &T| *value != self.guard;
        // A guard zone is short.
        let after = behind.iter().position(changed).map(|place| place as isize + 1);
        after.or_else(|| before.iter().rposition(changed).map(|place| place as isize - GUARD as isize))
    }

    /// Says so where something was written beside the room.
    pub(crate) fn check(&self, column: &str) -> Result<(), String> {
        match self.damage() {
            None => Ok(()),
            Some(place) if place < 0 => {
                Err(format!("it wrote out of range: {} before the first element of {column}", -place))
            }
            Some(place) => Err(format!("it wrote out of range: {place} behind the last element of {column}")),
        }
    }
}

/// A float that no matcher writes by chance; compared by its bits, so it is kept as an integer.
const GUARD_BITS: u32 = 0x7fc0_5a5a;

/// The columns of an answer.
pub(crate) struct ScoreRoom {
    scores: Guarded<u32>,
    confidences: Guarded<u32>,
    reason_codes: Guarded<u32>,
    eligible: Guarded<u8>,
}

impl ScoreRoom {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            scores: Guarded::new(count, f32::NAN.to_bits(), GUARD_BITS),
            confidences: Guarded::new(count, f32::NAN.to_bits(), GUARD_BITS),
            reason_codes: Guarded::new(count, abi::NONE, GUARD_BITS),
            eligible: Guarded::new(count, u8::MAX, 0x5a),
        }
    }

    /// The structure to pass; valid for as long as `self` is neither moved nor touched.
    pub(crate) fn lend(&mut self) -> abi::Scores {
        abi::Scores {
            size: abi::size_of_struct::<abi::Scores>(),
            capacity: self.eligible.values().len() as u32,
            count: 0,
            reserved: 0,
            // An `f32` is as large and as aligned as the integer of its bits.
            scores: self.scores.as_mut_ptr().cast(),
            confidences: self.confidences.as_mut_ptr().cast(),
            reason_codes: self.reason_codes.as_mut_ptr(),
            eligible: self.eligible.as_mut_ptr(),
        }
    }

    /// Says so where a guard zone was written to.
    pub(crate) fn check_guards(&self) -> Result<(), String> {
        self.scores.check("scores")?;
        self.confidences.check("confidences")?;
        self.reason_codes.check("reason_codes")?;
        self.eligible.check("eligible")
    }

    pub(crate) fn into_answer(self) -> Answer {
        Answer {
            scores: self.scores.values().to_vec(),
            confidences: self.confidences.values().to_vec(),
            reason_codes: self.reason_codes.values().to_vec(),
            eligible: self.eligible.values().to_vec(),
        }
    }
}

/// What a matcher wrote, bit by bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    scores: Vec<u32>,
    confidences: Vec<u32>,
    reason_codes: Vec<u32>,
    eligible: Vec<u8>,
}

impl Answer {
    pub(crate) fn len(&self) -> usize {
        self.eligible.len()
    }

    pub(crate) fn score(&self, row: usize) -> f32 {
        f32::from_bits(self.scores[row])
    }

    pub(crate) fn confidence(&self, row: usize) -> f32 {
        f32::from_bits(self.confidences[row])
    }

    pub(crate) fn eligible(&self, row: usize) -> u8 {
        self.eligible[row]
    }

    pub(crate) fn reason_codes(&self) -> &[u32] {
        &self.reason_codes
    }

    /// Where two answers of as many rows differ, in words.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        (0..self.len()).find_map(|row| self.row_difference(row, other, row))
    }

    /// How a row differs from a row of another answer.
    pub(crate) fn row_difference(&self, row: usize, other: &Self, other_row: usize) -> Option<String> {
        if self.scores[row] != other.scores[other_row] {
            return Some(format!(
                "the score of candidate {row} is {} here and {} there",
                self.score(row),
                other.score(other_row)
            ));
        }
        let same = self.confidences[row] == other.confidences[other_row]
            && self.reason_codes[row] == other.reason_codes[other_row]
            && self.eligible[row] == other.eligible[other_row];
        (!same).then(|| format!("the confidence, reason or eligibility of candidate {row} differs"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_beside_the_room_are_seen() {
        let mut room = Guarded::new(3, 0_u8, 0x5a);
        assert_eq!(room.check("x"), Ok(()));
        room.cells[GUARD + 2] = 9;
        assert_eq!((room.check("x"), room.values()), (Ok(()), &[0, 0, 9][..]));
        room.cells[GUARD + 3] = 0;
        assert!(room.check("x").unwrap_err().contains("1 behind the last element of x"));
        let mut room = Guarded::new(0, 0_u8, 0x5a);
        room.cells[GUARD - 2] = 0;
        assert!(room.check("x").unwrap_err().contains("2 before the first element"));
    }

    #[test]
    fn answers_differ_where_one_bit_differs() {
        let answer = ScoreRoom::new(2).into_answer();
        let mut other = answer.clone();
        assert_eq!(answer.difference(&other), None);
        other.eligible[1] = 0;
        assert!(answer.difference(&other).unwrap().contains("candidate 1"));
        other.scores[0] = 0.5_f32.to_bits();
        assert!(answer.difference(&other).unwrap().contains("0.5 there"));
    }
}
