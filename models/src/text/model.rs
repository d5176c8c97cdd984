//! The front door: texts in, plain values out.

use std::path::Path;

use burn::tensor::Tensor;
use burn::tensor::activation::{sigmoid, softmax};

use super::batch::{PADDING_PIECE, Padding, pad, pad_to_length};
use super::config::TextConfig;
use super::direct::{DirectText, Reply};
use super::loader::load_network;
use super::network::{HeadOutputs, TextNetwork};
use super::tokenizer::{Encoded, NORMALIZATION_FILE, TOKENIZER_FILE, TextTokenizer};
use crate::precision::weights_in;
use crate::readback::read_together;
use crate::shapes::{each_row_step, fill_up, plan, row_steps};
use crate::{CATEGORY_COUNT, Device, Doubt, Manifest, ModelError, ModelFolder, Trust};

/// How many tokens, padding included, a processor computes at once; more only costs memory.
const TOKENS_A_BATCH: usize = 4096;
/// How many a GPU does.
const GPU_TOKENS_A_BATCH: usize = 65_536;
/// The lengths that texts are filled up to on a GPU, below the longest that the model reads.
const GPU_LENGTHS: [usize; 4] = [16, 32, 64, 96];
/// Tokens at which half of the trust in a text's length is reached: one word says little, a sentence says enough.
const HALF_TRUST_TOKENS: f32 = 2.0;

/// What a text expresses.
#[derive(Debug, Clone, PartialEq)]
pub struct TextPrediction {
    /// Calibrated probabilities in the order of [`crate::Category::ALL`]; they sum to 1.
    pub categories: [f32; CATEGORY_COUNT],
    /// Unpleasant (-1) to pleasant (1).
    pub valence: f32,
    /// Calm (-1) to excited (1).
    pub arousal: f32,
    /// Overpowered (-1) to in control (1).
    pub dominance: f32,
    /// How satisfied the writer sounds, 0 to 1.
    pub satisfaction: Option<f32>,
    /// The probability that one of the configured frustration labels applies, 0 to 1.
    pub frustration: Option<f32>,
    /// The probability that one of the configured confusion labels applies, 0 to 1.
    pub confusion: Option<f32>,
    /// The native labels with independent probabilities.
    pub labels: Vec<(String, f32)>,
    /// Tokens that were read, the two special ones included.
    pub tokens: usize,
    /// Whether the text was longer than the model reads; the rest had no part in this.
    pub truncated: bool,
    /// The share of tokens that the vocabulary does not know, 0 to 1.
    pub unknown_share: f32,
    /// How much of the text could be read, 0 to 1: it falls with shortness and with unknown tokens.
    pub quality: f32,
    /// How like the texts of calibration this one is, 0 to 1.
    pub familiarity: f32,
    /// Why the model abstains, where it does.
    pub doubt: Option<Doubt>,
}

/// A loaded text model.
#[derive(Debug)]
pub struct TextModel {
    manifest: Manifest<TextConfig>,
    tokenizer: TextTokenizer,
    network: TextNetwork,
    /// What computes in place of the network, where this is the CPU.
    direct: Option<DirectText>,
    trust: Trust,
    device: Device,
}

