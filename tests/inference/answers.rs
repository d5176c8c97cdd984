//! What models answer over HTTP.

use axum::http::Request;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::support::{
    binary, elements, get, infer, numbers, output, raw, router, sample, sample_frames, send, shape,
    text_input, wall, words,
};

const ANGRY: &str = "I am so angry with you people, I am furious!";
const KIND: &str = "Thank you so much, that was kind of you.";

fn rows(values: &[f32], width: usize) -> Vec<usize> {
    let top = |row: &[f32]| (0..width).max_by(|left, right| row[*left].total_cmp(&row[*right])).unwrap();
    values.chunks(width).map(top).collect()
}

#[tokio::test]
async fn texts_are_read() {
    let answer = infer("text", &json!({"id": "call-7", "inputs": [text_input(&[ANGRY, KIND])]})).await;
    let answer = answer.assert_success();
    assert_eq!((answer["model_name"].as_str(), answer["model_version"].as_str()), (Some("text"), Some("1")));
    assert_eq!(answer["id"], "call-7");
    let categories = numbers(&answer, "categories");
    assert_eq!(shape(&answer, "categories"), [2, 7]);
    assert!(categories.chunks(7).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-3), "{categories:?}");
    // Anger and happiness, in the order of the categories.
    assert_eq!(rows(&categories, 7), [4, 1]);
    assert_eq!((shape(&answer, "labels"), shape(&answer, "service")), (vec![2, 28], vec![2, 3]));
    assert_eq!(words(&answer, "abstain").len(), 2);
    assert_eq!(answer["outputs"].as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn json_and_bytes_give_the_same() {
    let plain = infer("text", &json!({"inputs": [text_input(&[ANGRY, KIND])]})).await.assert_success();
    let bytes = elements(&[ANGRY.as_bytes(), KIND.as_bytes()]);
    let asked = json!({
        "inputs": [{"name": "text", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": bytes.len()}}],
        "outputs": [{"name": "categories", "parameters": {"binary_data": true}}, {"name": "abstain"}]
    });
    let answer = send(router(), binary("text", &asked, &bytes)).await;
    assert_eq!(answer.headers["content-type"], "application/octet-stream");
    let (json, tail) = answer.split();
    assert_eq!(output(&json, "categories")["parameters"]["binary_data_size"], 56);
    assert_eq!(words(&json, "abstain"), words(&plain, "abstain"));
    let found: Vec<f32> = tail.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let expected = numbers(&plain, "categories");
    assert!(
        found.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() < 1e-4),
        "{found:?}"
    );
    assert_eq!(found.len(), expected.len());
}

#[tokio::test]
async fn all_outputs_can_be_bytes() {
    let asked = json!({"parameters": {"binary_data_output": true}, "inputs": [text_input(&[KIND])],
        "outputs": [{"name": "quality"}, {"name": "abstain", "parameters": {"binary_data": false}}]});
    let answer = infer("text", &asked).await;
    let (json, tail) = answer.split();
    assert_eq!(tail.len(), 4);
    assert_eq!(words(&json, "abstain").len(), 1);
}

#[tokio::test]
async fn classes_come_with_their_names() {
    let classes = json!({"classification": 2});
    let asked = json!({"inputs": [text_input(&[ANGRY])], "outputs": [
        {"name": "categories", "parameters": classes}, {"name": "labels", "parameters": classes}]});
    let answer = infer("text", &asked).await.assert_success();
    assert_eq!(shape(&answer, "categories"), [1, 2]);
    let found = words(&answer, "categories");
    assert!(found[0].ends_with(":4:anger"), "{found:?}");
    assert_eq!(words(&answer, "labels").len(), 2);
}

#[tokio::test]
async fn waveforms_are_read() {
    let hum: Vec<f32> = (0..16_000_u16).map(|at| 0.2 * (f32::from(at) * 0.08).sin()).collect();
    let data = [hum.clone(), hum].concat();
    let input = json!({"name": "waveform", "datatype": "FP32", "shape": [2, 16_000], "data": data});
    let answer = infer("voice", &json!({"inputs": [input]})).await.assert_success();
    assert_eq!((shape(&answer, "categories"), shape(&answer, "dimensions")), (vec![2, 7], vec![2, 3]));
    let categories = numbers(&answer, "categories");
    assert!(categories[..7].iter().zip(&categories[7..]).all(|(one, other)| (one - other).abs() < 1e-4));
}

/// The pixels of the sample's first frame.
fn frame() -> (u32, u32, Vec<u8>) {
    let picture = image::load_from_memory(&sample_frames()[0]).unwrap().to_rgb8();
    (picture.width(), picture.height(), picture.into_raw())
}

#[tokio::test]
async fn faces_are_found_and_read() {
    let (width, height, pixels) = frame();
    let two = [pixels.clone(), pixels].concat();
    let asked = json!({"inputs": [{"name": "frame", "datatype": "UINT8", "shape": [2, height, width, 3],
        "parameters": {"binary_data_size": two.len()}}]});
    let found = send(router(), binary("detector", &asked, &two)).await.assert_success();
    let faces = shape(&found, "image_index")[0];
    assert!(faces >= 2, "{found}");
    assert_eq!((shape(&found, "boxes"), shape(&found, "landmarks")), (vec![faces, 4], vec![faces, 10]));
    let index = numbers(&found, "image_index");
    assert!(index.contains(&0.0) && index.contains(&1.0), "{index:?}");
    assert!(numbers(&found, "score").iter().all(|score| *score > 0.3));

    let crops: Vec<u8> = (0..2 * 48 * 48_usize).map(|at| (at * 7 % 251) as u8).collect();
    let read = send(router(), raw("face", crops)).await.assert_success();
    assert_eq!((shape(&read, "labels"), shape(&read, "dimensions")), (vec![2, 8], vec![2, 2]));
}

#[tokio::test]
async fn pictures_go_through_the_whole_pipeline() {
    let frames = sample_frames();
    let files = [frames[0].as_slice(), &wall(), frames[1].as_slice()];
    let bytes = elements(&files);
    let asked = json!({"inputs": [{"name": "image", "datatype": "BYTES", "shape": [3],
        "parameters": {"binary_data_size": bytes.len()}}]});
    let answer = send(router(), binary("face_emotion", &asked, &bytes)).await.assert_success();
    let index = numbers(&answer, "image_index");
    assert!(index.contains(&0.0) && !index.contains(&1.0) && index.contains(&2.0), "{index:?}");
    let faces = index.len() as u64;
    assert_eq!((shape(&answer, "categories"), shape(&answer, "labels")), (vec![faces, 7], vec![faces, 8]));

    // A picture alone may be the whole body; without a face there are no rows and the widths stay.
    let nobody = send(router(), raw("face_emotion", wall())).await.assert_success();
    assert_eq!((shape(&nobody, "categories"), shape(&nobody, "labels")), (vec![0, 7], vec![0, 8]));
    assert_eq!(shape(&nobody, "dimensions"), [0, 2]);
}

#[tokio::test]
async fn sound_goes_through_the_whole_pipeline() {
    let speech = sample("speech.flac");
    let alone = send(router(), raw("voice_emotion", speech.clone())).await.assert_success();
    assert_eq!(shape(&alone, "categories"), [1, 7]);
    assert!(numbers(&alone, "duration_ms")[0] > 1_000.0);
    // In JSON a file is base64, which the input says.
    let asked = json!({"inputs": [{"name": "audio", "datatype": "BYTES", "shape": [1],
        "parameters": {"content_type": "base64"}, "data": [BASE64_STANDARD.encode(speech)]}]});
    let again = infer("voice_emotion", &asked).await.assert_success();
    let pairs = numbers(&again, "categories").into_iter().zip(numbers(&alone, "categories"));
    assert!(pairs.into_iter().all(|(one, other)| (one - other).abs() < 1e-3));
}

#[tokio::test]
async fn a_language_that_is_not_read_is_a_reason_to_abstain() {
    let polish = "Czekam już trzy tygodnie na zwrot pieniędzy i nikt nie odpowiada.";
    let asked = json!({"inputs": [text_input(&[polish, "我的退款怎么还没到账"])]});
    let answer = infer("text_emotion", &asked).await.assert_success();
    assert_eq!(words(&answer, "abstain")[0], "unreadable_language");
    let languages = words(&answer, "language");
    assert!(languages[0].starts_with("pl") && languages[1].starts_with("zh"), "{languages:?}");
}

#[tokio::test]
async fn a_version_may_be_named() {
    let asked = json!({"inputs": [text_input(&[KIND])]}).to_string();
    let request = |version: &str| {
        let path = format!("/v2/models/text/versions/{version}/infer");
        Request::post(path).body(asked.clone().into()).unwrap()
    };
    send(router(), request("1")).await.assert_success();
    let message = send(router(), request("2")).await.assert_failure(404);
    assert!(message.contains("version 1 is"), "{message}");
    send(router(), request("one")).await.assert_failure(404);
}

#[tokio::test]
async fn pipelines_are_counted() {
    let before = statistics().await;
    for _ in 0..3 {
        infer("text_emotion", &json!({"inputs": [text_input(&[KIND, ANGRY])]})).await.assert_success();
    }
    infer("text_emotion", &json!({"inputs": [text_input(&["x".repeat(5_000).as_str()])]}))
        .await
        .assert_failure(400);
    let after = statistics().await;
    let grown = |key: &str| after[key].as_u64().unwrap() - before[key].as_u64().unwrap();
    assert!(grown("inference_count") >= 6 && grown("execution_count") >= 3, "{before} {after}");
    assert!(after["inference_stats"]["fail"]["count"].as_u64().unwrap() >= 1);
    assert!(after["last_inference"].as_u64().unwrap() > 1_600_000_000_000);
}

async fn statistics() -> Value {
    let list = get("/v2/models/text_emotion/stats").await.assert_success();
    list["model_stats"][0].clone()
}
