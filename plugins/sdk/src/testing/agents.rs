//! Agents for tests, and their columns.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{FLAG_UNKNOWN, TRAIT_COUNT};

use crate::attribute::Column as AttributeColumn;
use crate::candidates::Rows;
use crate::{Attribute, AttributeValue, Candidates, Outcomes, Request};

/// One agent of a test.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Skills with their proficiency, 1 to 5.
    pub skills: Vec<(&'static str, f32)>,
    /// BCP 47 tags with their CEFR number.
    pub languages: Vec<(&'static str, f32)>,
    /// Warmth, calm, patience, clarity, energy; NaN where unknown.
    pub attitude: [f32; TRAIT_COUNT],
    /// How many tasks the agent has now.
    pub active_tasks: u32,
    /// How many tasks the agent can have at once.
    pub capacity: u32,
    /// How long the agent has been without a new task, in ms.
    pub idle_ms: u64,
    /// How past calls ended.
    pub outcomes: Outcomes,
    /// Custom attributes; one name has values of one kind.
    pub attributes: Vec<(&'static str, AttributeValue<'static>)>,
}

impl Default for Agent {
    fn default() -> Self {
        Self {
            skills: Vec::new(),
            languages: Vec::new(),
            attitude: [f32::NAN; TRAIT_COUNT],
            active_tasks: 0,
            capacity: 1,
            idle_ms: 0,
            outcomes: Outcomes::default(),
            attributes: Vec::new(),
        }
    }
}

impl Agent {
    /// Adds a skill with its proficiency, 1 to 5.
    #[must_use]
    pub fn skill(mut self, name: &'static str, level: f32) -> Self {
        self.skills.push((name, level));
        self
    }

    /// Adds a language with its CEFR number: A1 is 1, C2 is 6, native is 7.
    #[must_use]
    pub fn language(mut self, tag: &'static str, level: f32) -> Self {
        self.languages.push((tag, level));
        self
    }

    /// Adds a custom attribute.
    #[must_use]
    pub fn attribute(mut self, name: &'static str, value: impl Into<AttributeValue<'static>>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }
}

/// The number of the next columns; 0 would tell matchers nothing.
static NEXT_SNAPSHOT: AtomicU64 = AtomicU64::new(1);

/// A column that a host may leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// Skills: the offsets, ids, levels and names.
    Skills,
    /// Languages: the offsets, ids, levels and tags.
    Languages,
    /// Attitude traits.
    Attitudes,
    /// How many tasks each has.
    ActiveTasks,
    /// How many tasks each can have.
    Capacities,
    /// How long each has been without a new task.
    IdleTimes,
    /// How past calls ended.
    Outcomes,
    /// All custom attributes.
    Attributes,
}

impl Column {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Skills,
        Self::Languages,
        Self::Attitudes,
        Self::ActiveTasks,
        Self::Capacities,
        Self::IdleTimes,
        Self::Outcomes,
        Self::Attributes,
    ];
}

/// The columns of some agents. A column that was taken out is empty.
#[derive(Debug, Clone)]
pub struct Agents {
    pub(super) count: usize,
    pub(super) snapshot: u64,
    pub(super) skills: OwnedRows,
    pub(super) languages: OwnedRows,
    pub(super) attitudes: Vec<f32>,
    pub(super) active_tasks: Vec<u32>,
    pub(super) capacities: Vec<u32>,
    pub(super) idle_ms: Vec<u64>,
    pub(super) outcomes: Vec<Outcomes>,
    pub(super) attributes: BTreeMap<&'static str, OwnedColumn>,
}

/// Compressed rows.
#[derive(Debug, Clone)]
pub(super) struct OwnedRows {
    pub(super) names: Vec<&'static str>,
    pub(super) offsets: Vec<u32>,
    pub(super) ids: Vec<u32>,
    pub(super) levels: Vec<f32>,
}

impl OwnedRows {
    const NONE: Self = Self { names: Vec::new(), offsets: Vec::new(), ids: Vec::new(), levels: Vec::new() };

    fn push(&mut self, entries: &[(&'static str, f32)]) {
        for (name, level) in entries {
            self.ids.push(intern(&mut self.names, name));
            self.levels.push(*level);
        }
        self.offsets.push(u32::try_from(self.ids.len()).unwrap_or(abi::NONE));
    }

    fn rows(&self) -> Rows<'_> {
        Rows { offsets: &self.offsets, ids: &self.ids, levels: &self.levels }
    }
}

/// The index of a text in a table, which grows where it is new.
fn intern(table: &mut Vec<&'static str>, text: &'static str) -> u32 {
    let index = table.iter().position(|known| *known == text).unwrap_or_else(|| {
        table.push(text);
        table.len() - 1
    });
    // A test has not four billion texts.
    u32::try_from(index).unwrap_or(abi::NONE)
}

/// The column of a custom attribute.
#[derive(Debug, Clone)]
pub(super) enum OwnedColumn {
    Numbers(Vec<f64>),
    Flags(Vec<u8>),
    Texts { ids: Vec<u32>, texts: Vec<&'static str> },
}

impl OwnedColumn {
    /// A column for values like this one, with nothing known of anybody.
    fn of_kind(value: AttributeValue<'_>, count: usize) -> Self {
        match value {
            AttributeValue::Number(_) => Self::Numbers(vec![f64::NAN; count]),
            AttributeValue::Flag(_) => Self::Flags(vec![FLAG_UNKNOWN; count]),
            AttributeValue::Text(_) => Self::Texts { ids: vec![abi::NONE; count], texts: Vec::new() },
        }
    }

