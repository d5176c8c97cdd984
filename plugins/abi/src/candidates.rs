//! What a matcher is told about the agents: all of them at once, as columns.

use crate::Text;

/// How an agent's past calls ended. Never changes within a major version.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// Calls that ended with the issue resolved.
    pub resolved: u32,
    /// Calls that ended otherwise: transferred, abandoned, escalated.
    pub unresolved: u32,
    /// Those of the resolved calls in which the customer was upset (sad, angry, disgusted, afraid or frustrated).
    pub upset_resolved: u32,
    /// Those of the unresolved calls in which the customer was upset.
    pub upset_unresolved: u32,
}

/// What a column of an [`Attribute`] holds. An integer and no `enum`, because a later version may have more kinds.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttributeKind(pub u32);

impl AttributeKind {
    /// `numbers` holds the column.
    pub const NUMBER: Self = Self(1);
    /// `flags` holds the column.
    pub const FLAG: Self = Self(2);
    /// `text_ids` holds the column.
    pub const TEXT: Self = Self(3);
}

/// In [`Attribute::flags`]: not known of this candidate.
pub const FLAG_UNKNOWN: u8 = u8::MAX;

/// An attribute that whoever runs the server gave to agents, as one column. Never changes within a major version.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Attribute {
    /// Its name.
    pub name: Text,
    /// Which of the columns below it has; the others are null.
    pub kind: AttributeKind,
    /// How many values `texts` has.
    pub text_count: u32,
    /// One number a candidate; NaN where it is not known.
    pub numbers: *const f64,
    /// 0, 1 or [`FLAG_UNKNOWN`] a candidate.
    pub flags: *const u8,
    /// An index into `texts` a candidate; [`crate::NONE`] where it is not known.
    pub text_ids: *const u32,
    /// Every value of any candidate, once.
    pub texts: *const Text,
}

/// All candidates of one ranking, as columns with one row a candidate.
///
/// Skills and languages are compressed rows: the entries of candidate `i` are those from `offsets[i]` to
/// `offsets[i + 1]`, without the end. Offsets never fall and end at the length of the columns they point into;
/// ids are always below the length of their table. Columns of which nothing is known may be null.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Candidates {
    /// The bytes of this structure that the host has filled in.
    pub size: u32,
    /// How many candidates there are. Where this is 0 every column may be null.
    pub count: u32,
    /// How many names `skill_names` has.
    pub skill_name_count: u32,
    /// How many tags `language_tags` has.
    pub language_tag_count: u32,
    /// How many columns `attributes` has.
    pub attribute_count: u32,
    /// Fills the structure up to a multiple of eight bytes; 0.
    pub reserved: u32,
    /// Calls with the same number have the same columns; 0 says nothing.
    pub snapshot: u64,
    /// Every skill that any candidate has, once.
    pub skill_names: *const Text,
    /// Every language that any candidate speaks, once, as BCP 47 tags.
    pub language_tags: *const Text,
    /// `count + 1` offsets into `skill_ids` and `skill_levels`.
    pub skill_offsets: *const u32,
    /// Indices into `skill_names`.
    pub skill_ids: *const u32,
    /// Proficiencies, 1 to 5.
    pub skill_levels: *const f32,
    /// `count + 1` offsets into `language_ids` and `language_levels`.
    pub language_offsets: *const u32,
    /// Indices into `language_tags`.
    pub language_ids: *const u32,
    /// CEFR numbers: A1 is 1, C2 is 6, native is 7.
    pub language_levels: *const f32,
    /// `count` rows of warmth, calm, patience, clarity and energy in [0, 1]; NaN where unknown.
    pub attitudes: *const f32,
    /// How many tasks each candidate has now.
    pub active_tasks: *const u32,
    /// How many tasks each candidate can have at once.
    pub capacities: *const u32,
    /// How long each candidate has been without a new task, in ms.
    pub idle_ms: *const u64,
    /// How each candidate's past calls ended; all 0 where nothing is known.
    pub outcomes: *const Outcomes,
    /// Custom attributes, in the order of their names.
    pub attributes: *const Attribute,
}
