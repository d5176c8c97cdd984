//! A request and its answer, as the core sees them: no wire is in here.

use super::{CallParameters, Tensor, Wanted};

/// What a client asks of a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Call {
    /// The client's name for the request; empty where it has none.
    pub id: String,
    /// How, when and for whom.
    pub parameters: CallParameters,
    /// What the model is to compute with.
    pub inputs: Vec<Tensor>,
    /// The outputs that are asked for, in this order; none stands for all.
    pub outputs: Vec<Wanted>,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The model.
    pub model: &'static str,
    /// Its version.
    pub version: u32,
    /// The client's name for the request.
    pub id: String,
    /// The outputs.
    pub outputs: Vec<Output>,
}

/// One output of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The output.
    pub tensor: Tensor,
    /// Whether it is sent as bytes, where the wire knows the difference.
    pub is_binary: bool,
}

impl Answer {
    /// How many elements all outputs have together.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.outputs.iter().map(|output| output.tensor.values.len()).sum()
    }
}
