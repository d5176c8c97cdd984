//! Every file of a model agrees with the checksum in its manifest, and there is no file beside them.

use heartline_models::{MANIFEST_FILE, ModelFolder};

use crate::support::weights;

#[test]
fn every_file_agrees_with_its_manifest() {
    for model in ["text", "voice", "detector", "face"] {
        let folder = weights().join(model).join("1");
        let opened = ModelFolder::<serde_json::Value>::open(&folder).unwrap();
        assert_eq!(opened.manifest.name, model);
        for entry in std::fs::read_dir(&folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(
                name == MANIFEST_FILE || opened.manifest.files.contains_key(&name),
                "{model}: {name} is not listed"
            );
        }
    }
}
