//! The detector on the CPU: [`super::DetectorNetwork`] over plain slices.
//!
//! Both halves of a separable convolution and the halving behind it are done row by row: three rows between the
//! halves are all that is kept, so a picture of 6 MB passes through the cache once for each unit and not six times.

use super::STRIDES;
use super::loader::{ANSWER, BACKBONE_UNITS, STEM, names};
use super::network::{HALVED_BEFORE, TAPPED};
use crate::direct::depthwise::{Filter, halve};
use crate::direct::{Eight, Finish, LANES, Packed, Reading, Sheet, crew, each_row, share};
use crate::{ModelError, Weights};

/// Colours of a picture.
const COLOURS: usize = 3;
/// The stem's kernel covers this many rows of each colour.
const KERNEL: usize = 3;
/// Rows of a band below which more bands cost more than they spread.
const LEAST_BAND_ROWS: usize = 4;

/// What is done with a unit's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Nothing,
    Relu,
    /// Rectified, then the largest of each 2 x 2 pixels.
    ReluAndHalve,
}

/// A separable convolution.
#[derive(Debug)]
struct Unit {
    pointwise: Packed,
    depthwise: Vec<Filter>,
}

/// The detector's network, ready for the CPU.
#[derive(Debug)]
pub(super) struct DirectDetector {
    stem: Packed,
    backbone: Vec<Unit>,
    neck: Vec<Unit>,
    heads: Vec<Unit>,
}

impl DirectDetector {
    /// # Errors
    /// [`ModelError`] where a tensor is missing or of another shape.
    pub(super) fn load(weights: &Weights<'_>) -> Result<Self, ModelError> {
        let read = |name: &str, shape: [usize; 4]| {
            let bias = weights.values(&format!("{name}.bias"), &[shape[0]])?;
            Ok::<_, ModelError>((weights.values(&format!("{name}.weight"), &shape)?, bias))
        };
        let (weight, bias) = read("stem", [STEM, COLOURS, KERNEL, KERNEL])?;
        let stem = Packed::from_rows(&weight, &bias);
        let mut units = Vec::new();
        for (name, [channels_in, channels_out]) in names() {
            let (weight, bias) = read(&format!("{name}.pointwise"), [channels_out, channels_in, 1, 1])?;
            let pointwise = Packed::from_rows(&weight, &bias);
            let (weight, bias) = read(&format!("{name}.depthwise"), [channels_out, 1, 3, 3])?;
            units.push(Unit { pointwise, depthwise: Filter::panels(&weight, &bias) });
        }
        let heads = units.split_off(BACKBONE_UNITS + STRIDES.len());
        let neck = units.split_off(BACKBONE_UNITS);
        Ok(Self { stem, backbone: units, neck, heads })
    }

    /// Pictures `[batch, 3, height, width]` to what [`super::DetectorNetwork::forward`] gives, row-major.
    pub(super) fn forward(&self, values: &[f32], [batch, _, height, width]: [usize; 4]) -> Vec<Vec<f32>> {
        let pictures = values.chunks((COLOURS * height * width).max(1)).collect();
        let answers = each_row(pictures, |planes| self.forward_one(planes, [height, width]));
        let mut levels: Vec<Vec<f32>> = STRIDES
            .iter()
            .map(|stride| Vec::with_capacity(batch * ANSWER * (height / stride) * (width / stride)))
            .collect();
        for answer in answers {
            for (level, answer) in levels.iter_mut().zip(answer) {
                level.extend(answer);
            }
        }
        levels
    }

    fn forward_one(&self, planes: &[f32], sides: [usize; 2]) -> [Vec<f32>; 3] {
        let mut hidden = self.stem(planes, sides);
        let mut taps = Vec::new();
        for (index, unit) in self.backbone.iter().enumerate() {
            let halved_after = HALVED_BEFORE.contains(&(index + 1));
            if TAPPED.contains(&index) {
                hidden = unit.apply(&hidden, After::Relu);
                let halved = if halved_after { halve_sheet(&hidden) } else { hidden.clone() };
                taps.push(std::mem::replace(&mut hidden, halved));
            } else {
                hidden = unit.apply(&hidden, if halved_after { After::ReluAndHalve } else { After::Relu });
            }
        }
        taps.push(hidden);
        let mut answers = [const { Vec::new() }; 3];
        let mut deeper: Option<Sheet> = None;
        for (index, mut merged) in taps.into_iter().enumerate().rev() {
            if let Some(deeper) = &deeper {
                add_doubled(&mut merged, deeper);
            }
            let level = self.neck[index].apply(&merged, After::Relu);
            answers[index] = planes_of(&self.heads[index].apply(&level, After::Nothing));
            deeper = Some(level);
        }
        answers
    }

