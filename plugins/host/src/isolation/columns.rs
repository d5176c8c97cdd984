//! The candidates' columns in shared memory: written by the parent as they are, mapped read-only by the child.

use std::collections::HashMap;
use std::io::{Error, ErrorKind, Result};

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{AttributeKind, Text};
use memmap2::Mmap;
use serde::{Deserialize, Serialize};

use super::files::Growing;
use crate::Candidates;
use crate::attributes::AttributeColumn;
use crate::candidates::{Lend, Rows};

/// Where columns begin: more than any of their types asks for.
pub(super) const ALIGNMENT: usize = 64;

/// A run of values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Span {
    at: u64,
    /// In values, not in bytes.
    length: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct RowsLayout {
    names: Vec<String>,
    offsets: Option<Span>,
    ids: Span,
    levels: Span,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum AttributeLayout {
    Numbers(Span),
    Flags(Span),
    Texts { texts: Vec<String>, ids: Span },
}

/// Where everything is.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Layout {
    snapshot: u64,
    count: u32,
    /// How many bytes there are in all.
    pub(super) length: u64,
    skills: RowsLayout,
    languages: RowsLayout,
    attitudes: Option<Span>,
    active_tasks: Span,
    capacities: Span,
    idle_ms: Span,
    outcomes: Option<Span>,
    attributes: Vec<(String, AttributeLayout)>,
}

/// Values of which every byte is theirs.
///
/// # Safety
/// The type must have no padding, and any bytes must be a value of it.
unsafe trait Plain: Copy {}
// SAFETY: numbers have no padding, and any bytes are a number.
unsafe impl Plain for u8 {}
// SAFETY: as for `u8`.
unsafe impl Plain for u32 {}
// SAFETY: as for `u8`.
unsafe impl Plain for u64 {}
// SAFETY: as for `u8`.
unsafe impl Plain for f32 {}
// SAFETY: as for `u8`.
unsafe impl Plain for f64 {}
// SAFETY: four numbers of the same size, in the layout of C.
unsafe impl Plain for abi::Outcomes {}

/// Writes the columns and says where they are.
pub(super) fn write(candidates: &Candidates, file: &mut Growing) -> Result<Layout> {
    let mut pen = Pen { file, at: 0 };
    let layout = Layout {
        snapshot: candidates.snapshot(),
        count: u32::try_from(candidates.len()).map_err(|_| Error::from(ErrorKind::InvalidInput))?,
        length: 0,
        skills: pen.rows(&candidates.skills)?,
        languages: pen.rows(&candidates.languages)?,
        attitudes: candidates.knows_attitudes.then(|| pen.column(&candidates.attitudes)).transpose()?,
        active_tasks: pen.column(&candidates.active_tasks)?,
        capacities: pen.column(&candidates.capacities)?,
        idle_ms: pen.column(&candidates.idle_ms)?,
        outcomes: candidates.knows_outcomes.then(|| pen.column(&candidates.outcomes)).transpose()?,
        attributes: candidates
            .attributes
            .iter()
            .map(|(name, column)| Ok((name.clone(), pen.attribute(column)?)))
            .collect::<Result<_>>()?,
    };
    // The child maps whole columns, and none of no bytes.
    let length = pen.at.max(1);
    pen.file.reserve(length)?;
    Ok(Layout { length, ..layout })
}

struct Pen<'file> {
    file: &'file mut Growing,
    at: u64,
}

