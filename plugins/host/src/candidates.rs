//! The candidates as columns: built once from agents, then shared by all matchers of a ranking.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{TRAIT_COUNT, Text};

use crate::HostError;
use crate::attributes::{AttributeColumn, AttributeValue, RawAttribute};

/// How an agent's past calls ended; all 0 where nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutcomeCounts {
    /// Calls that ended with the issue resolved.
    pub resolved: u32,
    /// Calls that ended otherwise: transferred, abandoned, escalated.
    pub unresolved: u32,
    /// Those of the resolved calls in which the customer was upset (sad, angry, disgusted, afraid or frustrated).
    pub upset_resolved: u32,
    /// Those of the unresolved calls in which the customer was upset.
    pub upset_unresolved: u32,
}

/// What the columns take of one agent. Matchers never learn who it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct AgentColumns<'agent> {
    /// Skills with their proficiency, 1 to 5; each skill once.
    pub skills: &'agent [(&'agent str, f32)],
    /// Languages as BCP 47 tags with their CEFR number ([`language_level`]); each language once.
    pub languages: &'agent [(&'agent str, f32)],
    /// Warmth, calm, patience, clarity and energy in [0, 1]; `None` where unknown.
    pub attitude: [Option<f32>; TRAIT_COUNT],
    /// How many tasks the agent has now.
    pub active_tasks: u32,
    /// How many tasks the agent can have at once.
    pub capacity: u32,
    /// How long the agent has been without a new task, in ms.
    pub idle_ms: u64,
    /// How the agent's past calls ended.
    pub outcomes: OutcomeCounts,
    /// Custom attributes; each name once.
    pub attributes: &'agent [(&'agent str, AttributeValue<'agent>)],
}

/// The number of a language level: `A1` is 1, `C2` is 6, `native` is 7; letter case does not matter.
#[must_use]
pub fn language_level(name: &str) -> Option<f32> {
    const NAMES: [&str; 7] = ["A1", "A2", "B1", "B2", "C1", "C2", "native"];
    let index = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name))?;
    Some((index + 1) as f32)
}

/// Names that are kept once, numbered in the order they were first seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) names: Vec<String>,
    indices: HashMap<String, u32>,
}

impl Table {
    pub(crate) fn intern(&mut self, name: &str) -> Option<u32> {
        if let Some(&index) = self.indices.get(name) {
            return Some(index);
        }
        let index = u32::try_from(self.names.len()).ok().filter(|&index| index != abi::NONE)?;
        self.names.push(name.to_owned());
        self.indices.insert(name.to_owned(), index);
        Some(index)
    }

    pub(crate) fn texts(&self) -> Vec<Text> {
        self.names.iter().map(|name| Text::from_borrowed(name)).collect()
    }
}

/// Compressed rows: the entries of row `i` are those from `offsets[i]` to `offsets[i + 1]`.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(crate) table: Table,
    pub(crate) offsets: Vec<u32>,
    pub(crate) ids: Vec<u32>,
    pub(crate) levels: Vec<f32>,
}

impl Rows {
    fn new() -> Self {
        Self { table: Table::default(), offsets: vec![0], ids: Vec::new(), levels: Vec::new() }
    }

    /// Adds a row, or says what is wrong with it and adds nothing.
    fn push(&mut self, kind: &str, entries: &[(&str, f32)], highest: f32) -> Result<(), String> {
        for (position, (name, level)) in entries.iter().enumerate() {
            if name.is_empty() {
                return Err(format!("a {kind} has no name"));
            }
            if !(1.0..=highest).contains(level) {
                return Err(format!(
                    "the level of the {kind} {name:?} is {level}, it must be between 1 and {highest}"
                ));
            }
            if entries[..position].iter().any(|(earlier, _)| earlier == name) {
                return Err(format!("the {kind} {name:?} appears twice"));
            }
        }
        let end = u32::try_from(self.ids.len() + entries.len())
            .map_err(|_| format!("there are more than {} {kind}s in all", u32::MAX))?;
        for (name, level) in entries {
            let id =
                self.table.intern(name).ok_or_else(|| format!("there are too many different {kind}s"))?;
            self.ids.push(id);
            self.levels.push(*level);
        }
        self.offsets.push(end);
        Ok(())
    }

