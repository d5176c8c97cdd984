//! The text network on the CPU: [`super::TextNetwork`] over plain slices.
//!
//! The tokens of several texts stand one after the other and attend within their text only, so there is no padding.

use std::ops::Range;

use super::TextConfig;
use super::loader::HEADS;
use crate::direct::attention::attend;
use crate::direct::norm::Norm;
use crate::direct::{Finish, LANES, Packed, Sheet, each_row};
use crate::weights::RowTable;
use crate::{CATEGORY_COUNT, ModelError, Weights};

/// Tokens that one thread takes through the whole network at once, where there are enough of them: their values stay
/// in its cache, and the weights are read rarely.
const TOKENS_A_SHARE: usize = 160;

/// One block: attention, then the feed-forward network, each normalised after its residual sum.
#[derive(Debug)]
struct Block {
    query_key_value: Packed,
    output: Packed,
    attention_norm: Norm,
    inner: Packed,
    outer: Packed,
    feed_forward_norm: Norm,
}

/// The text network, ready for the CPU.
#[derive(Debug)]
pub(super) struct DirectText {
    words: RowTable,
    /// Position and token type, one row a position.
    positions: Vec<f32>,
    embedding_norm: Norm,
    blocks: Vec<Block>,
    /// All heads, one after the other.
    heads: Packed,
    outputs: [usize; 4],
    width: usize,
    attention_heads: usize,
}

/// What a text gives.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    /// The mean of its tokens.
    pub(super) features: Vec<f32>,
    /// What each of [`HEADS`] says, before any sigmoid, softmax or scale.
    pub(super) outputs: [Vec<f32>; 4],
}

/// Reads parts of a network under a name.
struct Source<'a> {
    weights: &'a Weights<'a>,
    config: &'a TextConfig,
}

impl Source<'_> {
    /// Linear layers over the same inputs as one; each with its outputs and what it is multiplied by.
    fn linears(&self, names: &[(String, usize, f32)], inputs: usize) -> Result<Packed, ModelError> {
        let (mut weights, mut bias) = (Vec::new(), Vec::new());
        for (name, outputs, scale) in names {
            let own = self.weights.values(&format!("{name}.weight"), &[*outputs, inputs])?;
            weights.extend(own.iter().map(|value| value * scale));
            let own = self.weights.values(&format!("{name}.bias"), &[*outputs])?;
            bias.extend(own.iter().map(|value| value * scale));
        }
        Ok(Packed::from_rows(&weights, &bias))
    }

    fn norm(&self, name: &str) -> Result<Norm, ModelError> {
        let width = self.config.encoder.width;
        let vector = |end: &str| self.weights.values(&format!("{name}.{end}"), &[width]);
        #[expect(clippy::cast_possible_truncation, reason = "epsilon is an ordinary f32 constant")]
        let epsilon = self.config.encoder.epsilon as f32;
        Ok(Norm::new(&vector("scale")?, &vector("shift")?, epsilon))
    }

    fn block(&self, index: usize) -> Result<Block, ModelError> {
        let (width, inner) = (self.config.encoder.width, self.config.encoder.inner_width);
        let name = |part: &str| format!("blocks.{index}.{part}");
        #[expect(clippy::cast_precision_loss, reason = "a head is a few dozen wide")]
        let scale = ((width / self.config.encoder.heads) as f32).sqrt().recip();
        let one = |part: &str, inputs, outputs| self.linears(&[(name(part), outputs, 1.0)], inputs);
        let fused = [("query", scale), ("key", 1.0), ("value", 1.0)]
            .map(|(part, scale)| (name(&format!("attention.{part}")), width, scale));
        Ok(Block {
            query_key_value: self.linears(&fused, width)?,
            output: one("attention.output", width, width)?,
            attention_norm: self.norm(&name("attention.norm"))?,
            inner: one("feed_forward.inner", width, inner)?,
            outer: one("feed_forward.outer", inner, width)?,
            feed_forward_norm: self.norm(&name("feed_forward.norm"))?,
        })
    }
}

impl DirectText {
    /// Whether the sizes fit panels of eight.
    pub(super) fn suits(config: &TextConfig) -> bool {
        let encoder = &config.encoder;
        [encoder.width / encoder.heads, encoder.inner_width].iter().all(|size| size.is_multiple_of(LANES))
    }