    /// The first convolution, which halves the sides: `[3, height, width]` to a picture of [`STEM`] channels.
    fn stem(&self, planes: &[f32], [height, width]: [usize; 2]) -> Sheet {
        let mut result = Sheet::unset(height / 2, STEM / LANES, width / 2);
        let (columns, row_length) = (width / 2, result.row_length());
        let steps = (COLOURS * KERNEL * KERNEL).div_ceil(LANES);
        let band = band_rows(result.rows);
        let bands: Vec<_> = result.values.chunks_mut((band * row_length).max(1)).enumerate().collect();
        share(bands, |(index, band_values)| {
            // The inputs of one row's places, [steps, columns], as the weights lie: colour, row, column.
            let mut inputs = vec![Eight::ZERO; steps * columns];
            let places: Vec<usize> = (0..columns).collect();
            let offsets: Vec<usize> = (0..steps).map(|step| step * columns).collect();
            for (row, out) in band_values.chunks_mut(row_length).enumerate() {
                gather(planes, [height, width], index * band + row, &mut inputs);
                let reading = Reading { values: &inputs, places: &places, offsets: &offsets };
                let (first, second) = out.split_at_mut(columns);
                self.stem.pair(reading, 0, first, second);
                Finish::Relu.apply(0, out);
            }
        });
        result
    }
}

/// The inputs of the stem's row `row`: for each column 27 numbers, the border being zero.
fn gather(planes: &[f32], [height, width]: [usize; 2], row: usize, inputs: &mut [Eight]) {
    let columns = width / 2;
    for colour in 0..COLOURS {
        for down in 0..KERNEL {
            let source = (2 * row + down).checked_sub(1).filter(|y| *y < height);
            for across in 0..KERNEL {
                let input = (colour * KERNEL + down) * KERNEL + across;
                let lane = input % LANES;
                let targets = &mut inputs[input / LANES * columns..][..columns];
                let Some(y) = source else {
                    targets.iter_mut().for_each(|target| target.0[lane] = 0.0);
                    continue;
                };
                let line = &planes[(colour * height + y) * width..][..width];
                let pairs = line.as_chunks::<2>().0;
                match across {
                    0 => {
                        targets[0].0[lane] = 0.0;
                        for (target, pair) in targets[1..].iter_mut().zip(pairs) {
                            target.0[lane] = pair[1];
                        }
                    }
                    _ => {
                        for (target, pair) in targets.iter_mut().zip(pairs) {
                            target.0[lane] = pair[across - 1];
                        }
                    }
                }
            }
        }
    }
}

impl Unit {
    /// The unit on a picture.
    fn apply(&self, input: &Sheet, after: After) -> Sheet {
        let shrink = if after == After::ReluAndHalve { 2 } else { 1 };
        let mut result = Sheet::unset(input.rows / shrink, self.pointwise.panels(), input.columns / shrink);
        let row_length = result.row_length();
        let band = band_rows(result.rows);
        let bands: Vec<_> = result.values.chunks_mut((band * row_length).max(1)).enumerate().collect();
        share(bands, |(index, values)| {
            let mut rolling = Rolling::new(self, input);
            let mut pair = [(); 2].map(|()| vec![Eight::ZERO; self.pointwise.panels() * input.columns]);
            for (row, out) in values.chunks_mut(row_length).enumerate() {
                let row = index * band + row;
                if after == After::ReluAndHalve {
                    for (offset, line) in pair.iter_mut().enumerate() {
                        rolling.row(2 * row + offset, true, line);
                    }
                    let [upper, lower] = &pair;
                    halve(upper, lower, out);
                } else {
                    rolling.row(row, after == After::Relu, out);
                }
            }
        });
        result
    }
}

/// The three rows between the halves of a unit, as a result's row moves down a picture.
struct Rolling<'a> {
    unit: &'a Unit,
    input: &'a Sheet,
    /// Each `[panels, columns + 2]`; the row `y` of the picture is in slot `y % 3`.
    slots: [Vec<Eight>; 3],
    /// Which row each slot holds.
    held: [Option<usize>; 3],
    places: Vec<usize>,
    offsets: Vec<usize>,
    /// What lies above and below the picture.
    outside: Vec<Eight>,
}

impl<'a> Rolling<'a> {
    fn new(unit: &'a Unit, input: &'a Sheet) -> Self {
        let length = unit.pointwise.panels() * (input.columns + 2);
        Self {
            unit,
            input,
            slots: [(); 3].map(|()| vec![Eight::ZERO; length]),
            held: [None; 3],
            places: (0..input.columns).collect(),
            offsets: (0..input.panels).map(|panel| panel * input.columns).collect(),
            outside: vec![Eight::ZERO; length],
        }
    }

