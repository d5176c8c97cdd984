//! How tables look.

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

/// The widest table, in characters; wider terminals do not make reasons easier to read.
const WIDTH_LIMIT: u16 = 140;
/// The width where the output is no terminal.
const DEFAULT_WIDTH: u16 = 120;

/// An empty table with a heading.
pub(super) fn table<const COLUMNS: usize>(heading: [&str; COLUMNS]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(table.width().unwrap_or(DEFAULT_WIDTH).min(WIDTH_LIMIT));
    table.set_header(heading);
    table
}

/// A closed value as it stands on the wire.
pub(super) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

/// A moment of media time as minutes, seconds and tenths.
pub(super) fn clock(at_ms: u64) -> String {
    format!("{:02}:{:02}.{}", at_ms / 60_000, at_ms / 1_000 % 60, at_ms % 1_000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_show_tenths() {
        assert_eq!(clock(0), "00:00.0");
        assert_eq!(clock(61_250), "01:01.2");
        assert_eq!(clock(3_600_000), "60:00.0");
    }

    #[test]
    fn words_are_those_of_the_wire() {
        assert_eq!(word(&crate::routing::Mode::Shadow), "shadow");
    }
}
