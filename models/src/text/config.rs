//! What a text model's manifest says of its network, its labels and its calibration.

use serde::{Deserialize, Serialize};

use crate::ModelError;

/// Sizes of the encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderConfig {
    /// Pieces of the vocabulary, which is rows of the embedding table.
    pub vocabulary: usize,
    /// Numbers a token is described by.
    pub width: usize,
    /// Attention heads, each `width / heads` wide.
    pub heads: usize,
    /// Width inside the feed-forward network.
    pub inner_width: usize,
    /// Blocks.
    pub blocks: usize,
    /// Rows of the position table, which is the largest number of tokens.
    pub positions: usize,
    /// Added to the variance in layer normalisation.
    pub epsilon: f64,
}

/// How a number of a head becomes a value between -1 and 1: `mean + deviation * number`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// The mean of the training data.
    pub mean: f32,
    /// The standard deviation of the training data.
    pub deviation: f32,
}

/// The configuration of a text model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextConfig {
    /// The encoder.
    pub encoder: EncoderConfig,
    /// Longer texts are cut to this many tokens, the two special ones included.
    pub max_tokens: usize,
    /// The native labels in the order of their head.
    pub labels: Vec<String>,
    /// The native labels that speak of frustration.
    pub frustration: Vec<String>,
    /// The native labels that speak of confusion.
    pub confusion: Vec<String>,
    /// Valence, arousal and dominance.
    pub dimensions: [Scale; 3],
    /// The categories' logits are divided by this before the softmax.
    pub temperature: f32,
}

impl TextConfig {
    /// Checks what a manifest could get wrong.
    ///
    /// # Errors
    /// [`ModelError::Weights`] that names the first wrong value.
    pub fn validate(&self) -> Result<(), ModelError> {
        let encoder = &self.encoder;
        let faults = [
            (encoder.heads == 0 || !encoder.width.is_multiple_of(encoder.heads.max(1)), "heads"),
            (encoder.blocks == 0, "blocks"),
            (!(encoder.epsilon > 0.0 && encoder.epsilon < 1.0), "epsilon"),
            (self.max_tokens < 3 || self.max_tokens > encoder.positions, "max_tokens"),
            (self.labels.is_empty(), "labels"),
            (!self.known(&self.frustration), "frustration"),
            (!self.known(&self.confusion), "confusion"),
            (!(self.temperature.is_finite() && self.temperature > 0.0), "temperature"),
        ];
        match faults.into_iter().find(|(wrong, _)| *wrong) {
            Some((_, name)) => Err(ModelError::Weights(format!("the configuration's {name} is not usable"))),
            None => Ok(()),
        }
    }

    fn known(&self, names: &[String]) -> bool {
        names.iter().all(|name| self.labels.contains(name))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A small configuration for tests of the network.
    pub(crate) fn small() -> TextConfig {
        let scale = Scale { mean: 0.0, deviation: 1.0 };
        TextConfig {
            encoder: EncoderConfig {
                vocabulary: 16,
                width: 8,
                heads: 2,
                inner_width: 12,
                blocks: 2,
                positions: 10,
                epsilon: 1e-12,
            },
            max_tokens: 10,
            labels: vec!["anger".to_owned(), "confusion".to_owned()],
            frustration: vec!["anger".to_owned()],
            confusion: vec!["confusion".to_owned()],
            dimensions: [scale; 3],
            temperature: 1.0,
        }
    }

    #[test]
    fn wrong_values_are_named() {
        assert!(small().validate().is_ok());
        let mut config = small();
        config.max_tokens = 11;
        assert!(config.validate().unwrap_err().to_string().contains("max_tokens"));
        let mut config = small();
        config.frustration.push("boredom".to_owned());
        assert!(config.validate().unwrap_err().to_string().contains("frustration"));
        let mut config = small();
        config.encoder.heads = 3;
        assert!(config.validate().unwrap_err().to_string().contains("heads"));
    }

    #[test]
    fn unknown_keys_are_refused() {
        let mut value = serde_json::to_value(small()).unwrap();
        value["surprise"] = 1.into();
        assert!(serde_json::from_value::<TextConfig>(value).is_err());
    }
}
