//! From text to pieces: a map of characters, then a unigram vocabulary.
//!
//! Two files hold it: `tokenizer.json` (the vocabulary, in the format of the `tokenizers` library) and
//! `normalization.json` (what a character becomes before it is looked up, and only those that change).

use std::collections::BTreeMap;
use std::str::FromStr;

use tokenizers::Tokenizer;
use tokenizers::models::unigram::Unigram;
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};

use crate::ModelError;

/// The vocabulary's file name.
pub const TOKENIZER_FILE: &str = "tokenizer.json";
/// The file name of the map of characters.
pub const NORMALIZATION_FILE: &str = "normalization.json";

/// The piece every text begins with.
pub const BEGIN_PIECE: u32 = 0;
/// The piece every text ends with.
pub const END_PIECE: u32 = 2;
/// The piece for characters that the vocabulary has not.
pub const UNKNOWN_PIECE: u32 = 3;
/// How many special pieces open the vocabulary.
pub const SPECIAL_PIECES: usize = 4;

/// Stands for a space at the beginning of a word.
pub const WORD_MARK: char = '\u{2581}';

/// Of a long text, only this many bytes for each token that is kept are looked at; no usual text needs as many.
const BYTES_A_TOKEN: usize = 64;

/// A text as the network takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// The pieces, special ones included.
    pub pieces: Vec<u32>,
    /// Whether the text was longer than the limit.
    pub truncated: bool,
    /// The share of pieces that are unknown, 0 to 1; 1 where the text has no piece at all.
    pub unknown_share: f32,
}

/// Cuts texts into pieces.
#[derive(Debug)]
pub struct TextTokenizer {
    inner: Tokenizer,
    normalization: BTreeMap<char, String>,
    max_tokens: usize,
}

impl TextTokenizer {
    /// Builds a tokenizer from a vocabulary (pieces with their log-probabilities, special ones first) and a map of
    /// characters.
    ///
    /// # Errors
    /// [`ModelError::Tokenizer`] where the vocabulary lacks the special pieces.
    pub fn build(
        vocabulary: Vec<(String, f64)>,
        normalization: BTreeMap<char, String>,
        max_tokens: usize,
    ) -> Result<Self, ModelError> {
        let failed = |error: tokenizers::Error| ModelError::Tokenizer(error.to_string());
        if vocabulary.len() < SPECIAL_PIECES {
            return Err(ModelError::Tokenizer("the vocabulary has no special pieces".to_owned()));
        }
        let unigram = Unigram::from(vocabulary, Some(UNKNOWN_PIECE as usize), false).map_err(failed)?;
        let mut inner = Tokenizer::new(unigram);
        inner.with_pre_tokenizer(Some(Metaspace::new(WORD_MARK, PrependScheme::Always, true)));
        Ok(Self { inner, normalization, max_tokens })
    }

    /// Reads the two files of a model folder.
    ///
    /// # Errors
    /// [`ModelError::Tokenizer`] where one of them is damaged.
    pub fn parse(tokenizer: &[u8], normalization: &[u8], max_tokens: usize) -> Result<Self, ModelError> {
        let invalid = |error: &dyn std::fmt::Display| ModelError::Tokenizer(error.to_string());
        let text = std::str::from_utf8(tokenizer).map_err(|error| invalid(&error))?;
        let inner = Tokenizer::from_str(text).map_err(|error| invalid(&error))?;
        let normalization = serde_json::from_slice(normalization).map_err(|error| invalid(&error))?;
        Ok(Self { inner, normalization, max_tokens })
    }

    /// The contents of the two files.
    ///
    /// # Errors
    /// [`ModelError::Tokenizer`].
    pub fn files(&self) -> Result<(String, String), ModelError> {
        let tokenizer =
            self.inner.to_string(false).map_err(|error| ModelError::Tokenizer(error.to_string()))?;
        let normalization = serde_json::to_string(&self.normalization)
            .map_err(|error| ModelError::Tokenizer(error.to_string()))?;
        Ok((tokenizer + "\n", normalization + "\n"))
    }

    /// How many pieces there are.
    #[must_use]
    pub fn vocabulary(&self) -> usize {
        self.inner.get_vocab_size(false)
    }

    /// The largest number of pieces of a text.
    #[must_use]
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// Cuts a text into pieces, the special ones around them. A text without a visible character has none.
    ///
    /// # Errors
    /// [`ModelError::Tokenizer`].
    pub fn encode(&self, text: &str) -> Result<Encoded, ModelError> {
        let text = text.trim_start();
        let limit = self.max_tokens * BYTES_A_TOKEN;
        let mut end = text.len().min(limit);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let normalized = self.normalize(&text[..end]);
        let mut pieces = vec![BEGIN_PIECE];
        if !normalized.is_empty() {
            let encoding = self
                .inner
                .encode_fast(normalized, false)
                .map_err(|error| ModelError::Tokenizer(error.to_string()))?;
            pieces.extend_from_slice(encoding.get_ids());
        }
        let truncated = end < text.len() || pieces.len() >= self.max_tokens;
        pieces.truncate(self.max_tokens - 1);
        let unknown = pieces.iter().filter(|piece| **piece == UNKNOWN_PIECE).count();
        let unknown_share = share(unknown, pieces.len() - 1);
        pieces.push(END_PIECE);
        Ok(Encoded { pieces, truncated, unknown_share })
    }

    /// Maps characters and leaves single spaces between words.
    fn normalize(&self, text: &str) -> String {
        let mut mapped = String::with_capacity(text.len() + 8);
        for character in text.chars() {
            match self.normalization.get(&character) {
                Some(replacement) => mapped.push_str(replacement),
                // The special pieces' names in the vocabulary begin with this character, so no text may contain it.
                None if character == '\0' => {}
                None => mapped.push(character),
            }
        }
        let mut text = String::with_capacity(mapped.len());
        for word in mapped.split(' ').filter(|word| !word.is_empty()) {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
        text
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of pieces are small")]
fn share(part: usize, whole: usize) -> f32 {
    if whole == 0 { 1.0 } else { part as f32 / whole as f32 }
}
