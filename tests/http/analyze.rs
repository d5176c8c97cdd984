//! `POST /v1/analyze`: whole calls, and calls of which parts are missing.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::support::{
    Form, agents, notes, post_json, read, sample_agents, sample_form, sample_frames, silence, wall,
};

fn sum_of_categories(vector: &Value) -> f64 {
    vector["categories"].as_object().unwrap().values().map(|value| value.as_f64().unwrap()).sum()
}

/// What holds for every analysis, whatever was missing.
fn assert_sound(analysis: &Value) {
    let vector = &analysis["emotion"];
    assert!((sum_of_categories(vector) - 1.0).abs() < 1e-3, "{vector}");
    for field in ["valence", "arousal", "dominance"] {
        assert!((-1.0..=1.0).contains(&vector[field].as_f64().unwrap()), "{field}");
    }
    for field in ["satisfaction", "frustration", "confusion", "concern"] {
        assert!((0.0..=1.0).contains(&vector[field].as_f64().unwrap()), "{field}");
    }
    let weights: Vec<f64> = ["text", "voice", "face"]
        .iter()
        .filter_map(|modality| vector["trust"][modality]["weight"].as_f64())
        .collect();
    assert!(weights.is_empty() || (weights.iter().sum::<f64>() - 1.0).abs() < 1e-3, "{weights:?}");
    assert!(analysis["notice"].as_str().unwrap().contains("expressions observed"));
    assert_eq!(analysis["version"], 1);
}