    /// One row alone, with the same table of names.
    fn row(&self, row: usize) -> Self {
        let range = self.offsets[row] as usize..self.offsets[row + 1] as usize;
        let ids = self.ids[range.clone()].to_vec();
        Self {
            table: self.table.clone(),
            offsets: vec![0, self.offsets[row + 1] - self.offsets[row]],
            ids,
            levels: self.levels[range].to_vec(),
        }
    }
}

/// Collects agents into [`Candidates`].
#[derive(Debug)]
pub struct CandidatesBuilder {
    candidates: Candidates,
}

impl CandidatesBuilder {
    /// Adds one agent; its row is the number of agents pushed before.
    ///
    /// # Errors
    /// [`HostError::InvalidCandidate`] where a level or trait is outside its range or a name appears twice; the agent
    /// is then left out, and the builder should be dropped.
    pub fn push(&mut self, agent: &AgentColumns<'_>) -> Result<(), HostError> {
        let index = self.candidates.len();
        let columns = &mut self.candidates;
        let refuse = |reason| HostError::InvalidCandidate { index, reason };
        if let Some(value) = agent.attitude.iter().flatten().find(|value| !(0.0..=1.0).contains(*value)) {
            return Err(refuse(format!("an attitude trait is {value}, it must be between 0 and 1")));
        }
        columns.skills.push("skill", agent.skills, 5.0).map_err(refuse)?;
        columns.languages.push("language", agent.languages, abi::LEVEL_NATIVE).map_err(refuse)?;
        columns.attitudes.extend(agent.attitude.map(|value| value.unwrap_or(f32::NAN)));
        columns.active_tasks.push(agent.active_tasks);
        columns.capacities.push(agent.capacity);
        columns.idle_ms.push(agent.idle_ms);
        let OutcomeCounts { resolved, unresolved, upset_resolved, upset_unresolved } = agent.outcomes;
        columns.outcomes.push(abi::Outcomes { resolved, unresolved, upset_resolved, upset_unresolved });
        for (name, value) in agent.attributes {
            if name.is_empty() {
                return Err(refuse("an attribute has no name".to_owned()));
            }
            let column = columns
                .attributes
                .entry((*name).to_owned())
                .or_insert_with(|| AttributeColumn::of_kind(*value));
            column
                .set(index, *value)
                .map_err(|problem| refuse(format!("the attribute {name:?} {problem}")))?;
        }
        Ok(())
    }

    /// Ends the collecting.
    #[must_use]
    pub fn build(mut self) -> Candidates {
        let count = self.candidates.len();
        self.candidates.attributes.values_mut().for_each(|column| column.fill(count));
        self.candidates.snapshot = NEXT_SNAPSHOT.fetch_add(1, Ordering::Relaxed);
        self.candidates.look_for_the_known();
        self.candidates
    }
}

/// The number of the next columns; 0 would tell matchers nothing.
static NEXT_SNAPSHOT: AtomicU64 = AtomicU64::new(1);

/// All candidates of a ranking, as the columns that matchers read. Built once and shared by all rankings of the same
/// agents: matchers read this memory itself.
#[derive(Debug)]
pub struct Candidates {
    pub(crate) snapshot: u64,
    pub(crate) skills: Rows,
    pub(crate) languages: Rows,
    pub(crate) attitudes: Vec<f32>,
    pub(crate) active_tasks: Vec<u32>,
    pub(crate) capacities: Vec<u32>,
    pub(crate) idle_ms: Vec<u64>,
    pub(crate) outcomes: Vec<abi::Outcomes>,
    pub(crate) attributes: BTreeMap<String, AttributeColumn>,
    /// Whether any attitude, and any outcome, is known: columns that say nothing are not given to matchers.
    pub(crate) knows_attitudes: bool,
    pub(crate) knows_outcomes: bool,
}

