//! The shipped text model: its tokenizer, its frozen blocks against reference numbers, its answers and its refusals.
#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod support;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use heartline_models::text::tokenizer::{BEGIN_PIECE, END_PIECE, UNKNOWN_PIECE};
use heartline_models::text::{Padding, TextModel, TextPrediction, pad};
use heartline_models::{Category, ModelError, Weights};

/// The largest difference from the reference numbers that is put down to the order of sums.
const TOLERANCE: f32 = 2e-3;
/// Blocks that the shipped model keeps as they were in the source.
const FROZEN_BLOCKS: usize = 4;
/// What the rows of the reference numbers say.
const GOLDEN_TEXTS: [&str; 4] = [
    "I have called three times about the same refund and nobody answers.",
    "我已经打了三次电话，还是没有人处理我的退款！",
    "Thank you so much, that solved it.",
    "好的，谢谢，我很满意。",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("weights/text/1")
}

fn model() -> &'static TextModel {
    static MODEL: OnceLock<TextModel> = OnceLock::new();
    MODEL.get_or_init(|| TextModel::load(&folder(), support::device()).unwrap())
}

fn predict(texts: &[&str]) -> Vec<TextPrediction> {
    model().predict(&texts.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
}

fn likeliest(prediction: &TextPrediction) -> Category {
    let by_score = |left: &Category, right: &Category| {
        prediction.categories[left.index()].total_cmp(&prediction.categories[right.index()])
    };
    Category::ALL.into_iter().max_by(by_score).unwrap()
}

#[test]
fn frozen_blocks_give_the_reference_numbers() {
    let bytes =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/text.safetensors")).unwrap();
    let golden = Weights::parse(&bytes).unwrap();
    let device = support::device();
    let encoded: Vec<_> = GOLDEN_TEXTS.iter().map(|text| model().tokenizer().encode(text).unwrap()).collect();
    let pieces: Vec<&[u32]> = encoded.iter().map(|text| text.pieces.as_slice()).collect();
    let lengths: Vec<usize> = pieces.iter().map(|pieces| pieces.len()).collect();
    let padding = Padding::new(&lengths, device.as_burn());
    let encoder = &model().network().encoder;
    let mut hidden = encoder.embeddings.forward(pad(&pieces, device.as_burn()));
    for (index, block) in encoder.blocks.iter().take(FROZEN_BLOCKS).enumerate() {
        hidden = block.forward(hidden, &padding);
        let expected = golden.values(&format!("mean_{}", index + 1), &[4, 384]).unwrap();
        let found = padding.mean(hidden.clone()).into_data().try_into_vec::<f32>().unwrap();
        let worst = found.iter().zip(&expected).fold(0.0_f32, |worst, (f, e)| worst.max((f - e).abs()));
        assert!(worst < support::within(TOLERANCE), "block {index} differs by {worst}");
    }
}

#[test]
fn texts_of_both_languages_become_known_pieces() {
    for text in GOLDEN_TEXTS {
        let encoded = model().tokenizer().encode(text).unwrap();
        assert_eq!(encoded.pieces.first(), Some(&BEGIN_PIECE));
        assert_eq!(encoded.pieces.last(), Some(&END_PIECE));
        assert!(!encoded.truncated && encoded.unknown_share == 0.0, "{text}: {encoded:?}");
    }
}

#[test]
fn spaces_and_wide_characters_are_evened_out() {
    let pieces = |text: &str| model().tokenizer().encode(text).unwrap().pieces;
    assert_eq!(pieces("good  morning\t\n"), pieces("good morning"));
    assert_eq!(pieces("ＡＢＣ！"), pieces("ABC!"));
    assert_eq!(pieces(&format!("{}late", " ".repeat(100_000))), pieces("late"));
}

#[test]
fn emoji_are_pieces_and_unknown_characters_are_counted() {
    let encoded = model().tokenizer().encode("😂").unwrap();
    assert!(!encoded.pieces.contains(&UNKNOWN_PIECE), "{encoded:?}");
    let encoded = model().tokenizer().encode("\u{12000}\u{12001} \u{12002}").unwrap();
    assert!(encoded.unknown_share > 0.4, "{encoded:?}");
}

#[test]
fn no_text_spells_a_special_piece() {
    let encoded = model().tokenizer().encode("<s> </s> <pad> \0<s> \0</s>").unwrap();
    let inside = &encoded.pieces[1..encoded.pieces.len() - 1];
    assert!(inside.iter().all(|piece| *piece >= UNKNOWN_PIECE), "{encoded:?}");
}

#[test]
fn very_long_texts_are_cut_and_say_so() {
    let text = "I am still waiting for my refund. ".repeat(100_000);
    let prediction = &predict(&[&text])[0];
    assert!(prediction.truncated);
    assert_eq!(prediction.tokens, model().tokenizer().max_tokens());
    let word = "怒".repeat(1000);
    assert!(predict(&[&word])[0].truncated);
    assert!(!predict(&["short"])[0].truncated);
}

#[test]
fn a_batch_equals_its_single_rows() {
    let texts = [
        "This is the third time I have to explain this, it is ridiculous!",
        "谢谢",
        "I don't understand what this fee is for.",
        "我的包裹到现在还没有到，客服也没有人接电话，我真的很失望，不想再买你们的东西了。",
        "ok",
    ];
    for (single, together) in texts.iter().map(|text| predict(&[text]).remove(0)).zip(predict(&texts)) {
        let close = |left: f32, right: f32| (left - right).abs() < support::within(1e-4);
        assert!(single.categories.iter().zip(together.categories).all(|(s, t)| close(*s, t)));
        assert!(close(single.valence, together.valence) && close(single.arousal, together.arousal));
        assert!(single.labels.iter().zip(&together.labels).all(|(s, t)| s.0 == t.0 && close(s.1, t.1)));
        assert_eq!((single.tokens, single.truncated), (together.tokens, together.truncated));
    }
    assert!(predict(&[]).is_empty());
}

#[test]
fn values_stay_within_their_ranges() {
    for prediction in predict(&["I hate you!!!", "我爱你", "?", "0"]) {
        assert!((prediction.categories.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        let dimensions = [prediction.valence, prediction.arousal, prediction.dominance];
        assert!(dimensions.iter().all(|value| (-1.0..=1.0).contains(value)));
        let service = [prediction.satisfaction, prediction.frustration, prediction.confusion];
        assert!(service.iter().all(|value| value.is_some_and(|value| (0.0..=1.0).contains(&value))));
        assert_eq!(prediction.labels.len(), 28);
        assert!(prediction.labels.iter().all(|(_, score)| (0.0..=1.0).contains(score)));
    }
}

#[test]
fn clear_sentences_get_the_right_category() {
    let cases = [
        ("Thank you so much, you made my day, I am so happy!", Category::Happiness),
        ("太好了，问题解决了，我真的很开心，谢谢你！", Category::Happiness),
        ("This is outrageous, I am furious, you people are useless idiots!", Category::Anger),
        ("你们太过分了，气死我了，什么垃圾服务！", Category::Anger),
        ("I feel so sad and lonely since she died.", Category::Sadness),
        ("我好难过，心里特别痛，一直在哭。", Category::Sadness),
        ("I am scared, I am afraid something terrible will happen.", Category::Fear),
        ("The meeting is at three in room twelve.", Category::Neutral),
    ];
    let predictions = predict(&cases.map(|(text, _)| text));
    for ((text, expected), prediction) in cases.iter().zip(&predictions) {
        assert_eq!(likeliest(prediction), *expected, "{text}: {:?}", prediction.categories);
    }
    assert!(predictions[0].valence > predictions[2].valence);
    assert!(predictions[1].satisfaction > predictions[3].satisfaction);
    assert!(predictions[2].frustration > predictions[0].frustration);
}

#[test]
fn texts_without_a_visible_character_are_refused() {
    for text in ["", " \t\n", "\u{200b}\0"] {
        let answer = model().predict(&["fine".to_owned(), text.to_owned()]);
        assert!(
            matches!(&answer, Err(ModelError::Input(reason)) if reason.contains("text 1")),
            "{text:?}: {answer:?}"
        );
    }
}

#[test]
fn the_model_may_move_to_the_thread_of_its_device() {
    fn moves<T: Send>(_: &T) {}
    moves(model());
}

#[test]
fn missing_and_damaged_folders_are_refused() {
    let load = |folder: &Path| TextModel::load(folder, support::device());
    assert!(matches!(load(Path::new("nowhere")), Err(ModelError::Unreadable { .. })));
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    let path = copy.path().join("normalization.json");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.push(b' ');
    std::fs::write(&path, bytes).unwrap();
    assert!(matches!(load(copy.path()), Err(ModelError::Checksum { .. })));
}
