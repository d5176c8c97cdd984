//! `heartline predict`: good rows, bad rows, and what a person can do wrong.

use std::path::Path;

use serde_json::Value;

use crate::support::{Run, Scratch, root, run};

/// Predicts with a manifest of this content beside the given files; the answers come parsed.
fn predict(scratch: &Scratch, modality: &[&str], manifest: impl AsRef<[u8]>) -> (Run, Vec<Value>) {
    let input = scratch.file("rows.tsv", manifest);
    let output = scratch.path().join("out.jsonl");
    let mut arguments = vec!["predict"];
    arguments.extend(modality);
    arguments.extend(["--input", &input, "--output", output.to_str().unwrap(), "--force"]);
    let run = run(&arguments);
    let lines = lines(&output);
    (run, lines)
}

fn lines(output: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(output).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ids(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["id"].as_str().unwrap_or("?")).collect()
}

fn sum_of_categories(line: &Value) -> f64 {
    let categories = line["categories"].as_object().unwrap();
    assert_eq!(categories.len(), 7, "{line}");
    categories.values().map(|value| value.as_f64().unwrap()).sum()
}

#[test]
fn texts_keep_their_order_and_bad_rows_are_lines() {
    let scratch = Scratch::new();
    let long = "x".repeat(70_000);
    let mut manifest = b"\xef\xbb\xbfid\tlang\ttext\r\n\
        a\ten\tI am so \"happy\", thank you!\r\n\
        b\ten\t\r\n\
        c\tpl\tCzekam ju\xc5\xbc trzy tygodnie na zwrot pieni\xc4\x99dzy i nikt nie odpowiada.\r\n\
        d\ten\t\xff\xfe\r\n\r\n\
        e\ten\r\n\
        f\tzh\t\xe6\x88\x91\xe8\xa6\x81\xe6\x8a\x95\xe8\xaf\x89\xe4\xbd\xa0\xe4\xbb\xac\r\n"
        .to_vec();
    manifest.extend(format!("g\ten\t{long}\nh\ten\t{}\n", "so slow and so rude ".repeat(500)).bytes());
    let (run, lines) = predict(&scratch, &["text"], manifest);
    run.assert_success();
    assert_eq!(ids(&lines), ["a", "b", "c", "d", "e", "f", "g", "h"]);
    assert_eq!(lines[0]["predicted"], "happiness");
    assert!((sum_of_categories(&lines[0]) - 1.0).abs() < 1e-4);
    assert!(lines[0]["labels"]["gratitude"].as_f64().unwrap() > 0.5, "{}", lines[0]);
    assert_eq!(lines[0]["language"]["tag"], "en");
    for key in ["valence", "dominance", "quality", "familiarity", "frustration", "confusion", "tokens"] {
        assert!(lines[0][key].is_number(), "{key}: {}", lines[0]);
    }
    assert_eq!(lines[2]["abstain"]["code"], "unreadable_language");
    assert!(lines[2]["predicted"].is_string() && lines[2]["abstain"]["reason"].is_string());
    let codes = [1, 3, 4, 6].map(|place: usize| lines[place]["error"]["code"].as_str().unwrap());
    assert_eq!(codes, ["empty_text", "not_utf8", "missing_column", "line_too_long"]);
    assert_eq!(lines[7]["truncated"], true);
    assert!(run.faults.contains("8 rows") && run.faults.contains("4 errors"), "{}", run.faults);
    assert!(!run.faults.contains('\u{1b}'), "no bar where there is no terminal");
}

/// The rows of a stated language, and only the first two of them.
#[test]
fn a_language_can_be_stated_and_rows_limited() {
    let scratch = Scratch::new();
    let (run, lines) =
        predict(&scratch, &["text", "--language", "fr", "--limit", "2"], "text\tid\nOK\t1\nOK\t2\nOK\t3\n");
    run.assert_success();
    assert_eq!(ids(&lines), ["1", "2"]);
    assert!(lines.iter().all(|line| line["abstain"]["code"] == "unreadable_language"));
}