    /// # Errors
    /// [`ModelError`] where a tensor is missing or of another shape.
    pub(super) fn load(weights: &Weights<'_>, config: &TextConfig) -> Result<Self, ModelError> {
        let source = Source { weights, config };
        let encoder = &config.encoder;
        let width = encoder.width;
        let kind = weights.values("embeddings.kind", &[width])?;
        let mut positions = weights.values("embeddings.position", &[encoder.positions, width])?;
        for row in positions.chunks_exact_mut(width) {
            row.iter_mut().zip(&kind).for_each(|(value, kind)| *value += kind);
        }
        let outputs = [config.labels.len(), CATEGORY_COUNT, 3, 1];
        let named: Vec<(String, usize, f32)> = HEADS
            .iter()
            .zip(outputs)
            .map(|((name, _), outputs)| ((*name).to_owned(), outputs, 1.0))
            .collect();
        Ok(Self {
            words: weights.row_table("embeddings.word", [encoder.vocabulary, width])?,
            positions,
            embedding_norm: source.norm("embeddings.norm")?,
            blocks: (0..encoder.blocks).map(|index| source.block(index)).collect::<Result<_, _>>()?,
            heads: source.linears(&named, width)?,
            outputs,
            width,
            attention_heads: encoder.heads,
        })
    }

    /// Reads the pieces of texts; the replies come in their order.
    pub(super) fn read(&self, texts: &[&[u32]]) -> Vec<Reply> {
        each_row(shares(texts), |share| self.read_share(&texts[share])).concat()
    }

    fn read_share(&self, texts: &[&[u32]]) -> Vec<Reply> {
        let spans = spans(texts);
        let mut hidden = self.embed(texts);
        self.embedding_norm.apply(&mut hidden);
        for block in &self.blocks {
            hidden = block.apply(&hidden, self.attention_heads, &spans);
        }
        let means: Vec<Vec<f32>> = spans.into_iter().map(|span| self.mean(&hidden, span)).collect();
        let answers = self.heads.of(&Sheet::from_matrix(&means.concat(), self.width), Finish::Nothing);
        let count: usize = self.outputs.iter().sum();
        let reply = |(row, features): (usize, Vec<f32>)| {
            let answer = answers.take(row, count);
            let mut rest = answer.as_slice();
            let outputs = self.outputs.map(|outputs| {
                let (own, others) = rest.split_at(outputs);
                rest = others;
                own.to_vec()
            });
            Reply { features, outputs }
        };
        means.into_iter().enumerate().map(reply).collect()
    }

    /// The sum of word, position and token type for every token.
    fn embed(&self, texts: &[&[u32]]) -> Sheet {
        let tokens: usize = texts.iter().map(|text| text.len()).sum();
        // An odd number of columns, so that panels do not begin a power of two apart: such addresses share few places
        // in a cache. The column of no token is computed and never looked at.
        let mut sheet = Sheet::zeros(1, self.width / LANES, tokens | 1);
        let mut row = vec![0.0; self.width];
        let places = texts.iter().flat_map(|text| text.iter().zip(self.positions.chunks_exact(self.width)));
        for (column, (piece, position)) in places.enumerate() {
            self.words.read(*piece as usize, &mut row);
            row.iter_mut().zip(position).for_each(|(value, position)| *value += position);
            sheet.put(column, &row);
        }
        sheet
    }

    fn mean(&self, hidden: &Sheet, span: Range<usize>) -> Vec<f32> {
        #[expect(clippy::cast_precision_loss, reason = "texts are a few hundred tokens long")]
        let count = span.len().max(1) as f32;
        let mut means = Vec::with_capacity(self.width);
        for panel in 0..hidden.panels {
            let mut sums = [0.0; LANES];
            for eight in &hidden.panel(panel)[span.clone()] {
                sums.iter_mut().zip(eight.0).for_each(|(sum, value)| *sum += value);
            }
            means.extend(sums.map(|sum| sum / count));
        }
        means
    }
}

