//! Compressed rows turned over: for each id, the rows that have it.

use crate::Rows;

/// One row that has an id.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Posting {
    /// The row.
    pub row: u32,
    /// The level at which it has the id.
    pub level: f32,
}

/// For each skill or language, which candidates have it: what a matcher goes through that needs a few of many. Made once
/// for all calls with the same columns, and as large as the columns that it is made of.
#[derive(Debug, Clone, Default)]
pub struct Postings {
    snapshot: Option<u64>,
    /// One more than there are ids; empty before the first [`Self::refresh`].
    starts: Vec<u32>,
    entries: Vec<Posting>,
}

impl Postings {
    /// Makes these the postings of `rows`, unless they are already those of the same snapshot
    /// ([`crate::Candidates::snapshot`]). Ids from `id_count` up are left out.
    pub fn refresh(&mut self, snapshot: Option<u64>, rows: Rows<'_>, id_count: usize) {
        if snapshot.is_some() && snapshot == self.snapshot {
            return;
        }
        self.snapshot = snapshot;
        // One place more than needed: while the entries are placed, `starts[id + 1]` is where the next one of `id` goes,
        // and ends up where the id's entries end.
        self.starts.clear();
        self.starts.resize(id_count + 2, 0);
        for id in rows.ids {
            if let Some(start) = self.starts.get_mut(*id as usize + 2).filter(|_| (*id as usize) < id_count) {
                *start += 1;
            }
        }
        for index in 2..self.starts.len() {
            self.starts[index] += self.starts[index - 1];
        }
        let total = self.starts.last().map_or(0, |total| *total as usize);
        // Every entry is placed below, so what is left of earlier columns need not be cleared.
        self.entries.resize(total, Posting { row: 0, level: 0.0 });
        for (row, bounds) in (0_u32..).zip(rows.offsets.windows(2)) {
            let range = bounds[0] as usize..bounds[1] as usize;
            for (id, level) in rows.ids[range.clone()].iter().zip(&rows.levels[range]) {
                if (*id as usize) < id_count {
                    let next = &mut self.starts[*id as usize + 1];
                    self.entries[*next as usize] = Posting { row, level: *level };
                    *next += 1;
                }
            }
        }
    }

    /// The rows that have an id, in their order; none where no row has it.
    #[must_use]
    pub fn of(&self, id: u32) -> &[Posting] {
        let bounds = self.starts.get(id as usize).zip(self.starts.get(id as usize + 1));
        // The last start is the room that `refresh` needs, not an id's.
        let bounds = bounds.filter(|_| id as usize + 2 < self.starts.len());
        bounds.and_then(|(start, end)| self.entries.get(*start as usize..*end as usize)).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: Rows<'static> =
        Rows { offsets: &[0, 2, 2, 5], ids: &[1, 0, 0, 7, 1], levels: &[1.0, 2.0, 3.0, 4.0, 5.0] };

    fn found(postings: &Postings, id: u32) -> Vec<(u32, f32)> {
        postings.of(id).iter().map(|posting| (posting.row, posting.level)).collect()
    }

    #[test]
    fn each_id_has_its_rows_in_order() {
        let mut postings = Postings::default();
        assert_eq!(found(&postings, 0), []);
        postings.refresh(None, ROWS, 3);
        assert_eq!(found(&postings, 0), [(0, 2.0), (2, 3.0)]);
        assert_eq!(found(&postings, 1), [(0, 1.0), (2, 5.0)]);
        for id in [2, 3, 4, 7, u32::MAX] {
            assert_eq!(found(&postings, id), [], "{id}");
        }
    }

    #[test]
    fn they_are_made_anew_only_for_other_columns() {
        let mut postings = Postings::default();
        let none = Rows { offsets: &[], ids: &[], levels: &[] };
        postings.refresh(Some(1), ROWS, 3);
        postings.refresh(Some(1), none, 3);
        assert_eq!(postings.of(0).len(), 2);
        postings.refresh(Some(2), none, 3);
        assert!(postings.of(0).is_empty());
        postings.refresh(None, ROWS, 3);
        postings.refresh(None, none, 0);
        assert!(postings.of(0).is_empty());
    }
}
