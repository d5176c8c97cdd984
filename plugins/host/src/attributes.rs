//! Custom attributes of agents as columns: numbers, flags or texts, one kind an attribute.

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{AttributeKind, FLAG_UNKNOWN, Text};

use crate::candidates::Table;

/// The ABI's shape of a column.
pub(crate) type RawAttribute = abi::Attribute;

/// A custom attribute of one agent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AttributeValue<'agent> {
    /// A finite number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// A text.
    Text(&'agent str),
}

impl AttributeValue<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Self::Number(_) => "a number",
            Self::Flag(_) => "a flag",
            Self::Text(_) => "a text",
        }
    }
}

/// One attribute of all candidates. While it is collected it may be shorter than the candidates.
#[derive(Debug, Clone)]
pub(crate) enum AttributeColumn {
    Numbers(Vec<f64>),
    Flags(Vec<u8>),
    Texts { table: Table, ids: Vec<u32> },
}

impl AttributeColumn {
    /// An empty column for values like this one.
    pub(crate) fn of_kind(value: AttributeValue<'_>) -> Self {
        match value {
            AttributeValue::Number(_) => Self::Numbers(Vec::new()),
            AttributeValue::Flag(_) => Self::Flags(Vec::new()),
            AttributeValue::Text(_) => Self::Texts { table: Table::default(), ids: Vec::new() },
        }
    }

    /// Fills the column up to a number of rows with the marks for unknown.
    pub(crate) fn fill(&mut self, rows: usize) {
        match self {
            Self::Numbers(column) => column.resize(rows, f64::NAN),
            Self::Flags(column) => column.resize(rows, FLAG_UNKNOWN),
            Self::Texts { ids, .. } => ids.resize(rows, abi::NONE),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Numbers(column) => column.len(),
            Self::Flags(column) => column.len(),
            Self::Texts { ids, .. } => ids.len(),
        }
    }

    /// Sets the value of one row, which comes after all rows that were set, or says what is wrong with it.
    pub(crate) fn set(&mut self, row: usize, value: AttributeValue<'_>) -> Result<(), String> {
        if self.len() > row {
            return Err("appears twice".to_owned());
        }
        self.fill(row);
        match (self, value) {
            (Self::Numbers(_), AttributeValue::Number(number)) if !number.is_finite() => {
                return Err(format!("is {number}, it must be finite"));
            }
            (Self::Numbers(column), AttributeValue::Number(number)) => column.push(number),
            (Self::Flags(column), AttributeValue::Flag(flag)) => column.push(u8::from(flag)),
            (Self::Texts { table, ids }, AttributeValue::Text(text)) => {
                ids.push(table.intern(text).ok_or("has too many different values")?);
            }
            (column, value) => {
                return Err(format!("is {} here and {} elsewhere", value.kind(), column.kind()));
            }
        }
        Ok(())
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Numbers(_) => "a number",
            Self::Flags(_) => "a flag",
            Self::Texts { .. } => "a text",
        }
    }

    /// One row alone.
    pub(crate) fn row(&self, row: usize) -> Self {
        match self {
            Self::Numbers(column) => Self::Numbers(vec![column[row]]),
            Self::Flags(column) => Self::Flags(vec![column[row]]),
            Self::Texts { table, ids } => Self::Texts { table: table.clone(), ids: vec![ids[row]] },
        }
    }

    /// The table of texts in the ABI's shape; empty for other kinds.
    pub(crate) fn texts(&self) -> Vec<Text> {
        match self {
            Self::Texts { table, .. } => table.texts(),
            Self::Numbers(_) | Self::Flags(_) => Vec::new(),
        }
    }

    /// The column in the ABI's shape; valid for as long as the column and `texts` are.
    pub(crate) fn to_abi(&self, name: &str, texts: &[Text]) -> RawAttribute {
        let empty = RawAttribute {
            name: Text::from_borrowed(name),
            kind: AttributeKind::NUMBER,
            text_count: 0,
            numbers: std::ptr::null(),
            flags: std::ptr::null(),
            text_ids: std::ptr::null(),
            texts: std::ptr::null(),
        };
        match self {
            Self::Numbers(column) => RawAttribute { numbers: column.as_ptr(), ..empty },
            Self::Flags(column) => {
                RawAttribute { kind: AttributeKind::FLAG, flags: column.as_ptr(), ..empty }
            }
            Self::Texts { ids, .. } => RawAttribute {
                kind: AttributeKind::TEXT,
                // Tables stay below `NONE`, see `Table::intern`.
                text_count: u32::try_from(texts.len()).unwrap_or(0),
                text_ids: ids.as_ptr(),
                texts: texts.as_ptr(),
                ..empty
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_unknown() {
        let mut column = AttributeColumn::of_kind(AttributeValue::Flag(true));
        column.set(1, AttributeValue::Flag(true)).unwrap();
        column.set(2, AttributeValue::Flag(false)).unwrap();
        column.fill(4);
        let AttributeColumn::Flags(flags) = &column else { panic!("{column:?}") };
        assert_eq!(*flags, [FLAG_UNKNOWN, 1, 0, FLAG_UNKNOWN]);
    }

    #[test]
    fn one_attribute_has_one_kind_and_finite_numbers() {
        let mut column = AttributeColumn::of_kind(AttributeValue::Number(1.0));
        column.set(0, AttributeValue::Number(1.0)).unwrap();
        assert!(column.set(0, AttributeValue::Number(2.0)).unwrap_err().contains("twice"));
        assert!(column.set(1, AttributeValue::Text("x")).unwrap_err().contains("a number elsewhere"));
        assert!(column.set(1, AttributeValue::Number(f64::NAN)).unwrap_err().contains("finite"));
    }
}