impl Block {
    fn apply(&self, hidden: &Sheet, heads: usize, spans: &[Range<usize>]) -> Sheet {
        let fused = self.query_key_value.of(hidden, Finish::Nothing);
        let mixed = attend(&fused, heads, spans);
        let mut attended = self.output.of(&mixed, Finish::Add(&hidden.values));
        self.attention_norm.apply(&mut attended);
        let inner = self.inner.of(&attended, Finish::Gelu);
        let mut result = self.outer.of(&inner, Finish::Add(&attended.values));
        self.feed_forward_norm.apply(&mut result);
        result
    }
}

/// Where each text's tokens stand.
fn spans(texts: &[&[u32]]) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut next = |text: &&[u32]| {
        let span = start..start + text.len();
        start = span.end;
        span
    };
    texts.iter().map(&mut next).collect()
}

/// Texts that go through the network together: as many shares for each thread, of [`TOKENS_A_SHARE`] at most.
fn shares(texts: &[&[u32]]) -> Vec<Range<usize>> {
    let tokens: usize = texts.iter().map(|text| text.len()).sum();
    let count = tokens.div_ceil(TOKENS_A_SHARE).next_multiple_of(rayon::current_num_threads());
    let most = tokens.div_ceil(count.max(1));
    let mut shares = Vec::new();
    let (mut start, mut held) = (0, 0);
    for (index, text) in texts.iter().enumerate() {
        if index > start && held + text.len() > most {
            shares.push(start..index);
            (start, held) = (index, 0);
        }
        held += text.len();
    }
    if start < texts.len() {
        shares.push(start..texts.len());
    }
    shares
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::batch::{Padding, pad};
    use super::super::loader::load_network;
    use super::*;
    use crate::{Device, ModelFolder};

    #[test]
    fn every_text_is_in_one_share() {
        let lengths = [3_usize, 3, 128, 40, 40, 40, 90, 3];
        let texts: Vec<Vec<u32>> = lengths.iter().map(|length| vec![5; *length]).collect();
        let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
        let shares = shares(&texts);
        assert_eq!(shares.iter().flat_map(Clone::clone).collect::<Vec<_>>(), (0..8).collect::<Vec<_>>());
        assert!(shares.len() > 1 && super::shares(&[]).is_empty());
        assert_eq!(spans(&texts[..3]), [0..3, 3..6, 6..134]);
    }

    #[test]
    fn it_gives_what_the_burn_network_gives() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("weights/text/1");
        let folder = ModelFolder::<TextConfig>::open(&folder).unwrap();
        let (weights, config, device) = (folder.weights().unwrap(), &folder.manifest.config, Device::cpu());
        assert!(DirectText::suits(config));
        let direct = DirectText::load(&weights, config).unwrap();
        let network = load_network(&weights, config, device.as_burn()).unwrap();
        let texts: Vec<Vec<u32>> = [3_u32, 128, 17, 40]
            .iter()
            .map(|length| (0..*length).map(|at| at * 97 % 40_000).collect())
            .collect();
        let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
        let lengths: Vec<usize> = texts.iter().map(|text| text.len()).collect();
        let padding = Padding::new(&lengths, device.as_burn());
        let pooled = network.features(pad(&texts, device.as_burn()), &padding);
        let outputs = network.heads.forward(pooled.clone());
        let values = |tensor: burn::tensor::Tensor<2>| tensor.into_data().try_into_vec::<f32>().unwrap();
        let outputs =
            [outputs.native, outputs.categories, outputs.dimensions, outputs.satisfaction].map(values);
        let pooled = values(pooled);
        for (row, reply) in direct.read(&texts).iter().enumerate() {
            let mut pairs: Vec<(f32, f32)> = Vec::new();
            let width = config.encoder.width;
            pairs.extend(reply.features.iter().copied().zip(pooled[row * width..].iter().copied()));
            for (found, expected) in reply.outputs.iter().zip(&outputs) {
                let own = &expected[row * found.len()..(row + 1) * found.len()];
                pairs.extend(found.iter().copied().zip(own.iter().copied()));
            }
            for (found, expected) in pairs {
                assert!(
                    (found - expected).abs() < 1e-4 * expected.abs().max(1.0),
                    "{row}: {found} {expected}"
                );
            }
        }
    }
}
