//! The sizes of the voice network, as stored in a model's manifest.

use serde::{Deserialize, Serialize};

use crate::ModelError;

/// The sizes of the encoder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderConfig {
    /// Mel bands of the input.
    pub mel_bands: usize,
    /// Width of the residual stream.
    pub width: usize,
    /// Attention heads; they divide the width.
    pub heads: usize,
    /// Width inside a feed-forward layer.
    pub feed_forward_width: usize,
    /// Transformer blocks.
    pub blocks: usize,
    /// The longest sequence after the convolutions, in frames of 20 ms.
    pub longest_frames: usize,
}

impl Default for EncoderConfig {
    /// The lower half of Whisper-base's encoder.
    fn default() -> Self {
        Self {
            mel_bands: 80,
            width: 512,
            heads: 8,
            feed_forward_width: 2048,
            blocks: 3,
            longest_frames: 1500,
        }
    }
}

/// The sizes of the head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadConfig {
    /// Width of the frames that come in.
    pub width: usize,
    /// Width of the layer that decides how much a frame counts.
    pub attention_width: usize,
    /// How many weightings of the frames are learned beside each other.
    pub attention_heads: usize,
    /// Width of the hidden layer of the classifier.
    pub hidden_width: usize,
    /// Share of values left out while training, before and after the hidden layer.
    pub dropout: f64,
}

impl Default for HeadConfig {
    fn default() -> Self {
        Self { width: 512, attention_width: 64, attention_heads: 1, hidden_width: 128, dropout: 0.4 }
    }
}

/// The configuration of a voice model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoiceConfig {
    /// The encoder.
    pub encoder: EncoderConfig,
    /// The head.
    pub head: HeadConfig,
    /// How many heads, trained from different starts, are averaged.
    pub members: usize,
    /// The logits are divided by this before they become probabilities.
    pub temperature: f32,
}

impl EncoderConfig {
    /// Refuses sizes that cannot be built, so that a damaged manifest does not end in a panic.
    ///
    /// # Errors
    /// [`ModelError::Input`] naming the size.
    pub fn check(&self) -> Result<(), ModelError> {
        let sizes = [
            self.mel_bands,
            self.width,
            self.heads,
            self.feed_forward_width,
            self.blocks,
            self.longest_frames,
        ];
        if sizes.contains(&0) || sizes.iter().any(|size| *size > 65_536) {
            return Err(ModelError::Input("the encoder's sizes must be between 1 and 65536".to_owned()));
        }
        if !self.width.is_multiple_of(self.heads) || !self.width.is_multiple_of(2) {
            return Err(ModelError::Input("the encoder's heads must divide its even width".to_owned()));
        }
        Ok(())
    }
}

impl VoiceConfig {
    /// Refuses values that cannot be built.
    ///
    /// # Errors
    /// [`ModelError::Input`] naming the value.
    pub fn check(&self) -> Result<(), ModelError> {
        self.encoder.check()?;
        let sizes =
            [self.head.attention_width, self.head.attention_heads, self.head.hidden_width, self.members];
        if sizes.contains(&0) || sizes.iter().any(|size| *size > 65_536) {
            return Err(ModelError::Input("the head's sizes must be between 1 and 65536".to_owned()));
        }
        if self.head.width != self.encoder.width {
            return Err(ModelError::Input("the head's width must be the encoder's".to_owned()));
        }
        if !(0.0..1.0).contains(&self.head.dropout) {
            return Err(ModelError::Input("the dropout must be at least 0 and below 1".to_owned()));
        }
        if !(self.temperature.is_finite() && self.temperature > 0.0) {
            return Err(ModelError::Input("the temperature must be above 0".to_owned()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_cannot_be_built_are_refused() {
        let good = VoiceConfig {
            encoder: EncoderConfig::default(),
            head: HeadConfig::default(),
            members: 1,
            temperature: 1.0,
        };
        assert!(good.check().is_ok());
        let bad: [fn(&mut VoiceConfig); 6] = [
            |config| config.encoder.heads = 7,
            |config| config.encoder.blocks = 0,
            |config| config.head.width = 256,
            |config| config.members = 0,
            |config| config.head.dropout = 1.0,
            |config| config.temperature = f32::NAN,
        ];
        for change in bad {
            let mut config = good.clone();
            change(&mut config);
            assert!(config.check().is_err(), "{config:?}");
        }
    }
}