impl Candidates {
    /// Starts collecting.
    #[must_use]
    pub fn builder() -> CandidatesBuilder {
        let candidates = Self {
            snapshot: 0,
            skills: Rows::new(),
            languages: Rows::new(),
            attitudes: Vec::new(),
            active_tasks: Vec::new(),
            capacities: Vec::new(),
            idle_ms: Vec::new(),
            outcomes: Vec::new(),
            attributes: BTreeMap::new(),
            knows_attitudes: false,
            knows_outcomes: false,
        };
        CandidatesBuilder { candidates }
    }

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

    /// The number of these columns, unlike that of any others in this process.
    #[must_use]
    pub fn snapshot(&self) -> u64 {
        self.snapshot
    }

    /// One candidate alone, as columns of one row with the same values: what a matcher that learns is given.
    ///
    /// A row that does not exist panics, like indexing a slice.
    #[must_use]
    pub fn row(&self, row: usize) -> Self {
        let attributes = self.attributes.iter();
        let mut alone = Self {
            snapshot: NEXT_SNAPSHOT.fetch_add(1, Ordering::Relaxed),
            skills: self.skills.row(row),
            languages: self.languages.row(row),
            attitudes: self.attitudes[row * TRAIT_COUNT..(row + 1) * TRAIT_COUNT].to_vec(),
            active_tasks: vec![self.active_tasks[row]],
            capacities: vec![self.capacities[row]],
            idle_ms: vec![self.idle_ms[row]],
            outcomes: vec![self.outcomes[row]],
            attributes: attributes.map(|(name, column)| (name.clone(), column.row(row))).collect(),
            knows_attitudes: false,
            knows_outcomes: false,
        };
        alone.look_for_the_known();
        alone
    }

    fn look_for_the_known(&mut self) {
        self.knows_attitudes = self.attitudes.iter().any(|value| !value.is_nan());
        self.knows_outcomes = self.outcomes.iter().any(|counts| *counts != abi::Outcomes::default());
    }
}

/// Columns that a matcher can be lent, wherever they are.
pub(crate) trait Lend {
    /// How many candidates there are.
    fn len(&self) -> usize;

    /// The index of a skill in the table, if any candidate has it.
    fn skill_index(&self, name: &str) -> Option<u32>;

    /// Calls `body` with the columns in the ABI's shape, which is valid as long as the call.
    fn lend<T>(&self, body: impl FnOnce(&abi::Candidates) -> T) -> T;
}

impl Lend for Candidates {
    fn len(&self) -> usize {
        self.len()
    }

    fn skill_index(&self, name: &str) -> Option<u32> {
        self.skills.table.indices.get(name).copied()
    }

    fn lend<T>(&self, body: impl FnOnce(&abi::Candidates) -> T) -> T {
        let parts = RawCandidates::new(self);
        // `check_call` lets no more through than fits.
        body(&parts.to_abi(u32::try_from(self.len()).unwrap_or(0)))
    }
}

/// Candidates in the ABI's shape, with the tables of texts that its pointers lead to.
struct RawCandidates<'candidates> {
    candidates: &'candidates Candidates,
    skill_names: Vec<Text>,
    language_tags: Vec<Text>,
    /// The texts of each attribute, which `attributes` points at.
    _attribute_texts: Vec<Vec<Text>>,
    attributes: Vec<RawAttribute>,
}

impl<'candidates> RawCandidates<'candidates> {
    fn new(candidates: &'candidates Candidates) -> Self {
        let skill_names = candidates.skills.table.texts();
        let language_tags = candidates.languages.table.texts();
        let attribute_texts: Vec<Vec<Text>> =
            candidates.attributes.values().map(AttributeColumn::texts).collect();
        let attributes = candidates
            .attributes
            .iter()
            .zip(&attribute_texts)
            .map(|((name, column), texts)| column.to_abi(name, texts))
            .collect();
        Self { candidates, skill_names, language_tags, _attribute_texts: attribute_texts, attributes }
    }