#[tokio::test]
async fn the_sample_call_is_read_in_all_three_ways_and_ranked() {
    let analysis = sample_form().send().await.assert_success();
    assert_sound(&analysis);
    let readings = analysis["readings"].as_array().unwrap();
    for modality in ["text", "voice", "face"] {
        assert!(analysis["emotion"]["trust"][modality]["weight"].as_f64().unwrap() > 0.0, "{modality}");
        assert!(readings.iter().any(|reading| reading["modality"] == modality), "{modality}");
    }
    assert_eq!(analysis["language"]["tag"], "en");
    let ranking = &analysis["ranking"];
    assert_eq!(ranking["fallback"], false);
    let entries = ranking["entries"].as_array().unwrap();
    let excluded = ranking["excluded"].as_array().unwrap();
    let listed: Value = serde_json::from_slice(&sample_agents()).unwrap();
    let listed = listed.as_array().or_else(|| listed["agents"].as_array()).unwrap().len();
    assert_eq!(entries.len() + excluded.len(), listed);
    assert!(!entries.is_empty());
    for entry in entries {
        let factors = entry["factors"].as_array().unwrap();
        let matchers: Vec<_> = factors.iter().map(|factor| factor["matcher"].as_str().unwrap()).collect();
        assert_eq!(matchers.len(), 3, "{matchers:?}");
        assert!(factors.iter().all(|factor| !factor["reason"].as_str().unwrap().is_empty()));
        let sum: f64 = factors.iter().map(|factor| factor["contribution"].as_f64().unwrap()).sum();
        assert!((sum - entry["score"].as_f64().unwrap()).abs() < 1e-4);
    }
    let scores: Vec<f64> = entries.iter().map(|entry| entry["score"].as_f64().unwrap()).collect();
    assert!(scores.windows(2).all(|pair| pair[0] >= pair[1]), "the best come first");
    assert!(analysis["models"].as_array().unwrap().len() >= 3);
    assert!(analysis["timings"]["total_us"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn json_and_form_give_the_same_vector() {
    let frames: Vec<Value> = sample_frames()
        .iter()
        .map(|(name, bytes)| {
            let timestamp_ms: u64 = name.split("ms").next().unwrap().parse().unwrap();
            json!({"data": BASE64_STANDARD.encode(bytes), "timestamp_ms": timestamp_ms})
        })
        .collect();
    let body = json!({
        "audio": {"data": BASE64_STANDARD.encode(read("speech.flac"))},
        "frames": frames,
        "transcript": String::from_utf8(read("transcript.txt")).unwrap(),
        "agents": serde_json::from_slice::<Value>(&sample_agents()).unwrap(),
    });
    let from_json = post_json("/v1/analyze", &body).await.assert_success();
    let from_form = sample_form().send().await.assert_success();
    let difference = |field: &str| {
        (from_json["emotion"][field].as_f64().unwrap() - from_form["emotion"][field].as_f64().unwrap()).abs()
    };
    // Batches may form differently, which moves the last digits.
    for field in ["valence", "arousal", "dominance", "concern"] {
        assert!(difference(field) < 1e-2, "{field}");
    }
    let order = |analysis: &Value| analysis["ranking"]["entries"][0]["agent_id"].clone();
    assert_eq!(order(&from_json), order(&from_form));
}

#[tokio::test]
async fn silence_is_a_note_and_not_a_voice() {
    let form =
        Form::default().part("audio", silence()).part("transcript", "customer: I want my money back now!");
    let analysis = form.send().await.assert_success();
    assert_sound(&analysis);
    assert!(notes(&analysis).contains(&"silence"), "{:?}", notes(&analysis));
    assert_eq!(analysis["emotion"]["trust"]["voice"], Value::Null);
    assert!(analysis["emotion"]["trust"]["text"]["readings"].as_u64().unwrap() > 0);
    assert_eq!(analysis["duration_ms"], 3_000);
}

#[tokio::test]
async fn a_frame_without_a_face_is_a_note_and_not_a_reading() {
    let form =
        Form::default().file("frame", "500ms.png", wall()).part("transcript", "customer: Thank you so much!");
    let analysis = form.send().await.assert_success();
    assert_sound(&analysis);
    assert!(notes(&analysis).contains(&"no_face"), "{:?}", notes(&analysis));
    assert_eq!(analysis["emotion"]["trust"]["face"], Value::Null);
}

#[tokio::test]
async fn with_nothing_to_read_the_vector_abstains() {
    let form =
        Form::default().part("audio", silence()).file("frame", "0ms.png", wall()).part("transcript", "\n \n");
    let analysis = form.send().await.assert_success();
    assert_sound(&analysis);
    for code in ["silence", "no_face", "empty_transcript", "no_agents", "consent_unstated"] {
        assert!(notes(&analysis).contains(&code), "{code} is not in {:?}", notes(&analysis));
    }
    assert_eq!(analysis["emotion"]["trust"]["abstain"]["code"], "no_readings");
    assert_eq!(analysis["readings_total"], 0);
    assert_eq!(analysis["ranking"], Value::Null);
}

#[tokio::test]
async fn an_empty_transcript_alone_is_normal() {
    let analysis = post_json("/v1/analyze", &json!({"transcript": ""})).await.assert_success();
    assert!(notes(&analysis).contains(&"empty_transcript"));
    assert_eq!(analysis["language"]["source"], "unknown");
}

#[tokio::test]
async fn a_language_the_model_does_not_know_is_left_unread() {
    let french = "Bonjour, je vous appelle parce que ma commande n'est toujours pas arrivée et que personne ne me \
                  répond depuis trois semaines, c'est vraiment insupportable.";
    let body = json!({"transcript": french, "agents": agents()});
    let analysis = post_json("/v1/analyze", &body).await.assert_success();
    assert_eq!(analysis["language"]["tag"], "fr");
    assert!(notes(&analysis).contains(&"unsupported_language"), "{:?}", notes(&analysis));
    assert_eq!(analysis["emotion"]["trust"]["text"], Value::Null);
    assert_eq!(analysis["emotion"]["trust"]["abstain"]["code"], "no_readings");
    assert!(analysis["ranking"].is_object(), "agents are ranked all the same");
}

#[tokio::test]
async fn a_language_that_cannot_be_told_is_noted() {
    let analysis = post_json("/v1/analyze", &json!({"transcript": "12345 ..."})).await.assert_success();
    assert!(notes(&analysis).contains(&"unknown_language"), "{:?}", notes(&analysis));
    assert_eq!(analysis["language"]["tag"], Value::Null);
}

#[tokio::test]
async fn a_repeated_issue_is_a_concern_with_its_name() {
    let transcript = "customer: I want a refund for this order.\nagent: I see.\ncustomer: No, I asked for a refund!\n\
                      customer: Just give me my refund, where is my refund?";
    let analysis = post_json("/v1/analyze", &json!({"transcript": transcript, "agents": agents()})).await;
    let analysis = analysis.assert_success();
    assert_eq!(analysis["emotion"]["concern_issue"]["topic"], "refund");
    assert!(analysis["emotion"]["concern"].as_f64().unwrap() > 0.0);
    assert!(notes(&analysis).contains(&"other_speakers_skipped"));
    assert_eq!(analysis["need"]["source"], "inferred");
    assert_eq!(analysis["ranking"]["entries"][0]["agent_id"], "patient");
}

#[tokio::test]
async fn stated_needs_and_consent_are_kept() {
    let body = json!({
        "transcript": "customer: hello, can you help me with my bill?",
        "agents": agents(),
        "options": {
            "language": "en", "language_level": "B2", "complexity": 0.7, "waiting_ms": 90_000, "consent": "agreed",
            "consent_reference": "form 12", "needed_skills": [{"name": "refund", "level": 4.0, "must_have": true}]
        }
    });
    let analysis = post_json("/v1/analyze", &body).await.assert_success();
    assert_eq!(analysis["consent"], json!({"state": "agreed", "reference": "form 12"}));
    assert_eq!(analysis["language"]["source"], "stated");
    let need = &analysis["need"];
    assert_eq!((&need["source"], &need["waiting_ms"]), (&json!("stated"), &json!(90_000)));
    assert_eq!(need["needed_skills"][0]["must_have"], true);
    assert!(!notes(&analysis).contains(&"consent_unstated"));
}

#[tokio::test]
async fn raw_telephone_audio_is_taken_with_its_format() {
    // 0xff is silence in mu-law.
    let body = json!({
        "audio": {"data": BASE64_STANDARD.encode([0xff; 8_000])},
        "options": {"audio_format": {"encoding": "mu_law", "sample_rate_hz": 8_000, "channels": 1}}
    });
    let analysis = post_json("/v1/analyze", &body).await.assert_success();
    assert_eq!(analysis["duration_ms"], 1_000);
    assert!(notes(&analysis).contains(&"silence"));
}
