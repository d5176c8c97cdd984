//! Emotion from words: a pruned multilingual encoder with several heads.
//!
//! [`TextModel`] is the front door. Behind it stand the tokenizer, the encoder (one file a block) and the heads,
//! which are public for the program that trains them. On the CPU `direct` computes both without burn.

mod activation;
mod attention;
mod batch;
mod config;
mod direct;
mod embeddings;
mod feed_forward;
pub mod loader;
mod model;
mod network;
pub mod tokenizer;

pub use attention::Attention;
pub use batch::{PADDING_PIECE, Padding, pad};
pub use config::{EncoderConfig, Scale, TextConfig};
pub use embeddings::Embeddings;
pub use feed_forward::FeedForward;
pub use model::{TextModel, TextPrediction};
pub use network::{Block, Encoder, HeadOutputs, Heads, TextNetwork};
pub use tokenizer::{Encoded, TextTokenizer};