    /// The structure to pass for `count` candidates, which is their number; valid for as long as `self` is borrowed.
    fn to_abi(&self, count: u32) -> abi::Candidates {
        let columns = self.candidates;
        let (has_skills, has_languages) = (!columns.skills.ids.is_empty(), !columns.languages.ids.is_empty());
        abi::Candidates {
            size: abi::size_of_struct::<abi::Candidates>(),
            count,
            // Tables stay below `NONE`, see `Table::intern`.
            skill_name_count: u32::try_from(self.skill_names.len()).unwrap_or(abi::NONE),
            language_tag_count: u32::try_from(self.language_tags.len()).unwrap_or(abi::NONE),
            // No host has four billion attributes: their number is limited where agents are read.
            attribute_count: u32::try_from(self.attributes.len()).unwrap_or(0),
            reserved: 0,
            snapshot: columns.snapshot,
            skill_names: pointer(&self.skill_names, true),
            language_tags: pointer(&self.language_tags, true),
            skill_offsets: pointer(&columns.skills.offsets, has_skills),
            skill_ids: pointer(&columns.skills.ids, true),
            skill_levels: pointer(&columns.skills.levels, true),
            language_offsets: pointer(&columns.languages.offsets, has_languages),
            language_ids: pointer(&columns.languages.ids, true),
            language_levels: pointer(&columns.languages.levels, true),
            attitudes: pointer(&columns.attitudes, columns.knows_attitudes),
            active_tasks: pointer(&columns.active_tasks, true),
            capacities: pointer(&columns.capacities, true),
            idle_ms: pointer(&columns.idle_ms, true),
            outcomes: pointer(&columns.outcomes, columns.knows_outcomes),
            attributes: pointer(&self.attributes, true),
        }
    }
}

/// The pointer to a column; null where it is empty or says nothing.
fn pointer<T>(column: &[T], is_known: bool) -> *const T {
    if is_known && !column.is_empty() { column.as_ptr() } else { std::ptr::null() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(agent: &AgentColumns<'_>) -> String {
        let mut builder = Candidates::builder();
        builder.push(&AgentColumns::default()).unwrap();
        match builder.push(agent).unwrap_err() {
            HostError::InvalidCandidate { index: 1, reason } => reason,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn equal_names_share_one_place_in_the_table() {
        let mut builder = Candidates::builder();
        builder
            .push(&AgentColumns { skills: &[("refunds", 2.0), ("billing", 5.0)], ..AgentColumns::default() })
            .unwrap();
        builder.push(&AgentColumns::default()).unwrap();
        builder.push(&AgentColumns { skills: &[("billing", 1.0)], ..AgentColumns::default() }).unwrap();
        let candidates = builder.build();
        assert_eq!(candidates.len(), 3);
        assert_eq!(candidates.skills.table.names, ["refunds", "billing"]);
        assert_eq!(candidates.skills.offsets, [0, 2, 2, 3]);
        assert_eq!(candidates.skills.ids, [0, 1, 1]);
        assert_eq!(candidates.skill_index("billing"), Some(1));
        assert_eq!(candidates.skill_index("Billing"), None);
    }

    #[test]
    fn values_outside_their_range_are_refused_with_the_row() {
        assert!(
            reason(&AgentColumns { skills: &[("a", 0.0)], ..AgentColumns::default() })
                .contains("between 1 and 5")
        );
        assert!(
            reason(&AgentColumns { languages: &[("en", f32::NAN)], ..AgentColumns::default() })
                .contains("NaN")
        );
        assert!(
            reason(&AgentColumns { languages: &[("", 3.0)], ..AgentColumns::default() }).contains("no name")
        );
        assert!(
            reason(&AgentColumns { skills: &[("a", 1.0), ("a", 2.0)], ..AgentColumns::default() })
                .contains("twice")
        );
        let attitude = [Some(1.5), None, None, None, None];
        assert!(reason(&AgentColumns { attitude, ..AgentColumns::default() }).contains("trait"));
    }

    #[test]
    fn language_levels_have_numbers() {
        assert_eq!(language_level("A1"), Some(1.0));
        assert_eq!(language_level("c2"), Some(6.0));
        assert_eq!(language_level("Native"), Some(abi::LEVEL_NATIVE));
        assert_eq!(language_level("fluent"), None);
    }
}