impl TextModel {
    /// Loads a model folder onto a device.
    ///
    /// # Errors
    /// [`ModelError`] that says which file or tensor is wrong.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, ModelError> {
        let folder = ModelFolder::<TextConfig>::open(folder)?;
        let config = &folder.manifest.config;
        config.validate()?;
        let tokenizer = TextTokenizer::parse(
            folder.file(TOKENIZER_FILE)?,
            folder.file(NORMALIZATION_FILE)?,
            config.max_tokens,
        )?;
        if tokenizer.vocabulary() != config.encoder.vocabulary {
            let (found, expected) = (tokenizer.vocabulary(), config.encoder.vocabulary);
            return Err(ModelError::Tokenizer(format!("it has {found} pieces, the network {expected}")));
        }
        let weights = folder.weights()?;
        let mut network = load_network(&weights, config, device.as_burn())?;
        network.encoder = weights_in(network.encoder, device.precision());
        let direct = (device.is_cpu() && DirectText::suits(config))
            .then(|| DirectText::load(&weights, config))
            .transpose()?;
        let trust = Trust::open(&folder, config.encoder.width)?;
        Ok(Self { manifest: folder.manifest, tokenizer, network, direct, trust, device: device.clone() })
    }

    /// What the model folder says of itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest<TextConfig> {
        &self.manifest
    }

    /// The tokenizer, for a caller that plans batches by tokens.
    #[must_use]
    pub fn tokenizer(&self) -> &TextTokenizer {
        &self.tokenizer
    }

    /// The network, for checks of its stages.
    #[must_use]
    pub fn network(&self) -> &TextNetwork {
        &self.network
    }

    /// Reads texts. The answers are in the order of the texts; texts are computed side by side by length.
    ///
    /// # Errors
    /// [`ModelError::Input`] for a text without a visible character, [`ModelError::Computation`] where a result is
    /// not a number.
    pub fn predict(&self, texts: &[String]) -> Result<Vec<TextPrediction>, ModelError> {
        let pairs = self.predict_with_features(texts)?;
        Ok(pairs.into_iter().map(|(prediction, _)| prediction).collect())
    }

    /// As [`Self::predict`], each answer with the features it was read from, for calibration.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub fn predict_with_features(
        &self,
        texts: &[String],
    ) -> Result<Vec<(TextPrediction, Vec<f32>)>, ModelError> {
        let mut encoded = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            let pieces = self.tokenizer.encode(text)?;
            if pieces.pieces.len() < 3 {
                return Err(ModelError::Input(format!("text {index} has no visible character")));
            }
            encoded.push((index, pieces));
        }
        encoded.sort_by_key(|(_, pieces)| pieces.pieces.len());
        let mut predictions = Vec::with_capacity(texts.len());
        let lengths: Vec<usize> = encoded.iter().map(|(_, text)| text.pieces.len()).collect();
        for range in plan(&lengths, |length| self.most_rows(self.filled_length(length))) {
            self.predict_batch(&encoded[range], &mut predictions)?;
        }
        predictions.sort_by_key(|(index, _)| *index);
        Ok(predictions.into_iter().map(|(_, prediction)| prediction).collect())
    }

    fn predict_batch(
        &self,
        batch: &[(usize, Encoded)],
        predictions: &mut Vec<(usize, (TextPrediction, Vec<f32>))>,
    ) -> Result<(), ModelError> {
        let pieces: Vec<&[u32]> = batch.iter().map(|(_, text)| text.pieces.as_slice()).collect();
        let (values, pooled) = match &self.direct {
            Some(direct) => Values::of_replies(&direct.read(&pieces), &self.manifest.config)?,
            None => self.run_burn(&pieces)?,
        };
        let width = self.manifest.config.encoder.width;
        for (row, (index, text)) in batch.iter().enumerate() {
            let features = &pooled[row * width..(row + 1) * width];
            predictions.push((*index, (self.prediction(row, text, &values, features), features.to_vec())));
        }
        Ok(())
    }

    /// The heads' outputs and the features of texts, by burn. On a GPU rows without a text may follow.
    fn run_burn(&self, pieces: &[&[u32]]) -> Result<(Values, Vec<f32>), ModelError> {
        let device = self.device.as_burn();
        let rows = pieces.len();
        let mut pieces = pieces.to_vec();
        let longest = pieces.iter().map(|pieces| pieces.len()).max().unwrap_or(0);
        let (ids, padding) = if self.device.is_cpu() {
            let lengths: Vec<usize> = pieces.iter().map(|pieces| pieces.len()).collect();
            (pad(&pieces, device), Padding::new(&lengths, device))
        } else {
            let length = self.filled_length(longest);
            pieces.resize(fill_up(row_steps(self.most_rows(length)), rows), &[PADDING_PIECE]);
            let lengths: Vec<usize> = pieces.iter().map(|pieces| pieces.len()).collect();
            (pad_to_length(&pieces, length, device), Padding::to_length(&lengths, length, device))
        };
        let pooled = self.network.features(ids, &padding);
        let outputs = self.network.heads.forward(pooled.clone());
        Values::read(outputs, pooled, &self.manifest.config, rows)
    }

    /// How many texts of a length are computed at once.
    fn most_rows(&self, length: usize) -> usize {
        let tokens = if self.device.is_gpu() { GPU_TOKENS_A_BATCH } else { TOKENS_A_BATCH };
        (tokens / length.max(1)).max(1)
    }

    /// The length of the tensor in which a text of a length is computed.
    fn filled_length(&self, length: usize) -> usize {
        if self.device.is_cpu() { length } else { fill_up(self.gpu_lengths(), length) }
    }

    fn gpu_lengths(&self) -> impl Iterator<Item = usize> {
        let longest = self.manifest.config.max_tokens;
        GPU_LENGTHS.into_iter().filter(move |length| *length < longest).chain(std::iter::once(longest))
    }

    /// Computes a batch of every shape that up to so many texts can have, where the device compiles by shape.
    ///
    /// # Errors
    /// [`ModelError::Computation`]
    pub fn warm_up(&self, rows: usize) -> Result<(), ModelError> {
        if self.device.is_cpu() {
            return Ok(());
        }
        for length in self.gpu_lengths() {
            let text = vec![PADDING_PIECE; length];
            each_row_step(self.most_rows(length), rows, |rows| {
                self.run_burn(&vec![text.as_slice(); rows]).map(drop)
            })?;
        }
        Ok(())
    }

    fn prediction(&self, row: usize, text: &Encoded, values: &Values, features: &[f32]) -> TextPrediction {
        let config = &self.manifest.config;
        let mut categories = [0.0; CATEGORY_COUNT];
        categories.copy_from_slice(&values.categories[row * CATEGORY_COUNT..(row + 1) * CATEGORY_COUNT]);
        let dimension = |index: usize| {
            let scale = config.dimensions[index];
            (scale.mean + scale.deviation * values.dimensions[row * 3 + index]).clamp(-1.0, 1.0)
        };
        let count = config.labels.len();
        let native = &values.native[row * count..(row + 1) * count];
        let labels: Vec<(String, f32)> = config.labels.iter().cloned().zip(native.iter().copied()).collect();
        let quality = quality(text.pieces.len(), text.unknown_share);
        let familiarity = self.trust.familiarity(features);
        TextPrediction {
            categories,
            valence: dimension(0),
            arousal: dimension(1),
            dominance: dimension(2),
            satisfaction: Some(values.satisfaction[row]),
            frustration: any_of(&labels, &config.frustration),
            confusion: any_of(&labels, &config.confusion),
            tokens: text.pieces.len(),
            truncated: text.truncated,
            unknown_share: text.unknown_share,
            labels,
            quality,
            familiarity,
            doubt: self.trust.doubt(quality, familiarity, &categories),
        }
    }
}

