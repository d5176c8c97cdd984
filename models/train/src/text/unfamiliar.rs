//! Texts that the text model was not made for: other languages, and what is no language at all.

use std::collections::BTreeMap;
use std::path::Path;

use heartline_models::text::TextModel;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::table::Table;
use crate::error::TrainError;
use crate::report::{KindSet, Trust};

/// At most this many texts of each other language.
const TEXTS_A_LANGUAGE: usize = 20;
/// Texts of each kind that is made up.
const TEXTS_A_KIND: usize = 200;
/// What the made-up texts follow from.
const SEED: u64 = 1;

/// The languages of BRIGHTER that are written in another script than English or Chinese.
const OTHER_SCRIPTS: [&str; 9] = ["am", "arq", "ary", "hi", "mr", "ru", "ti", "tt", "uk"];

/// Lines of programs; names and numbers go into the brackets.
const CODE: [&str; 8] = [
    "let {} = {}.iter().map(|value| value * {}).collect::<Vec<_>>();",
    "if ({} != null && {}.length > {}) { return false; }",
    "SELECT {}, COUNT(*) FROM {} WHERE id > {} GROUP BY 1;",
    "for (int {} = 0; {} < {}; i++) { total += i; }",
    "def {}({}, limit={}): return sorted(limit)",
    "<div class=\"{}\"><a href=\"#{}\">{}</a></div>",
    "import {} from './{}'; const size = {};",
    "{}::{}(std::size_t{});",
];

/// Makes up one text.
type Maker = fn(&mut StdRng) -> String;

/// Judges every kind.
pub(super) fn kinds(model: &TextModel, data: &Path, split: &str) -> Result<Vec<KindSet>, TrainError> {
    let mut kinds = Vec::new();
    let mut by_script: [Vec<(f64, Trust)>; 2] = [Vec::new(), Vec::new()];
    for (language, texts) in other_languages(data, split)? {
        let judged = judge(model, &texts)?;
        let script = usize::from(OTHER_SCRIPTS.contains(&language.as_str()));
        by_script[script].extend(&judged);
        kinds.push(KindSet::foreign(&format!("language {language}"), &judged).without_bar());
    }
    for (name, judged) in
        ["other languages, Latin script", "other languages, other scripts"].iter().zip(by_script)
    {
        kinds.push(KindSet::foreign(name, &judged));
    }
    let made: [(&str, Maker); 3] =
        [("random characters", characters), ("digits and addresses", digits), ("program code", code)];
    for (name, make) in made {
        let mut random = StdRng::seed_from_u64(SEED);
        let texts: Vec<String> = (0..TEXTS_A_KIND).map(|_| make(&mut random)).collect();
        kinds.push(KindSet::foreign(name, &judge(model, &texts)?));
    }
    Ok(kinds)
}

/// The confidence and the trust of every text that has something to read.
fn judge(model: &TextModel, texts: &[String]) -> Result<Vec<(f64, Trust)>, TrainError> {
    let readable = |text: &&String| model.tokenizer().encode(text).is_ok_and(|text| text.pieces.len() > 2);
    let texts: Vec<String> = texts.iter().filter(readable).cloned().collect();
    let predictions = model.predict(&texts)?;
    let confidence = |categories: &[f32]| f64::from(categories.iter().copied().fold(0.0, f32::max));
    Ok(predictions.iter().map(|p| (confidence(&p.categories), Trust::of_text(p))).collect())
}

/// Texts of every language that the model was not trained on, evenly spread over the table.
fn other_languages(data: &Path, split: &str) -> Result<BTreeMap<String, Vec<String>>, TrainError> {
    let table = Table::open(data, "brighter_a", split)?;
    let (lang, text) = (table.column("lang")?, table.column("text")?);
    let mut languages: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in table.rows().iter().filter(|row| !matches!(row[lang].as_str(), "zh" | "en")) {
        languages.entry(row[lang].clone()).or_default().push(row[text].clone());
    }
    for texts in languages.values_mut() {
        let every = texts.len().div_ceil(TEXTS_A_LANGUAGE).max(1);
        *texts = texts.iter().step_by(every).cloned().collect();
    }
    Ok(languages)
}

fn word(random: &mut StdRng) -> String {
    let length = random.random_range(2..10);
    (0..length).map(|_| char::from(random.random_range(b'a'..=b'z'))).collect()
}

/// Any visible characters, with a space now and then.
fn characters(random: &mut StdRng) -> String {
    let length = random.random_range(20..120);
    (0..length)
        .map(|_| if random.random_bool(0.12) { ' ' } else { char::from(random.random_range(b'!'..=b'~')) })
        .collect()
}

/// Telephone and order numbers, dates, prices, web addresses.
fn digits(random: &mut StdRng) -> String {
    let count = random.random_range(2..8);
    let parts = (0..count).map(|_| {
        let number = random.random_range(0..10_000_000_u32);
        match random.random_range(0..4) {
            0 => format!("https://{}.example/{}?id={number}", word(random), word(random)),
            1 => format!("{}-{:02}-{:02}", 1990 + number % 40, 1 + number % 12, 1 + number % 28),
            2 => format!("{}.{:02}", number / 1000, number % 100),
            _ => number.to_string(),
        }
    });
    parts.collect::<Vec<_>>().join(" ")
}

fn code(random: &mut StdRng) -> String {
    let lines = random.random_range(1..4);
    let line = |random: &mut StdRng| {
        let mut line = CODE[random.random_range(0..CODE.len())].to_owned();
        for _ in 0..2 {
            line = line.replacen("{}", &word(random), 1);
        }
        line.replacen("{}", &random.random_range(0..1000_u32).to_string(), 1)
    };
    (0..lines).map(|_| line(random)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_texts_follow_from_the_seed_and_look_as_named() {
        for make in [characters, digits, code] {
            let texts = |seed| {
                let mut random = StdRng::seed_from_u64(seed);
                (0..20).map(|_| make(&mut random)).collect::<Vec<String>>()
            };
            assert_eq!(texts(3), texts(3));
            assert_ne!(texts(3), texts(4));
            assert!(texts(3).iter().all(|text| !text.trim().is_empty()));
        }
        let mut random = StdRng::seed_from_u64(5);
        assert!((0..50).all(|_| !code(&mut random).contains("{}")));
        assert!((0..50).all(|_| digits(&mut random).contains(|c: char| c.is_ascii_digit())));
    }
}
