//! A model repository that breaks while the server is asked: a copy that a full disk cut off, files that are missing or
//! damaged, folders that are none. What serves goes on serving, and the reason is told.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use heartline::config::{Config, Sources};
use heartline::engine::{Engine, ModelState};
use heartline_models::face::{CROP_SIDE, FaceCrop};

use crate::support::turn;

/// A fault in words, and what makes it.
type Damage = (&'static str, fn(&Path));

/// What can go wrong with a version's folder, which is whole when this gets it.
const FAULTS: [Damage; 8] = [
    ("a full disk cut the copy off", |folder| cut(&folder.join("model.safetensors"), 2)),
    ("a full disk left an empty file", |folder| cut(&folder.join("model.safetensors"), usize::MAX)),
    ("a byte is another one", |folder| {
        let path = folder.join("model.safetensors");
        let mut bytes = std::fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }),
    ("the weights are missing", |folder| std::fs::remove_file(folder.join("model.safetensors")).unwrap()),
    ("the weights are a folder", |folder| {
        std::fs::remove_file(folder.join("model.safetensors")).unwrap();
        std::fs::create_dir(folder.join("model.safetensors")).unwrap();
    }),
    ("the manifest is cut off", |folder| cut(&folder.join("model.json"), 2)),
    ("the manifest is missing", |folder| std::fs::remove_file(folder.join("model.json")).unwrap()),
    ("the folder is a link to nowhere", |folder| {
        std::fs::remove_dir_all(folder).unwrap();
        std::os::unix::fs::symlink("/no/such/folder", folder).unwrap();
    }),
];

/// Leaves one part in so many of a file.
fn cut(file: &Path, parts: usize) {
    let bytes = std::fs::read(file).unwrap();
    std::fs::write(file, &bytes[..bytes.len() / parts]).unwrap();
}

fn shipped(model: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/weights").join(model).join("1")
}

/// A repository that holds the shipped models, and nothing but links.
fn repository() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for model in ["text", "voice", "detector", "face"] {
        std::fs::create_dir(root.path().join(model)).unwrap();
        std::os::unix::fs::symlink(shipped(model), root.path().join(model).join("1")).unwrap();
    }
    root
}

/// A whole copy of the face model as a further version.
fn copy_face(folder: &Path) {
    match std::fs::symlink_metadata(folder) {
        Ok(found) if found.is_symlink() => std::fs::remove_file(folder).unwrap(),
        Ok(_) => std::fs::remove_dir_all(folder).unwrap(),
        Err(_) => {}
    }
    std::fs::create_dir(folder).unwrap();
    for file in std::fs::read_dir(shipped("face")).unwrap().map(|entry| entry.unwrap()) {
        std::fs::copy(file.path(), folder.join(file.file_name())).unwrap();
    }
    let manifest = folder.join("model.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replacen("\"version\": 1", "\"version\": 2", 1)).unwrap();
}

fn start(root: &Path) -> Engine {
    let overrides = vec![
        format!("engine.models_folder={}", root.display()),
        "engine.device=cpu".to_owned(),
        "engine.warm_up=false".to_owned(),
    ];
    let config = Config::from_sources(&Sources { overrides, ..Sources::default() }).unwrap();
    Engine::start(&config.engine).unwrap()
}

async fn ask(engine: &Engine) {
    let crop = FaceCrop { pixels: vec![120; CROP_SIDE * CROP_SIDE], quality: 1.0 };
    let found = engine.analyze_crops(vec![crop; 4], None).await.unwrap();
    assert_eq!(found.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_repository_changes_nothing_for_those_who_ask() {
    let _turn = turn().await;
    let root = repository();
    let engine = start(root.path());
    let ending = Arc::new(AtomicBool::new(false));
    let asking = tokio::spawn({
        let (engine, ending) = (engine.clone(), Arc::clone(&ending));
        async move {
            let mut count = 0;
            while !ending.load(Ordering::Relaxed) {
                ask(&engine).await;
                count += 1;
            }
            count
        }
    });
    let folder = root.path().join("face").join("2");
    for (fault, damage) in FAULTS {
        copy_face(&folder);
        damage(&folder);
        let refused = engine.load_model("face", Some(2)).await;
        let error = refused.err().unwrap_or_else(|| panic!("{fault}, and it was loaded"));
        ask(&engine).await;
        let entries = engine.repository();
        let of = |version| entries.iter().find(|entry| entry.name == "face" && entry.version == version);
        assert_eq!(of(1).unwrap().state, ModelState::Ready, "{fault}: {entries:?}");
        // A link to nowhere is no version at all; every other fault is told where the versions are listed.
        if let Some(broken) = of(2) {
            assert_eq!(broken.state, ModelState::Unavailable, "{fault}");
            assert!(!broken.reason.is_empty() && broken.reason != "not loaded", "{fault}: {error}");
        } else {
            assert!(fault.contains("nowhere"), "{fault}: {entries:?}");
        }
    }
    // Once the folder is whole again it is taken, and the other one goes.
    copy_face(&folder);
    assert_eq!(engine.load_model("face", Some(2)).await.unwrap(), 2);
    ask(&engine).await;
    ending.store(true, Ordering::Relaxed);
    let asked = tokio::time::timeout(Duration::from_secs(10), asking).await.unwrap().unwrap();
    assert!(asked > 0, "nobody asked meanwhile");
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_that_goes_away_takes_nothing_with_it() {
    let _turn = turn().await;
    let root = repository();
    let engine = start(root.path());
    drop(root);
    ask(&engine).await;
    assert!(engine.load_model("face", None).await.is_err());
    let entries = engine.repository();
    assert!(
        entries.iter().any(|entry| entry.name == "face" && entry.state == ModelState::Ready),
        "{entries:?}"
    );
    ask(&engine).await;
    engine.shutdown().await;
}