/// How much of a text can be read, 0 to 1.
fn quality(tokens: usize, unknown_share: f32) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "a text has at most a few hundred tokens")]
    let tokens = tokens as f32;
    (1.0 - unknown_share).clamp(0.0, 1.0) * tokens / (tokens + HALF_TRUST_TOKENS)
}

/// The probability that at least one of some labels applies, taking them as independent; none where none is named.
fn any_of(labels: &[(String, f32)], names: &[String]) -> Option<f32> {
    if names.is_empty() {
        return None;
    }
    let none: f32 = labels.iter().filter(|(name, _)| names.contains(name)).map(|(_, p)| 1.0 - p).product();
    Some(1.0 - none)
}

/// The heads' outputs as probabilities on the host, row after row.
struct Values {
    native: Vec<f32>,
    categories: Vec<f32>,
    dimensions: Vec<f32>,
    satisfaction: Vec<f32>,
}

impl Values {
    /// From burn, with the features of all texts, without the rows that fill up the batch.
    fn read(
        outputs: HeadOutputs,
        features: Tensor<2>,
        config: &TextConfig,
        rows: usize,
    ) -> Result<(Self, Vec<f32>), ModelError> {
        let filled = features.dims()[0].max(1);
        let values = read_together([
            sigmoid(outputs.native),
            softmax(outputs.categories.div_scalar(config.temperature), 1),
            outputs.dimensions,
            sigmoid(outputs.satisfaction),
            features,
        ])?;
        let [native, categories, dimensions, satisfaction, features] = values.map(|mut values| {
            values.truncate(values.len() / filled * rows);
            values
        });
        Self { native, categories, dimensions, satisfaction }.checked(features)
    }

