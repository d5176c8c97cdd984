//! What the program answers when all is well.

use crate::support::{Scratch, run};

#[test]
fn the_demo_is_computed_in_both_languages() {
    for language in ["en", "zh"] {
        let analysis = run(&["demo", "--language", language, "--json"]).json();
        assert_eq!(analysis["language"]["tag"], language);
        for modality in ["text", "voice", "face"] {
            let weight = analysis["emotion"]["trust"][modality]["weight"].as_f64();
            assert!(weight.is_some_and(|weight| weight > 0.0), "{language} {modality}");
        }
        let entries = analysis["ranking"]["entries"].as_array().unwrap();
        assert!(entries.iter().all(|entry| entry["factors"].as_array().unwrap().len() == 3));
        let asked = entries.len() + analysis["ranking"]["excluded"].as_array().unwrap().len();
        assert_eq!(asked, 50, "the sample has 50 agents");
        assert!(analysis["emotion"]["concern_issue"]["topic"].is_string(), "{}", analysis["emotion"]);
    }
}

#[test]
fn people_get_tables() {
    let run = run(&["demo"]);
    let text = run.assert_success();
    for words in [
        "expressions observed",
        "Emotion vector",
        "anger",
        "valence",
        "concern",
        "Who should take the call",
        "skill:",
        "attitude:",
        "language:",
        "Matcher skill",
    ] {
        assert!(text.contains(words), "\"{words}\" is not in: {text}");
    }
    assert!(serde_json::from_str::<serde_json::Value>(text).is_err());
}

#[test]
fn one_modality_is_enough() {
    let scratch = Scratch::new();
    let text = scratch.file("call.txt", "customer: thank you, that was so quick and friendly!");
    let analysis = run(&["analyze", "--text", &text, "--json"]).json();
    assert!(
        analysis["emotion"]["trust"]["voice"].is_null() && analysis["emotion"]["trust"]["face"].is_null()
    );
    assert!(analysis["ranking"].is_null());
}

#[test]
fn silence_an_empty_wall_and_an_empty_transcript_are_normal() {
    let scratch = Scratch::new();
    let mut wav =
        b"RIFF\xa4\x7d\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\x80\x7d\0\0"
            .to_vec();
    wav.extend(vec![0; 0x7d80]);
    let audio = scratch.file("silence.wav", wav);
    let wall = scratch.path().join("wall.png");
    image::RgbImage::new(64, 64).save(&wall).unwrap();
    let text = scratch.file("empty.txt", "\n\n");
    let files = ["analyze", "--audio", &audio, "--video", wall.to_str().unwrap(), "--text", &text, "--json"];
    let analysis = run(&files).json();
    let codes: Vec<_> =
        analysis["notes"].as_array().unwrap().iter().map(|note| note["code"].as_str().unwrap()).collect();
    for code in ["silence", "no_face", "empty_transcript"] {
        assert!(codes.contains(&code), "{codes:?}");
    }
    assert!(analysis["emotion"]["trust"]["abstain"].is_object());
}

#[test]
fn the_lists_show_what_there_is() {
    let models = run(&["models", "--json"]).json();
    let names: Vec<_> =
        models.as_array().unwrap().iter().map(|model| model["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["text", "voice", "detector", "face"]);
    for model in models.as_array().unwrap() {
        assert!(
            model["is_ok"].as_bool().unwrap() && !model["licence"].as_str().unwrap().is_empty(),
            "{model}"
        );
    }
    let plugins = run(&["plugins", "--json"]).json();
    let used: Vec<_> =
        plugins.as_array().unwrap().iter().filter(|plugin| plugin["matcher"]["mode"] == "active").collect();
    assert_eq!(used.len(), 3);
    assert!(run(&["models"]).assert_success().contains("sha256 ok"));
    assert!(run(&["plugins"]).assert_success().contains("libheartline_skill"));
}

#[test]
fn help_names_the_exit_codes() {
    assert!(run(&["--help"]).assert_success().contains("64"));
    assert!(run(&["--version"]).assert_success().starts_with("heartline "));
}
