//! The trained part of the network, and running it behind the frozen part.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use heartline_models::text::{Block, Encoder, HeadOutputs, Heads, Padding, pad};

use super::examples::Example;
use crate::error::TrainError;

/// The blocks above the frozen ones, and the heads.
#[derive(Module, Debug)]
pub(crate) struct Upper {
    pub(crate) blocks: Vec<Block>,
    pub(crate) heads: Heads,
}

impl Upper {
    /// From the frozen part's output to the heads' outputs.
    ///
    /// # Shapes
    /// - `hidden`: `[rows * length, width]`
    pub(crate) fn forward(&self, hidden: Tensor<2>, padding: &Padding) -> HeadOutputs {
        let last = self.blocks.iter().fold(hidden, |hidden, block| block.forward(hidden, padding));
        self.heads.forward(padding.mean(last))
    }
}

/// The frozen part's output for some texts: `[rows * length, width]` on its own device.
pub(crate) fn lower_output(lower: &Encoder, texts: &[&Example], device: &Device) -> Tensor<2> {
    let pieces: Vec<&[u32]> = texts.iter().map(|text| text.pieces.as_slice()).collect();
    lower.forward(pad(&pieces, device), &Padding::new(&lengths(texts), device))
}

/// How many pieces each text has.
pub(crate) fn lengths(texts: &[&Example]) -> Vec<usize> {
    texts.iter().map(|text| text.pieces.len()).collect()
}

/// The heads' outputs on the host for one text.
#[derive(Debug, Clone)]
pub(crate) struct Logits {
    pub(crate) categories: Vec<f32>,
}

/// Runs texts through a network that is not being trained; the answers are in the order of the texts.
pub(crate) fn predict(
    lower: &Encoder,
    upper: &Upper,
    texts: &[Example],
    device: &Device,
) -> Result<Vec<Logits>, TrainError> {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|index| texts[*index].pieces.len());
    let mut answers = vec![Logits { categories: Vec::new() }; texts.len()];
    for batch in order.chunks(64) {
        let rows: Vec<&Example> = batch.iter().map(|index| &texts[*index]).collect();
        let padding = Padding::new(&lengths(&rows), device);
        let outputs = upper.forward(lower_output(lower, &rows, device), &padding);
        let [_, columns] = outputs.categories.dims();
        let values = host(outputs.categories)?;
        for (row, index) in batch.iter().enumerate() {
            answers[*index].categories = values[row * columns..(row + 1) * columns].to_vec();
        }
    }
    Ok(answers)
}

/// A tensor's values, row-major.
pub(crate) fn host<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, TrainError> {
    let failed = |reason: String| TrainError::Model(heartline_models::ModelError::Computation(reason));
    let data = tensor.try_into_data().map_err(|error| failed(format!("{error:?}")))?;
    data.try_into_vec::<f32>().map_err(|error| failed(format!("{error:?}")))
}
