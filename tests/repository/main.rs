//! The model repository with real weights: swaps under load, damaged and foreign folders, and what memory a swap costs.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up is a failed test")]

mod support;

use heartline::engine::{EngineError, ModelState};
use heartline_models::face::{CROP_SIDE, FaceCrop};
use support::{Repository, start};

/// Swaps after which the memory is compared.
const SWAPS: usize = 50;
/// What the memory may grow by between the first swaps and the last; the face model's weights alone are 0.7 MB, so a
/// leak of one copy a swap would be 34 MB.
const GROWTH_LIMIT_BYTES: u64 = 16 << 20;

fn crop(seed: usize) -> FaceCrop {
    let pixels = (0..CROP_SIDE * CROP_SIDE).map(|at| ((at * 31 + seed * 7) % 251) as u8).collect();
    FaceCrop { pixels, quality: 1.0 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_swaps_lose_no_request_and_no_memory() {
    let repository = Repository::with_copies("face", &[2]);
    let engine = start(&repository);
    let (own, stop) = (engine.clone(), std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false)));
    let stopped = std::sync::Arc::clone(&stop);
    let asking = tokio::spawn(async move {
        let (mut asked, first) = (0, own.analyze_crops(vec![crop(1)], None).await.unwrap());
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            let again = own.analyze_crops(vec![crop(1)], None).await.unwrap();
            assert_eq!(again, first, "both versions have the same weights");
            asked += 1;
        }
        asked
    });
    let mut after_warm_up = 0;
    for swap in 0..SWAPS {
        let version = u32::try_from(swap % 2 + 1).unwrap();
        assert_eq!(engine.load_model("face", Some(version)).await.unwrap(), version);
        if swap == 5 {
            after_warm_up = engine.view().resident_bytes.unwrap();
        }
    }
    let grown = engine.view().resident_bytes.unwrap().saturating_sub(after_warm_up);
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let asked = asking.await.unwrap();
    assert!(asked >= SWAPS, "{asked} requests in {SWAPS} swaps");
    assert!(grown < GROWTH_LIMIT_BYTES, "{grown} bytes more after {SWAPS} swaps");
    engine.shutdown().await;
}

#[tokio::test]
async fn damaged_and_foreign_folders_are_refused_with_their_reason() {
    let repository = Repository::with_copies("face", &[2, 3, 4]);
    repository.damage("face/2/model.safetensors");
    repository.rewrite_manifest("face", 3, |manifest| manifest["version"] = 7.into());
    repository.rewrite_manifest("face", 4, |manifest| manifest["config"]["stem"] = 3.into());
    let engine = repository.start_version("face", 1).await;
    for (version, word) in [(2, "sha256"), (3, "belongs into another folder"), (4, "")] {
        let refused = engine.load_model("face", Some(version)).await;
        assert!(matches!(refused, Err(EngineError::Load { model: "face", .. })), "{version}: {refused:?}");
        let entry =
            engine.repository().into_iter().find(|entry| entry.name == "face" && entry.version == version);
        let entry = entry.unwrap();
        assert_eq!(entry.state, ModelState::Unavailable);
        assert!(entry.reason.contains(word) && !entry.reason.is_empty(), "{}", entry.reason);
        assert!(engine.analyze_crops(vec![crop(2)], None).await.is_ok(), "the old version serves on");
    }
    let missing = engine.load_model("face", Some(99)).await;
    assert!(matches!(missing, Err(EngineError::UnknownVersion { version: 99, .. })), "{missing:?}");
    engine.shutdown().await;
}