impl Pen<'_> {
    fn column<T: Plain>(&mut self, column: &[T]) -> Result<Span> {
        // SAFETY: the values are plain, so that their bytes are all initialised; the length is theirs.
        let bytes = unsafe { std::slice::from_raw_parts(column.as_ptr().cast::<u8>(), size_of_val(column)) };
        let at = self.at;
        self.file.reserve(at + bytes.len() as u64)?;
        self.file.write(bytes, at)?;
        self.at = (at + bytes.len() as u64).next_multiple_of(ALIGNMENT as u64);
        Ok(Span { at, length: column.len() as u64 })
    }

    fn rows(&mut self, rows: &Rows) -> Result<RowsLayout> {
        let has_entries = !rows.ids.is_empty();
        Ok(RowsLayout {
            names: rows.table.names.clone(),
            offsets: has_entries.then(|| self.column(&rows.offsets)).transpose()?,
            ids: self.column(&rows.ids)?,
            levels: self.column(&rows.levels)?,
        })
    }

    fn attribute(&mut self, column: &AttributeColumn) -> Result<AttributeLayout> {
        Ok(match column {
            AttributeColumn::Numbers(column) => AttributeLayout::Numbers(self.column(column)?),
            AttributeColumn::Flags(column) => AttributeLayout::Flags(self.column(column)?),
            AttributeColumn::Texts { table, ids } => {
                AttributeLayout::Texts { texts: table.names.clone(), ids: self.column(ids)? }
            }
        })
    }
}

/// Columns that a child has mapped.
pub(super) struct Mapped {
    raw: abi::Candidates,
    indices: HashMap<String, u32>,
    // What the pointers in `raw` lead to; none of it is touched again.
    _map: Mmap,
    _layout: Layout,
    _texts: Vec<Vec<Text>>,
    _attributes: Vec<abi::Attribute>,
}

impl Mapped {
    /// Prepares the columns for the matcher.
    pub(super) fn new(map: Mmap, layout: Layout) -> Result<Self> {
        let texts = |names: &[String]| names.iter().map(|name| Text::from_borrowed(name)).collect::<Vec<_>>();
        let (skill_names, language_tags) = (texts(&layout.skills.names), texts(&layout.languages.names));
        let mut tables = Vec::new();
        let mut attributes = Vec::new();
        for (name, column) in &layout.attributes {
            let empty = abi::Attribute {
                name: Text::from_borrowed(name),
                kind: AttributeKind::NUMBER,
                text_count: 0,
                numbers: std::ptr::null(),
                flags: std::ptr::null(),
                text_ids: std::ptr::null(),
                texts: std::ptr::null(),
            };
            attributes.push(match column {
                AttributeLayout::Numbers(span) => abi::Attribute { numbers: pointer(&map, *span)?, ..empty },
                AttributeLayout::Flags(span) => {
                    abi::Attribute { kind: AttributeKind::FLAG, flags: pointer(&map, *span)?, ..empty }
                }
                AttributeLayout::Texts { texts: names, ids } => {
                    let table = texts(names);
                    let raw = abi::Attribute {
                        kind: AttributeKind::TEXT,
                        text_count: count(&table)?,
                        text_ids: pointer(&map, *ids)?,
                        texts: table.as_ptr(),
                        ..empty
                    };
                    tables.push(table);
                    raw
                }
            });
        }
        let maybe = |span: Option<Span>| span.map_or(Ok(std::ptr::null()), |span| pointer(&map, span));
        let raw = abi::Candidates {
            size: abi::size_of_struct::<abi::Candidates>(),
            count: layout.count,
            skill_name_count: count(&skill_names)?,
            language_tag_count: count(&language_tags)?,
            attribute_count: count(&attributes)?,
            reserved: 0,
            snapshot: layout.snapshot,
            skill_names: start(&skill_names),
            language_tags: start(&language_tags),
            skill_offsets: maybe(layout.skills.offsets)?,
            skill_ids: pointer(&map, layout.skills.ids)?,
            skill_levels: pointer(&map, layout.skills.levels)?,
            language_offsets: maybe(layout.languages.offsets)?,
            language_ids: pointer(&map, layout.languages.ids)?,
            language_levels: pointer(&map, layout.languages.levels)?,
            attitudes: layout.attitudes.map_or(Ok(std::ptr::null()), |span| pointer(&map, span))?,
            active_tasks: pointer(&map, layout.active_tasks)?,
            capacities: pointer(&map, layout.capacities)?,
            idle_ms: pointer(&map, layout.idle_ms)?,
            outcomes: layout.outcomes.map_or(Ok(std::ptr::null()), |span| pointer(&map, span))?,
            attributes: start(&attributes),
        };
        let indices = (0..).zip(&layout.skills.names).map(|(index, name)| (name.clone(), index)).collect();
        tables.extend([skill_names, language_tags]);
        Ok(Self { raw, indices, _map: map, _layout: layout, _texts: tables, _attributes: attributes })
    }
}

