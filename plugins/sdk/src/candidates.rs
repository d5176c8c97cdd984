//! What a matcher is told about the agents, as safe columns.

use heartline_plugin_abi as abi;
use heartline_plugin_abi::TRAIT_COUNT;

use crate::{Attribute, MatcherError, raw};

pub use heartline_plugin_abi::Outcomes;

/// The attitude traits, in the order of [`Candidates::attitude`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Trait {
    /// Shows sympathy.
    Warmth,
    /// Stays calm under attack.
    Calm,
    /// Takes time.
    Patience,
    /// Explains well.
    Clarity,
    /// Is lively.
    Energy,
}

/// Compressed rows: the entries of row `i` are those from `offsets[i]` to `offsets[i + 1]`.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'call> {
    /// One more than there are rows, never falling; empty where no row has an entry.
    pub offsets: &'call [u32],
    /// The entries' ids.
    pub ids: &'call [u32],
    /// The entries' levels.
    pub levels: &'call [f32],
}

impl<'call> Rows<'call> {
    /// Rows of which none has an entry; the only ones without offsets.
    pub(crate) const NONE: Self = Self { offsets: &[], ids: &[], levels: &[] };

    /// # Safety
    /// The pointers must be as the header says of a compressed row with `count` rows, for as long as `'call`.
    unsafe fn from_abi(
        count: usize,
        offsets: *const u32,
        ids: *const u32,
        levels: *const f32,
    ) -> Result<Self, MatcherError> {
        if offsets.is_null() {
            return Ok(Self::NONE);
        }
        // SAFETY: the caller promises `count + 1` offsets.
        let offsets = unsafe { raw::column(offsets, count + 1, "a column of offsets is null") }?;
        if !offsets.is_sorted() {
            return Err(MatcherError::Argument("a column of offsets falls"));
        }
        let length = offsets[count] as usize;
        // SAFETY: the caller promises as many entries as the last offset says.
        let ids = unsafe { raw::column(ids, length, "a column of ids is null") }?;
        // SAFETY: as for the ids.
        let levels = unsafe { raw::column(levels, length, "a column of levels is null") }?;
        Ok(Self { offsets, ids, levels })
    }

    /// A row's ids and levels; none where the row does not exist or nothing of its kind is known of anybody.
    #[must_use]
    #[inline]
    pub fn entries(&self, row: usize) -> (&'call [u32], &'call [f32]) {
        let bounds = self.offsets.get(row).zip(self.offsets.get(row + 1));
        let range = bounds.map(|(start, end)| *start as usize..*end as usize);
        let entries = range.and_then(|range| self.ids.get(range.clone()).zip(self.levels.get(range)));
        entries.unwrap_or((&[], &[]))
    }

    /// Where a row's entries are in `ids` and `levels`.
    fn range(&self, row: usize) -> std::ops::Range<usize> {
        if self.offsets.is_empty() {
            return 0..0;
        }
        self.offsets[row] as usize..self.offsets[row + 1] as usize
    }

    fn row(&self, row: usize) -> impl Iterator<Item = (u32, f32)> + Clone + use<'call> {
        let range = self.range(row);
        self.ids[range.clone()].iter().copied().zip(self.levels[range].iter().copied())
    }
}

/// All candidates, one row each. Ask only for rows below [`Self::len`]: any other one panics, or reads like a candidate of
/// whom nothing is known.
///
/// The columns are the host's memory, borrowed for the call. A column of which the host knows nothing is empty, and the
/// methods by row then give what is said at each.
#[derive(Debug, Clone)]
pub struct Candidates<'call> {
    pub(crate) count: usize,
    pub(crate) snapshot: u64,
    pub(crate) skill_names: Vec<&'call str>,
    pub(crate) language_tags: Vec<&'call str>,
    pub(crate) skills: Rows<'call>,
    pub(crate) languages: Rows<'call>,
    pub(crate) attitudes: &'call [f32],
    pub(crate) active_tasks: &'call [u32],
    pub(crate) capacities: &'call [u32],
    pub(crate) idle_ms: &'call [u64],
    pub(crate) outcomes: &'call [Outcomes],
    pub(crate) attributes: Vec<Attribute<'call>>,
}

impl<'call> Candidates<'call> {
    /// How many candidates there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The number of these columns: calls with the same number have the same columns, so what was worked out from them
    /// once need not be worked out again. `None` where the host says nothing.
    #[must_use]
    pub fn snapshot(&self) -> Option<u64> {
        (self.snapshot != 0).then_some(self.snapshot)
    }

    /// The same columns under a number, for tests of matchers that remember what they worked out from them.
    #[must_use]
    pub fn with_snapshot(self, snapshot: u64) -> Self {
        Self { snapshot, ..self }
    }

    /// So many candidates of whom nothing is known, as from a host that has no column at all; for tests.
    #[must_use]
    pub fn unknown(count: usize) -> Self {
        Self { count, ..Self::none() }
    }

    /// Every skill of any candidate, once; skill ids are indices into it.
    #[must_use]
    pub fn skill_names(&self) -> &[&'call str] {
        &self.skill_names
    }

    /// Every language of any candidate, once, as BCP 47 tags; language ids are indices into it.
    #[must_use]
    pub fn language_tags(&self) -> &[&'call str] {
        &self.language_tags
    }