    /// From replies that were computed without burn; with the features of all texts.
    fn of_replies(replies: &[Reply], config: &TextConfig) -> Result<(Self, Vec<f32>), ModelError> {
        let mut values = Self {
            native: Vec::new(),
            categories: Vec::new(),
            dimensions: Vec::new(),
            satisfaction: Vec::new(),
        };
        let mut features = Vec::new();
        let certainty = |logit: &f32| 1.0 / (1.0 + (-logit).exp());
        for reply in replies {
            let [native, categories, dimensions, satisfaction] = &reply.outputs;
            values.native.extend(native.iter().map(certainty));
            values.satisfaction.extend(satisfaction.iter().map(certainty));
            values.dimensions.extend(dimensions);
            let largest = categories.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let powers = categories.iter().map(|logit| ((logit - largest) / config.temperature).exp());
            let powers: Vec<f32> = powers.collect();
            let sum: f32 = powers.iter().sum();
            values.categories.extend(powers.iter().map(|power| power / sum));
            features.extend_from_slice(&reply.features);
        }
        values.checked(features)
    }

    /// The values with features, where all of them are numbers.
    fn checked(self, features: Vec<f32>) -> Result<(Self, Vec<f32>), ModelError> {
        let all = [&self.native, &self.categories, &self.dimensions, &self.satisfaction, &features];
        if all.into_iter().flatten().any(|value| !value.is_finite()) {
            return Err(ModelError::Computation("a result is not a finite number".to_owned()));
        }
        Ok((self, features))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_every_text_once_and_stay_within_the_limit() {
        let lengths: Vec<usize> = (1..=400).map(|index| index % 128 + 3).collect();
        let mut sorted = lengths.clone();
        sorted.sort_unstable();
        let most = |length| TOKENS_A_BATCH / length;
        let ranges = plan(&sorted, most);
        assert_eq!(ranges.iter().map(ExactSizeIterator::len).sum::<usize>(), lengths.len());
        for range in ranges {
            assert!(range.len() * sorted[range.end - 1] <= TOKENS_A_BATCH);
        }
        assert!(plan(&[], most).is_empty());
        assert_eq!(plan(&[TOKENS_A_BATCH * 2], most).len(), 1);
    }

    #[test]
    fn quality_falls_with_shortness_and_unknown_words() {
        assert!(quality(3, 0.0) < quality(20, 0.0));
        assert!(quality(20, 0.5) < quality(20, 0.0));
        assert!(quality(20, 1.0) == 0.0 && quality(0, 0.0) == 0.0);
    }

    #[test]
    fn one_of_several_labels_is_likelier_than_each() {
        let labels = vec![("anger".to_owned(), 0.5), ("annoyance".to_owned(), 0.5), ("joy".to_owned(), 0.9)];
        let names = ["anger".to_owned(), "annoyance".to_owned()];
        assert_eq!(any_of(&labels, &names), Some(0.75));
        assert_eq!(any_of(&labels, &[]), None);
    }
}