    /// Sets a value; one of another kind than the first is left out, as unknown.
    fn set(&mut self, row: usize, value: AttributeValue<'static>) {
        match (self, value) {
            (Self::Numbers(column), AttributeValue::Number(number)) => column[row] = number,
            (Self::Flags(column), AttributeValue::Flag(flag)) => column[row] = u8::from(flag),
            (Self::Texts { ids, texts }, AttributeValue::Text(text)) => ids[row] = intern(texts, text),
            _ => {}
        }
    }
}

impl Agents {
    /// Collects agents into columns.
    #[must_use]
    pub fn new(agents: &[Agent]) -> Self {
        let rows = || OwnedRows { offsets: vec![0], ..OwnedRows::NONE };
        let mut columns = Self {
            count: agents.len(),
            snapshot: NEXT_SNAPSHOT.fetch_add(1, Ordering::Relaxed),
            skills: rows(),
            languages: rows(),
            attitudes: agents.iter().flat_map(|agent| agent.attitude).collect(),
            active_tasks: agents.iter().map(|agent| agent.active_tasks).collect(),
            capacities: agents.iter().map(|agent| agent.capacity).collect(),
            idle_ms: agents.iter().map(|agent| agent.idle_ms).collect(),
            outcomes: agents.iter().map(|agent| agent.outcomes).collect(),
            attributes: BTreeMap::new(),
        };
        for (row, agent) in agents.iter().enumerate() {
            columns.skills.push(&agent.skills);
            columns.languages.push(&agent.languages);
            for &(name, value) in &agent.attributes {
                let of_kind = || OwnedColumn::of_kind(value, agents.len());
                columns.attributes.entry(name).or_insert_with(of_kind).set(row, value);
            }
        }
        columns
    }

    /// How many agents there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes a column out: a [`super::Bench`] then passes null.
    #[must_use]
    pub fn without(mut self, column: Column) -> Self {
        self.snapshot = NEXT_SNAPSHOT.fetch_add(1, Ordering::Relaxed);
        match column {
            Column::Skills => self.skills = OwnedRows::NONE,
            Column::Languages => self.languages = OwnedRows::NONE,
            Column::Attitudes => self.attitudes.clear(),
            Column::ActiveTasks => self.active_tasks.clear(),
            Column::Capacities => self.capacities.clear(),
            Column::IdleTimes => self.idle_ms.clear(),
            Column::Outcomes => self.outcomes.clear(),
            Column::Attributes => self.attributes.clear(),
        }
        self
    }

    /// The columns as a matcher sees them.
    #[must_use]
    pub fn candidates(&self) -> Candidates<'_> {
        let attributes = self.attributes.iter().map(|(&name, column)| {
            let column = match column {
                OwnedColumn::Numbers(column) => AttributeColumn::Numbers(column),
                OwnedColumn::Flags(column) => AttributeColumn::Flags(column),
                OwnedColumn::Texts { ids, texts } => AttributeColumn::Texts { ids, texts: texts.clone() },
            };
            Attribute { name, column }
        });
        Candidates {
            count: self.count,
            snapshot: self.snapshot,
            skill_names: self.skills.names.clone(),
            language_tags: self.languages.names.clone(),
            skills: self.skills.rows(),
            languages: self.languages.rows(),
            attitudes: &self.attitudes,
            active_tasks: &self.active_tasks,
            capacities: &self.capacities,
            idle_ms: &self.idle_ms,
            outcomes: &self.outcomes,
            attributes: attributes.collect(),
        }
    }

    /// The id of a skill; `None` where no agent has it.
    pub(super) fn skill_id(&self, name: &str) -> Option<u32> {
        let index = self.skills.names.iter().position(|known| *known == name)?;
        u32::try_from(index).ok()
    }

    /// Gives a request these needed skills (name, proficiency, whether a must), with their ids as a host would.
    #[must_use]
    pub fn resolve<'call>(
        &self,
        mut request: Request<'call>,
        needs: &[(&'call str, f32, bool)],
    ) -> Request<'call> {
        let need = |&(name, level, must_have): &(&'call str, f32, bool)| crate::SkillNeed {
            name,
            skill: self.skill_id(name),
            level,
            must_have,
        };
        request.needs = needs.iter().map(need).collect();
        request
    }
}
