//! What a matcher is told about the agents, as safe columns.

use heartline_plugin_abi as abi;
use heartline_plugin_abi::TRAIT_COUNT;

use crate::{MatcherError, raw};

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
pub(crate) struct Rows<'call> {
    pub(crate) offsets: &'call [u32],
    pub(crate) ids: &'call [u32],
    pub(crate) levels: &'call [f32],
}

impl<'call> Rows<'call> {
    /// # Safety
    /// The pointers must be as the header says of a compressed row with `count` rows, for as long as `'call`.
    unsafe fn from_abi(
        count: usize,
        offsets: *const u32,
        ids: *const u32,
        levels: *const f32,
    ) -> Result<Self, MatcherError> {
        // SAFETY: the caller promises `count + 1` offsets.
        let offsets = unsafe { raw::column(offsets, count + 1, "a column of offsets is null") }?;
        if offsets.windows(2).any(|pair| pair[0] > pair[1]) {
            return Err(MatcherError::Argument("a column of offsets falls"));
        }
        let length = offsets[count] as usize;
        // SAFETY: the caller promises as many entries as the last offset says.
        let ids = unsafe { raw::column(ids, length, "a column of ids is null") }?;
        // SAFETY: as for the ids.
        let levels = unsafe { raw::column(levels, length, "a column of levels is null") }?;
        Ok(Self { offsets, ids, levels })
    }

    fn row(&self, row: usize) -> impl Iterator<Item = (u32, f32)> + Clone + use<'call> {
        let range = self.offsets[row] as usize..self.offsets[row + 1] as usize;
        self.ids[range.clone()].iter().copied().zip(self.levels[range].iter().copied())
    }
}

/// All candidates, one row each. Asking for a row that does not exist panics, like indexing a slice.
#[derive(Debug, Clone)]
pub struct Candidates<'call> {
    pub(crate) skill_names: Vec<&'call str>,
    pub(crate) language_tags: Vec<&'call str>,
    pub(crate) skills: Rows<'call>,
    pub(crate) languages: Rows<'call>,
    pub(crate) attitudes: &'call [f32],
    pub(crate) active_tasks: &'call [u32],
    pub(crate) capacities: &'call [u32],
    pub(crate) idle_ms: &'call [u64],
    pub(crate) outcomes: &'call [Outcomes],
}

impl<'call> Candidates<'call> {
    /// How many candidates there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.active_tasks.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.active_tasks.is_empty()
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

    /// A candidate's attitude in the order of [`Trait`], in [0, 1]; NaN where a trait is unknown.
    #[must_use]
    pub fn attitude(&self, row: usize) -> [f32; TRAIT_COUNT] {
        std::array::from_fn(|index| self.attitudes[row * TRAIT_COUNT + index])
    }

    /// How many tasks a candidate has now.
    #[must_use]
    pub fn active_tasks(&self, row: usize) -> u32 {
        self.active_tasks[row]
    }

    /// How many tasks a candidate can have at once.
    #[must_use]
    pub fn capacity(&self, row: usize) -> u32 {
        self.capacities[row]
    }

    /// How long a candidate has been without a new task, in ms.
    #[must_use]
    pub fn idle_ms(&self, row: usize) -> u64 {
        self.idle_ms[row]
    }

    /// How a candidate's past calls ended; all 0 where nothing is known.
    #[must_use]
    pub fn outcomes(&self, row: usize) -> Outcomes {
        self.outcomes[row]
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
                attitudes: raw::column(columns.attitudes, count * TRAIT_COUNT, "the attitudes are null")?,
                active_tasks: raw::column(columns.active_tasks, count, "the active tasks are null")?,
                capacities: raw::column(columns.capacities, count, "the capacities are null")?,
                idle_ms: raw::column(columns.idle_ms, count, "the idle times are null")?,
                outcomes: raw::column(columns.outcomes, count, "the outcomes are null")?,
            })
        }
    }

    fn none() -> Self {
        let rows = Rows { offsets: &[0], ids: &[], levels: &[] };
        Self {
            skill_names: Vec::new(),
            language_tags: Vec::new(),
            skills: rows,
            languages: rows,
            attitudes: &[],
            active_tasks: &[],
            capacities: &[],
            idle_ms: &[],
            outcomes: &[],
        }
    }
}