/// A WAV of 16 kHz mono.
fn wav(samples: impl ExactSizeIterator<Item = i16>) -> Vec<u8> {
    let bytes = u32::try_from(samples.len() * 2).unwrap();
    let mut file = b"RIFF".to_vec();
    file.extend((bytes + 36).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data");
    file.extend(bytes.to_le_bytes());
    file.extend(samples.flat_map(i16::to_le_bytes));
    file
}

#[test]
fn clips_are_found_beside_the_manifest() {
    let scratch = Scratch::new();
    scratch.file("silence.wav", wav((0..32_000).map(|_| 0)));
    scratch.file("click.wav", wav((0..1_600).map(|at| at * 7)));
    scratch.file("noise.wav", b"no samples in here");
    let speech = root().join("samples/call/speech.flac");
    let manifest = format!(
        "path\tid\nsilence.wav\t\nclick.wav\tshort\nmissing.wav\t\nnoise.wav\t\n{}\tcall\n",
        speech.display()
    );
    let (run, lines) = predict(&scratch, &["voice"], manifest);
    run.assert_success();
    assert_eq!(ids(&lines), ["silence.wav", "short", "missing.wav", "noise.wav", "call"]);
    for (line, end_ms) in [(&lines[0], 2_000), (&lines[1], 400)] {
        assert_eq!(line["abstain"]["code"], "no_speech", "{line}");
        assert_eq!(
            (line["windows"].as_array().unwrap().len(), &line["windows"][0]["end_ms"]),
            (1, &end_ms.into())
        );
        assert!((sum_of_categories(line) - 1.0).abs() < 1e-4);
    }
    assert_eq!(lines[1]["duration_ms"], 100);
    assert_eq!(lines[2]["error"]["code"], "media_unreadable");
    assert!(lines[2]["error"]["message"].as_str().unwrap().contains("missing.wav"));
    assert_eq!(lines[3]["error"]["code"], "media_unknown_format");
    assert!(lines[4]["windows"].as_array().unwrap().len() > 1);
    assert!(lines[4]["abstain"].is_null() || lines[4]["abstain"]["code"] != "no_speech");
    assert!((sum_of_categories(&lines[4]) - 1.0).abs() < 1e-4);
}

#[test]
fn faces_are_found_or_taken_as_they_are() {
    let scratch = Scratch::new();
    let frame = root().join("samples/call/frames/0000ms.jpg");
    image::RgbImage::new(64, 64).save(scratch.path().join("wall.png")).unwrap();
    image::RgbImage::new(9, 9_000).save(scratch.path().join("tall.png")).unwrap();
    let list = format!("{}\nwall.png\ntall.png\n", frame.display());
    let (run, lines) = predict(&scratch, &["face"], &list);
    run.assert_success();
    assert_eq!(lines[0]["faces"].as_array().unwrap().len(), 1, "{}", lines[0]);
    assert!(lines[0]["faces"][0]["box"]["score"].as_f64().unwrap() > 0.5);
    assert_eq!(lines[0]["predicted"], lines[0]["faces"][0]["predicted"]);
    assert!(lines[0]["labels"]["contempt"].is_number());
    assert_eq!((&lines[1]["predicted"], &lines[1]["abstain"]["code"]), (&Value::Null, &"no_face".into()));
    assert_eq!(lines[2]["error"]["code"], "image_too_wide");

    let crop = image::open(&frame).unwrap().crop_imm(200, 100, 240, 240).to_luma8();
    crop.save(scratch.path().join("face.png")).unwrap();
    let (run, lines) = predict(&scratch, &["face", "--crops"], "path\nface.png\nwall.png\n");
    run.assert_success();
    assert_eq!(ids(&lines), ["face.png", "wall.png"]);
    assert!(lines.iter().all(|line| (sum_of_categories(line) - 1.0).abs() < 1e-4));
    assert_eq!(lines[1]["quality"], 0.0);
}

#[test]
fn a_folder_of_pictures_is_an_input() {
    let scratch = Scratch::new();
    let (folder, output) = (root().join("samples/call-zh/frames"), scratch.path().join("out.jsonl"));
    let files = ["--input", folder.to_str().unwrap(), "--output", output.to_str().unwrap()];
    run(&[&["predict", "face"][..], &files].concat()).assert_success();
    let lines = lines(&output);
    assert_eq!(ids(&lines), ["0000ms.jpg", "12000ms.jpg", "18000ms.jpg", "24000ms.jpg", "6000ms.jpg"]);
}

#[test]
fn what_is_there_is_kept_unless_told_otherwise() {
    let scratch = Scratch::new();
    let input = scratch.file("rows.tsv", "id\ttext\n1\tfine\n");
    let output = scratch.file("out.jsonl", "precious");
    let files = ["predict", "text", "--input", &input, "--output", &output];
    run(&files).assert_fault(64, &["out.jsonl", "--force"]);
    assert_eq!(std::fs::read_to_string(&output).unwrap(), "precious");
    let same = ["predict", "text", "--input", &input, "--output", &input, "--force"];
    run(&same).assert_fault(64, &["rows.tsv", "input"]);
    run(&[&files[..], &["--force"]].concat()).assert_success();
    assert_eq!(ids(&lines(Path::new(&output))), ["1"]);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 2, "nothing else is left");
}