    /// A candidate's skills: ids and proficiencies, 1 to 5.
    pub fn skills(&self, row: usize) -> impl Iterator<Item = (u32, f32)> + Clone + use<'call> {
        self.skills.row(row)
    }

    /// A candidate's languages: ids and CEFR numbers.
    pub fn languages(&self, row: usize) -> impl Iterator<Item = (u32, f32)> + Clone + use<'call> {
        self.languages.row(row)
    }

    /// All candidates' skills at once, for matchers that go through the columns themselves.
    #[must_use]
    pub fn skill_rows(&self) -> Rows<'call> {
        self.skills
    }

    /// All candidates' languages at once, for matchers that go through the columns themselves.
    #[must_use]
    pub fn language_rows(&self) -> Rows<'call> {
        self.languages
    }

    /// A candidate's attitude in the order of [`Trait`], in [0, 1]; NaN where a trait is unknown.
    #[must_use]
    pub fn attitude(&self, row: usize) -> [f32; TRAIT_COUNT] {
        self.attitudes().get(row).copied().unwrap_or([f32::NAN; TRAIT_COUNT])
    }

    /// All attitudes, or none at all where nothing is known of anybody.
    #[must_use]
    pub fn attitudes(&self) -> &'call [[f32; TRAIT_COUNT]] {
        self.attitudes.as_chunks().0
    }

    /// How many tasks a candidate has now; 0 where the host does not know.
    #[must_use]
    pub fn active_tasks(&self, row: usize) -> u32 {
        self.active_tasks.get(row).copied().unwrap_or(0)
    }

    /// How many tasks a candidate can have at once; 1 where the host does not know.
    #[must_use]
    pub fn capacity(&self, row: usize) -> u32 {
        self.capacities.get(row).copied().unwrap_or(1)
    }

    /// How long a candidate has been without a new task, in ms; 0 where the host does not know.
    #[must_use]
    pub fn idle_ms(&self, row: usize) -> u64 {
        self.idle_ms.get(row).copied().unwrap_or(0)
    }

    /// How a candidate's past calls ended; all 0 where nothing is known.
    #[must_use]
    pub fn outcomes(&self, row: usize) -> Outcomes {
        self.outcomes.get(row).copied().unwrap_or_default()
    }

    /// All outcomes, or none at all where nothing is known of anybody.
    #[must_use]
    pub fn outcome_rows(&self) -> &'call [Outcomes] {
        self.outcomes
    }

    /// A custom attribute by its name; `None` where no candidate has it.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute<'call>> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// All custom attributes.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute<'call>] {
        &self.attributes
    }

    /// Reads the ABI's candidates.
    ///
    /// # Safety
    /// The pointer and all it leads to must be as the header says, for as long as `'call`.
    pub(crate) unsafe fn from_abi(pointer: *const abi::Candidates) -> Result<Self, MatcherError> {
        // SAFETY: the caller promises that the structure is as the header says.
        let columns = unsafe { raw::structure(pointer, "the candidates are null or too short") }?;
        let count = columns.count as usize;
        if count == 0 {
            return Ok(Self::none());
        }
        // SAFETY: as before, for every column below.
        unsafe {
            Ok(Self {
                count,
                snapshot: columns.snapshot,
                skill_names: raw::texts(
                    columns.skill_names,
                    columns.skill_name_count,
                    "a skill's name is no text",
                )?,
                language_tags: raw::texts(
                    columns.language_tags,
                    columns.language_tag_count,
                    "a language tag is no text",
                )?,
                skills: Rows::from_abi(
                    count,
                    columns.skill_offsets,
                    columns.skill_ids,
                    columns.skill_levels,
                )?,
                languages: Rows::from_abi(
                    count,
                    columns.language_offsets,
                    columns.language_ids,
                    columns.language_levels,
                )?,
                attitudes: raw::optional(
                    columns.attitudes,
                    count * TRAIT_COUNT,
                    "the attitudes are misaligned",
                )?,
                active_tasks: raw::optional(columns.active_tasks, count, "the active tasks are misaligned")?,
                capacities: raw::optional(columns.capacities, count, "the capacities are misaligned")?,
                idle_ms: raw::optional(columns.idle_ms, count, "the idle times are misaligned")?,
                outcomes: raw::optional(columns.outcomes, count, "the outcomes are misaligned")?,
                attributes: Attribute::all_from_abi(columns)?,
            })
        }
    }

    pub(crate) fn none() -> Self {
        Self {
            count: 0,
            snapshot: 0,
            skill_names: Vec::new(),
            language_tags: Vec::new(),
            skills: Rows::NONE,
            languages: Rows::NONE,
            attitudes: &[],
            active_tasks: &[],
            capacities: &[],
            idle_ms: &[],
            outcomes: &[],
            attributes: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_those_of_the_row_and_none_beyond_the_end() {
        let rows = Rows { offsets: &[0, 2, 2, 3], ids: &[4, 5, 6], levels: &[1.0, 2.0, 3.0] };
        assert_eq!(rows.entries(0), (&[4, 5][..], &[1.0, 2.0][..]));
        assert_eq!(rows.entries(1), (&[][..], &[][..]));
        assert_eq!(rows.entries(2), (&[6][..], &[3.0][..]));
        assert_eq!(rows.entries(3), (&[][..], &[][..]));
        assert_eq!(Rows::NONE.entries(0), (&[][..], &[][..]));
    }

    #[test]
    fn of_unknown_candidates_every_column_says_nothing() {
        let candidates = Candidates::unknown(2);
        assert_eq!((candidates.len(), candidates.snapshot()), (2, None));
        assert_eq!((candidates.capacity(1), candidates.idle_ms(1)), (1, 0));
        assert!(candidates.attitude(1).iter().all(|value| value.is_nan()));
        assert_eq!(candidates.skills(1).count() + candidates.languages(1).count(), 0);
    }
}