impl Lend for Mapped {
    fn len(&self) -> usize {
        self.raw.count as usize
    }

    fn skill_index(&self, name: &str) -> Option<u32> {
        self.indices.get(name).copied()
    }

    fn lend<T>(&self, body: impl FnOnce(&abi::Candidates) -> T) -> T {
        body(&self.raw)
    }
}

fn count<T>(table: &[T]) -> Result<u32> {
    u32::try_from(table.len()).map_err(|_| Error::from(ErrorKind::InvalidData))
}

fn start<T>(table: &[T]) -> *const T {
    if table.is_empty() { std::ptr::null() } else { table.as_ptr() }
}

/// The first value of a span, which must be all there; null where it is empty.
fn pointer<T: Plain>(map: &Mmap, span: Span) -> Result<*const T> {
    let outside = || Error::new(ErrorKind::InvalidData, "a column is not within the shared memory");
    if span.length == 0 {
        return Ok(std::ptr::null());
    }
    let bytes = span.length.checked_mul(size_of::<T>() as u64).ok_or_else(outside)?;
    let end = span.at.checked_add(bytes).filter(|end| *end <= map.len() as u64).ok_or_else(outside)?;
    let column = usize::try_from(span.at).ok().and_then(|at| map.get(at..usize::try_from(end).ok()?));
    let pointer = column.ok_or_else(outside)?.as_ptr().cast::<T>();
    if pointer.is_aligned() { Ok(pointer) } else { Err(outside()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AgentColumns, AttributeValue};

    fn candidates() -> Candidates {
        let mut builder = Candidates::builder();
        let attributes = &[("age", AttributeValue::Number(3.0)), ("site", AttributeValue::Text("Lyon"))][..];
        builder
            .push(&AgentColumns {
                skills: &[("refunds", 2.0), ("billing", 5.0)],
                capacity: 7,
                attributes,
                ..AgentColumns::default()
            })
            .unwrap();
        builder.push(&AgentColumns { idle_ms: 9, ..AgentColumns::default() }).unwrap();
        builder.build()
    }

    fn written() -> (Layout, Mmap) {
        let file = tempfile::tempfile().unwrap();
        let mut growing = Growing::new(file.try_clone().unwrap());
        let layout = write(&candidates(), &mut growing).unwrap();
        // SAFETY: nobody else has the file.
        (layout, unsafe { Mmap::map(&file) }.unwrap())
    }

    #[test]
    fn columns_come_out_as_they_went_in() {
        let (layout, map) = written();
        let layout: Layout = serde_json::from_str(&serde_json::to_string(&layout).unwrap()).unwrap();
        let mapped = Mapped::new(map, layout).unwrap();
        assert_eq!((mapped.len(), mapped.skill_index("billing")), (2, Some(1)));
        let raw = &mapped.raw;
        assert!(raw.attitudes.is_null() && raw.outcomes.is_null() && raw.language_offsets.is_null());
        // SAFETY: the layout says that there are two rows, with two skills in all.
        unsafe {
            assert_eq!(std::slice::from_raw_parts(raw.capacities, 2), [7, 0]);
            assert_eq!(std::slice::from_raw_parts(raw.idle_ms, 2), [0, 9]);
            assert_eq!(std::slice::from_raw_parts(raw.skill_levels, 2), [2.0, 5.0]);
            let attributes = std::slice::from_raw_parts(raw.attributes, 2);
            assert_eq!(*attributes[0].numbers, 3.0);
            let site = *attributes[1].texts.add(*attributes[1].text_ids as usize);
            assert_eq!(site.as_str(), Some("Lyon"));
        }
    }

    #[test]
    fn a_span_outside_the_memory_is_refused() {
        for span in [
            Span { at: u64::MAX, length: 1 },
            Span { at: 0, length: u64::MAX },
            Span { at: 0, length: 1 << 40 },
            Span { at: 2, length: 1 },
        ] {
            let (mut layout, map) = written();
            layout.capacities = span;
            assert!(Mapped::new(map, layout).is_err(), "{span:?}");
        }
    }
}
