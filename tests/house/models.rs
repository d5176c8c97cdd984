//! Every shipped model has a folder that loads, and a card that tells its licence and its checksum.

use super::root;

const MODELS: [&str; 4] = ["text", "voice", "detector", "face"];
/// All shipped weights together stay small enough for the repository, in bytes.
const SIZE_LIMIT: u64 = 100_000_000;

#[test]
fn every_model_has_a_card_that_matches_its_files() {
    for model in MODELS {
        let folder = root().join("models/weights").join(model);
        let card = std::fs::read_to_string(folder.join("README.md")).unwrap();
        let manifest = std::fs::read_to_string(folder.join("1/model.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        assert_eq!(manifest["name"], model);
        for (file, checksum) in manifest["files"].as_object().unwrap() {
            let checksum = checksum.as_str().unwrap();
            assert!(
                card.contains(checksum),
                "the card of {model} does not name the sha256 {checksum} of {file}"
            );
        }
        assert!(card.to_lowercase().contains("licence"), "the card of {model} says nothing of licences");
    }
}

#[test]
fn the_weights_stay_small() {
    let mut bytes = 0;
    for model in MODELS {
        for entry in std::fs::read_dir(root().join("models/weights").join(model).join("1")).unwrap() {
            bytes += entry.unwrap().metadata().unwrap().len();
        }
    }
    assert!(bytes > 0 && bytes < SIZE_LIMIT, "{bytes} bytes of weights");
}
