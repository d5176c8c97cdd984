//! Custom attributes of agents: what whoever runs the server knows of them besides the fixed columns.

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{AttributeKind, FLAG_UNKNOWN};

use crate::{MatcherError, raw};

/// One custom attribute of all candidates.
#[derive(Debug, Clone)]
pub struct Attribute<'call> {
    /// Its name.
    pub name: &'call str,
    pub(crate) column: Column<'call>,
}

/// The column of an attribute.
#[derive(Debug, Clone)]
pub(crate) enum Column<'call> {
    /// NaN where unknown.
    Numbers(&'call [f64]),
    /// [`FLAG_UNKNOWN`] where unknown.
    Flags(&'call [u8]),
    /// [`abi::NONE`] where unknown.
    Texts { ids: &'call [u32], texts: Vec<&'call str> },
}

/// A custom attribute of one candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AttributeValue<'call> {
    /// A finite number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// A text.
    Text(&'call str),
}

impl From<f64> for AttributeValue<'_> {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for AttributeValue<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl<'call> From<&'call str> for AttributeValue<'call> {
    fn from(text: &'call str) -> Self {
        Self::Text(text)
    }
}

impl<'call> Attribute<'call> {
    /// The value of one candidate; `None` where it is not known of them.
    #[must_use]
    pub fn value(&self, row: usize) -> Option<AttributeValue<'call>> {
        match &self.column {
            Column::Numbers(column) => column
                .get(row)
                .filter(|number| !number.is_nan())
                .map(|number| AttributeValue::Number(*number)),
            Column::Flags(column) => column
                .get(row)
                .filter(|flag| **flag != FLAG_UNKNOWN)
                .map(|flag| AttributeValue::Flag(*flag != 0)),
            Column::Texts { ids, texts } => {
                let id = *ids.get(row)?;
                texts.get(id as usize).map(|text| AttributeValue::Text(text))
            }
        }
    }

    /// The number of one candidate; `None` where it is not known or the attribute has no numbers.
    #[must_use]
    pub fn number(&self, row: usize) -> Option<f64> {
        match self.value(row)? {
            AttributeValue::Number(number) => Some(number),
            AttributeValue::Flag(_) | AttributeValue::Text(_) => None,
        }
    }

    /// The flag of one candidate; `None` where it is not known or the attribute has no flags.
    #[must_use]
    pub fn flag(&self, row: usize) -> Option<bool> {
        match self.value(row)? {
            AttributeValue::Flag(flag) => Some(flag),
            AttributeValue::Number(_) | AttributeValue::Text(_) => None,
        }
    }

    /// The text of one candidate; `None` where it is not known or the attribute has no texts.
    #[must_use]
    pub fn text(&self, row: usize) -> Option<&'call str> {
        match self.value(row)? {
            AttributeValue::Text(text) => Some(text),
            AttributeValue::Number(_) | AttributeValue::Flag(_) => None,
        }
    }

    /// Reads all attributes; columns of a kind that this version does not know are passed over.
    ///
    /// # Safety
    /// All pointers must be as the header says, for as long as `'call`.
    pub(crate) unsafe fn all_from_abi(candidates: &abi::Candidates) -> Result<Vec<Self>, MatcherError> {
        let count = candidates.count as usize;
        // SAFETY: the caller promises as many attributes as the count says.
        let columns = unsafe {
            raw::column(candidates.attributes, candidates.attribute_count as usize, "the attributes are null")
        }?;
        let mut attributes = Vec::with_capacity(columns.len());
        for attribute in columns {
            // SAFETY: the caller promises texts as the header says.
            let name = unsafe { raw::text(attribute.name, "an attribute's name is no text") }?;
            // SAFETY: the caller promises a column of `count` rows of the kind that is named.
            let column = unsafe {
                match attribute.kind {
                    AttributeKind::NUMBER => Column::Numbers(raw::column(
                        attribute.numbers,
                        count,
                        "an attribute's numbers are null",
                    )?),
                    AttributeKind::FLAG => {
                        Column::Flags(raw::column(attribute.flags, count, "an attribute's flags are null")?)
                    }
                    AttributeKind::TEXT => Column::Texts {
                        ids: raw::column(attribute.text_ids, count, "an attribute's text ids are null")?,
                        texts: raw::texts(
                            attribute.texts,
                            attribute.text_count,
                            "an attribute's value is no text",
                        )?,
                    },
                    _ => continue,
                }
            };
            attributes.push(Self { name, column });
        }
        Ok(attributes)
    }
}