    /// One row of the result, `[panels, columns]`.
    fn row(&mut self, row: usize, relu: bool, out: &mut [Eight]) {
        for needed in row.saturating_sub(1)..(row + 2).min(self.input.rows) {
            self.hold(needed);
        }
        let of = |row: Option<usize>| match row {
            Some(row) if row < self.input.rows => &self.slots[row % 3],
            _ => &self.outside,
        };
        let rows = [of(row.checked_sub(1)), of(Some(row)), of(Some(row + 1))];
        let width = self.input.columns + 2;
        let panels = self.unit.depthwise.iter().zip(out.chunks_mut(self.input.columns));
        for (panel, (filter, out)) in panels.enumerate() {
            filter.row(rows.map(|row| &row[panel * width..(panel + 1) * width]), relu, out);
        }
    }

    /// Computes a row of the first half, unless it is there.
    fn hold(&mut self, row: usize) {
        let slot = row % 3;
        if self.held[slot] == Some(row) {
            return;
        }
        let length = self.input.row_length();
        let values = &self.input.values[row * length..(row + 1) * length];
        let reading = Reading { values, places: &self.places, offsets: &self.offsets };
        let columns = self.input.columns;
        let pairs = self.slots[slot].chunks_mut(2 * (columns + 2));
        for (pair, panels) in pairs.enumerate() {
            let (first, second) = panels.split_at_mut(columns + 2);
            let second = second.get_mut(1..=columns).unwrap_or_default();
            self.unit.pointwise.pair(reading, pair, &mut first[1..=columns], second);
        }
        self.held[slot] = Some(row);
    }
}

/// How many rows a thread takes of so many.
fn band_rows(rows: usize) -> usize {
    rows.div_ceil(crew()).max(LEAST_BAND_ROWS)
}

/// The largest of each 2 x 2 pixels.
fn halve_sheet(input: &Sheet) -> Sheet {
    let mut result = Sheet::unset(input.rows / 2, input.panels, input.columns / 2);
    let (row_length, length) = (result.row_length().max(1), input.row_length().max(1));
    let pairs = input.values.chunks_exact(2 * length);
    for (pair, out) in pairs.zip(result.values.chunks_exact_mut(row_length)) {
        let (upper, lower) = pair.split_at(length);
        halve(upper, lower, out);
    }
    result
}

/// Adds a picture of half the sides, each pixel four times.
fn add_doubled(picture: &mut Sheet, half: &Sheet) {
    let columns = picture.columns.max(1);
    for (index, line) in picture.values.chunks_exact_mut(columns).enumerate() {
        let (row, panel) = (index / picture.panels, index % picture.panels);
        let source = &half.values[(row / 2 * half.panels + panel) * half.columns..][..half.columns];
        for (pixels, other) in line.as_chunks_mut::<2>().0.iter_mut().zip(source) {
            for pixel in pixels {
                for (value, other) in pixel.0.iter_mut().zip(other.0) {
                    *value += other;
                }
            }
        }
    }
}

/// A picture as `[channels, rows, columns]`, row-major.
fn planes_of(picture: &Sheet) -> Vec<f32> {
    let plane = picture.rows * picture.columns;
    let mut planes = vec![0.0; picture.panels * LANES * plane];
    for (index, line) in picture.values.chunks_exact(picture.columns.max(1)).enumerate() {
        let (row, panel) = (index / picture.panels, index % picture.panels);
        for lane in 0..LANES {
            let start = (panel * LANES + lane) * plane + row * picture.columns;
            for (value, eight) in planes[start..start + picture.columns].iter_mut().zip(line) {
                *value = eight.0[lane];
            }
        }
    }
    planes
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::detector::{DetectorConfig, load};
    use crate::{Device, ModelFolder};
    use burn::tensor::{Tensor, TensorData};

    #[test]
    fn it_gives_what_the_burn_network_gives() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("weights/detector/1");
        let folder = ModelFolder::<DetectorConfig>::open(&folder).unwrap();
        let weights = folder.weights().unwrap();
        let (device, direct) = (Device::cpu(), DirectDetector::load(&weights).unwrap());
        let network = load(&weights, device.as_burn()).unwrap();
        for shape in [[1, 3, 32, 32], [2, 3, 64, 96], [1, 3, 32, 160], [3, 3, 224, 32]] {
            let count = shape.iter().product::<usize>();
            let values: Vec<f32> = (0..count).map(|index| (index * 7919 % 256) as f32).collect();
            let input = Tensor::from_data(TensorData::new(values.clone(), shape), device.as_burn());
            for (expected, found) in network.forward(input).into_iter().zip(direct.forward(&values, shape)) {
                let expected = expected.into_data().try_to_vec::<f32>().unwrap();
                assert_eq!(found.len(), expected.len());
                for (found, expected) in found.iter().zip(expected) {
                    let tolerance = 1e-4 * expected.abs().max(1.0);
                    assert!((found - expected).abs() < tolerance, "{shape:?}: {found} {expected}");
                }
            }
        }
    }
}
