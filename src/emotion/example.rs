//! The example of `docs/emotion.md`, computed here, so that the page cannot grow stale.
//!
//! After the fusion has been learned anew, `HEARTLINE_WRITE_EXAMPLE=1 cargo test --lib emotion::example` writes the new
//! numbers into the page.

use super::{Category, FusionConfig, Modality, Reading, ServiceHints, Span, Utterance, find_concern, fuse};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/emotion.md");
/// Where it is set, the page is written instead of compared.
const WRITE: &str = "HEARTLINE_WRITE_EXAMPLE";

/// The page with the first block that opens with this fence after the example's heading replaced.
fn with_block(page: &str, fence: &str, block: &str) -> String {
    let from = page.find("\n## An example").unwrap();
    let start = from + page[from..].find(fence).unwrap() + fence.len();
    let end = start + page[start..].find("\n```").unwrap();
    format!("{}\n{block}{}", &page[..start], &page[end..])
}

fn reading(modality: Modality, span: Span, categories: [f32; 7], valence: f32, arousal: f32) -> Reading {
    Reading {
        modality,
        span,
        categories,
        valence,
        arousal,
        dominance: None,
        service: ServiceHints::default(),
        labels: Vec::new(),
        quality: 0.9,
        face: None,
        model: format!("{modality}/1"),
    }
}

/// Twenty seconds of a customer who asks for a refund twice.
fn readings() -> Vec<Reading> {
    let content = [0.42, 0.30, 0.05, 0.08, 0.07, 0.03, 0.05];
    let upset = [0.16, 0.02, 0.06, 0.14, 0.52, 0.06, 0.04];
    let tense = [0.30, 0.05, 0.10, 0.15, 0.30, 0.05, 0.05];
    let mut readings = vec![
        reading(Modality::Text, Span::new(1_000, 4_000), content, 0.2, 0.0),
        Reading {
            service: ServiceHints { satisfaction: Some(0.12), frustration: Some(0.81), confusion: Some(0.2) },
            ..reading(Modality::Text, Span::new(15_000, 18_000), upset, -0.6, 0.5)
        },
        reading(Modality::Voice, Span::new(15_000, 18_000), tense, -0.3, 0.6),
    ];
    for second in 0..20 {
        let categories = if second < 10 { content } else { tense };
        let face = reading(Modality::Face, Span::at(second * 1_000), categories, -0.02 * second as f32, 0.2);
        readings.push(Reading { quality: 0.7, ..face });
    }
    readings
}

fn utterances() -> Vec<Utterance> {
    vec![
        Utterance { span: Span::new(1_000, 4_000), text: "Hello, I'm calling about a refund.".to_owned() },
        Utterance {
            span: Span::new(15_000, 18_000),
            text: "I already told your colleague, I want my refund.".to_owned(),
        },
    ]
}

/// Three digits are enough for a page.
fn rounded(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Number(number) if number.is_f64() => {
            serde_json::json!((number.as_f64().unwrap_or_default() * 1000.0).round() / 1000.0)
        }
        serde_json::Value::Array(items) => items.into_iter().map(rounded).collect(),
        serde_json::Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, rounded(value))).collect()
        }
        other => other,
    }
}

#[test]
fn the_page_shows_what_the_code_computes() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let fused = fuse(&readings(), find_concern(&utterances()), &FusionConfig::default());
    assert_eq!(fused.vector.top_category().0, Category::Anger);
    let vector = rounded(serde_json::to_value(&fused.vector).unwrap());
    let text = serde_json::to_string_pretty(&vector).unwrap();
    let sentences: Vec<_> =
        fused.explanation.contributions.iter().map(|contribution| contribution.sentence.as_str()).collect();
    let sentences = format!("{}\n{}", fused.explanation.summary, sentences.join("\n"));
    println!("{text}\n\n{sentences}");
    if std::env::var_os(WRITE).is_some() {
        let written = with_block(&with_block(&page, "```json", &text), "```text", &sentences);
        std::fs::write(PAGE, written).unwrap();
        return;
    }
    assert!(page.contains(&text), "docs/emotion.md is to show this vector:\n{text}");
    assert!(page.contains(&sentences), "docs/emotion.md is to show these sentences:\n{sentences}");
}

#[test]
fn the_page_shows_the_default_configuration() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let text = toml::to_string(&FusionConfig::default()).unwrap();
    println!("{text}");
    let known: FusionConfig = toml::from_str(&text).unwrap();
    let block = page.split("```toml").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(toml::from_str::<FusionConfig>(block).unwrap(), known, "docs/emotion.md is to show:\n{text}");
    for line in text.lines().filter(|line| line.contains('=')) {
        let name = line.split('=').next().unwrap().trim();
        assert!(block.contains(name), "docs/emotion.md leaves out {name}");
    }
}