#[test]
fn an_input_that_cannot_be_used_ends_with_1_and_leaves_no_output() {
    let scratch = Scratch::new();
    let output = scratch.path().join("out.jsonl").display().to_string();
    let fault = |modality: &str, input: &str, words: &[&str]| {
        run(&["predict", modality, "--input", input, "--output", &output]).assert_fault(1, words);
        assert!(!Path::new(&output).exists());
    };
    fault("text", "/no/such/rows.tsv", &["/no/such/rows.tsv"]);
    fault("text", &scratch.path().display().to_string(), &["regular file"]);
    fault("text", &scratch.file("empty.tsv", ""), &["empty"]);
    fault("text", &scratch.file("header.tsv", "id\ttext\n"), &["no rows"]);
    fault("text", &scratch.file("columns.tsv", "id\twords\n1\ta\n"), &["no column text", "words"]);
    fault("voice", &scratch.file("columns.tsv", "id\tfile\n1\ta\n"), &["no column path"]);
    fault("text", &scratch.file("damaged.tsv.gz", "id\ttext\n1\ta\n"), &["damaged.tsv.gz"]);
    fault(
        "text",
        &scratch.file("large.tsv", format!("id\ttext\n{}", "1\ta\n".repeat(1_000_001))),
        &["1000000 rows"],
    );
    run(&[
        "predict",
        "text",
        "--input",
        &scratch.file("a.tsv", "id\ttext\n1\ta\n"),
        "--output",
        "/no/such/out.jsonl",
    ])
    .assert_fault(1, &["/no/such/out.jsonl"]);
}

#[test]
fn a_run_without_one_answer_ends_with_1_and_keeps_the_reasons() {
    let scratch = Scratch::new();
    let (run, lines) = predict(&scratch, &["voice"], "path\nmissing.wav\n");
    run.assert_fault(1, &["none of the 1 rows", "out.jsonl"]);
    assert_eq!(lines[0]["error"]["code"], "media_unreadable");
}

#[test]
fn wrong_usage_of_predict_ends_with_64() {
    run(&["predict"]).assert_fault(64, &["text", "voice", "face"]);
    run(&["predict", "smell", "--input", "a", "--output", "b"]).assert_fault(64, &["smell"]);
    run(&["predict", "text", "--input", "a"]).assert_fault(64, &["--output"]);
    run(&["predict", "voice", "--crops", "--input", "a", "--output", "b"]).assert_fault(64, &["--crops"]);
    run(&["predict", "text", "--limit", "0", "--input", "a", "--output", "b"]).assert_fault(64, &["--limit"]);
}
