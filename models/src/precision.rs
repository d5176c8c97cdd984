//! The floating-point format that networks compute in on a GPU, and what is computed in full all the same.
//!
//! In half precision the matrices and convolutions hold 16 bits a number, which halves what a GPU has to read and
//! lets its matrix units work. Sums over many numbers stay in f32: normalisations, softmax, activations, means and
//! heads. They are cheap, and rounding there would be seen in the answers.

use std::str::FromStr;

use burn::module::{Module, ModuleMapper, Param};
use burn::nn::LayerNorm;
use burn::tensor::{FloatDType, Tensor};
use serde::{Deserialize, Serialize};

/// A floating-point format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits, 11 of them significant: numbers up to 65,504.
    F16,
    /// 16 bits, 8 of them significant: numbers as large as those of [`Self::F32`].
    Bf16,
}

impl Precision {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::F32, Self::F16, Self::Bf16];

    /// The name in configurations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        }
    }

    pub(crate) const fn dtype(self) -> FloatDType {
        match self {
            Self::F32 => FloatDType::F32,
            Self::F16 => FloatDType::F16,
            Self::Bf16 => FloatDType::BF16,
        }
    }
}

impl std::fmt::Display for Precision {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The choice of a format, as written in a configuration: `auto`, `f32`, `f16` or `bf16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PrecisionChoice {
    /// `f16` on a GPU, `f32` elsewhere.
    #[default]
    Auto,
    /// This one.
    Given(Precision),
}

impl FromStr for PrecisionChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let found = Precision::ALL.into_iter().find(|precision| precision.name() == text);
        found
            .map(Self::Given)
            .ok_or_else(|| format!("unknown precision \"{text}\"; expected auto, f32, f16 or bf16"))
    }
}

impl TryFrom<String> for PrecisionChoice {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PrecisionChoice> for String {
    fn from(choice: PrecisionChoice) -> Self {
        choice.to_string()
    }
}

impl std::fmt::Display for PrecisionChoice {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Auto => "auto",
            Self::Given(precision) => precision.name(),
        })
    }
}

/// A network whose weights have a format, but for those of its normalisations, which stay in f32.
pub(crate) fn weights_in<M: Module>(network: M, precision: Precision) -> M {
    if precision == Precision::F32 {
        return network;
    }
    network.map(&mut Caster { dtype: precision.dtype(), norms: 0 })
}

struct Caster {
    dtype: FloatDType,
    /// How many normalisations the present parameter is within.
    norms: usize,
}

impl Caster {
    fn is_norm(container: &str) -> bool {
        container == "Struct:LayerNorm"
    }
}

impl ModuleMapper for Caster {
    fn enter_module(&mut self, _name: &str, container: &str) {
        self.norms += usize::from(Self::is_norm(container));
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.norms -= usize::from(Self::is_norm(container));
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.norms > 0 { param } else { param.map(|tensor| tensor.cast(self.dtype)) }
    }
}

/// The tensor in f32.
pub(crate) fn full<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    tensor.cast(FloatDType::F32)
}

/// The tensor in the format of a weight that it is to meet.
pub(crate) fn like<const D: usize, const E: usize>(
    tensor: Tensor<D>,
    weight: &Param<Tensor<E>>,
) -> Tensor<D> {
    tensor.cast(weight.val().dtype())
}

/// Computes something in f32 and gives the result in the tensor's own format.
pub(crate) fn in_full<const D: usize>(
    tensor: Tensor<D>,
    compute: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Tensor<D> {
    let dtype = tensor.dtype();
    compute(full(tensor)).cast(dtype)
}

/// Normalises in f32.
pub(crate) fn normalise<const D: usize>(norm: &LayerNorm, tensor: Tensor<D>) -> Tensor<D> {
    in_full(tensor, |tensor| norm.forward(tensor))
}

#[cfg(test)]
mod tests {
    use burn::nn::{LayerNormConfig, Linear, LinearConfig};
    use burn::tensor::{DType, Device};

    use super::*;

    #[derive(Module, Debug)]
    struct Network {
        linear: Linear,
        norm: LayerNorm,
    }

    #[test]
    fn choices_parse_and_print() {
        for text in ["auto", "f32", "f16", "bf16"] {
            assert_eq!(text.parse::<PrecisionChoice>().unwrap().to_string(), text);
        }
        assert!("half".parse::<PrecisionChoice>().unwrap_err().contains("expected auto, f32"));
    }

    #[test]
    fn weights_are_cast_and_normalisations_are_not() {
        let device = Device::flex();
        let network = || Network {
            linear: LinearConfig::new(2, 2).init(&device),
            norm: LayerNormConfig::new(2).init(&device),
        };
        for (precision, expected) in
            [(Precision::F32, DType::F32), (Precision::F16, DType::F16), (Precision::Bf16, DType::BF16)]
        {
            let network = weights_in(network(), precision);
            assert_eq!(network.linear.weight.val().dtype(), expected);
            assert_eq!(network.norm.gamma.val().dtype(), DType::F32);
            let input = like(Tensor::<2>::from_data([[3.0_f32, 5.0]], &device), &network.linear.weight);
            let output = normalise(&network.norm, network.linear.forward(input));
            assert_eq!((output.dtype(), full(output).dtype()), (expected, DType::F32));
        }
    }
}
