//! The layout of all values between operations.

use super::{Eight, LANES, Scratch};

/// Values of many channels at many places, channels in panels of eight: `[rows, panels, columns]` of [`Eight`].
///
/// A picture has its rows and columns. A sequence has one row, with its steps as columns; so do the rows of a matrix.
/// Borders of zeros that a convolution needs are part of the rows and columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sheet {
    pub(crate) rows: usize,
    pub(crate) panels: usize,
    pub(crate) columns: usize,
    pub(crate) values: Scratch,
}

impl Sheet {
    pub(crate) fn zeros(rows: usize, panels: usize, columns: usize) -> Self {
        Self { rows, panels, columns, values: Scratch::zeros(rows * panels * columns) }
    }

    /// With anything in it, for a result that is written whole.
    pub(crate) fn unset(rows: usize, panels: usize, columns: usize) -> Self {
        Self { rows, panels, columns, values: Scratch::unset(rows * panels * columns) }
    }

    /// A matrix from its rows, each `width` long.
    pub(crate) fn from_matrix(values: &[f32], width: usize) -> Self {
        let count = values.len() / width.max(1);
        let mut sheet = Self::zeros(1, width.div_ceil(LANES), count);
        for (index, row) in values.chunks_exact(width.max(1)).enumerate() {
            sheet.put(index, row);
        }
        sheet
    }

    /// Sets all channels of one column of a single row.
    pub(crate) fn put(&mut self, column: usize, channels: &[f32]) {
        for (panel, channels) in channels.chunks(LANES).enumerate() {
            self.values[panel * self.columns + column].0[..channels.len()].copy_from_slice(channels);
        }
    }

    /// The first `width` channels of one column of a single row.
    pub(crate) fn take(&self, column: usize, width: usize) -> Vec<f32> {
        (0..width)
            .map(|channel| self.values[channel / LANES * self.columns + column].0[channel % LANES])
            .collect()
    }

    /// The number of values of one row.
    pub(crate) fn row_length(&self) -> usize {
        self.panels * self.columns
    }

    /// One panel of a single row.
    pub(crate) fn panel(&self, panel: usize) -> &[Eight] {
        &self.values[panel * self.columns..(panel + 1) * self.columns]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_comes_back() {
        let values: Vec<f32> = (0..30_u8).map(f32::from).collect();
        let sheet = Sheet::from_matrix(&values, 10);
        assert_eq!((sheet.rows, sheet.panels, sheet.columns), (1, 2, 3));
        for row in 0..3 {
            assert_eq!(sheet.take(row, 10), values[row * 10..(row + 1) * 10]);
        }
        assert_eq!(sheet.panel(1)[2].0[..3], [28.0, 29.0, 0.0]);
    }
}
