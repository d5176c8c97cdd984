//! A library is replaced while rankings go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::support::{Desk, failure, matcher, rank, send};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rankings_go_on_while_a_library_is_replaced() {
    let Some(desk) = Desk::new() else { return };
    let app = desk.app("well", "none", &[]);
    assert_eq!(matcher(&app).await["version"], "1.0.0");
    let is_over = Arc::new(AtomicBool::new(false));
    let traffic = {
        let (app, is_over) = (app.clone(), Arc::clone(&is_over));
        tokio::spawn(async move {
            let mut rankings = 0;
            while !is_over.load(Ordering::Relaxed) {
                let ranking = rank(&app).await;
                assert_eq!(failure(&ranking), None, "{ranking}");
                rankings += 1;
            }
            rankings
        })
    };
    for (generation, version) in [(2, "1.1.0"), (3, "1.2.0")] {
        assert!(desk.install(version));
        let (status, detail) = send(&app, "POST", "/v1/matchers/moody/reload", None).await;
        assert_eq!((status, detail["generation"].as_u64()), (200, Some(generation)), "{detail}");
        assert_eq!(detail["version"], version);
    }
    is_over.store(true, Ordering::Relaxed);
    assert!(traffic.await.unwrap() > 0, "no ranking was made meanwhile");
    assert_eq!(rank(&app).await["matchers"][0]["version"], "1.2.0");
}

#[tokio::test]
async fn what_cannot_be_used_leaves_the_present_one() {
    let Some(desk) = Desk::new() else { return };
    let app = desk.app("well", "none", &["plugins.max_generations=2"]);
    let reload = |body| send(&app, "POST", "/v1/matchers/moody/reload", body);
    let (status, error) = reload(Some(json!({"config": {"mood": "odd", "colour": 1}}))).await;
    assert_eq!((status, error["code"].as_str()), (422, Some("matcher_refused")));
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("/mood") && message.contains("colour"), "every fault is named: {message}");
    std::fs::write(desk.library(), b"no library").unwrap();
    assert_eq!(reload(None).await.0, 422);
    assert_eq!(failure(&rank(&app).await), None);
    // Settings can change with the same library.
    assert!(desk.install("2.0.0"));
    let (status, detail) = reload(Some(json!({"config": {"mood": "fails"}}))).await;
    assert_eq!((status, &detail["config"]), (200, &json!({"mood": "fails"})), "{detail}");
    // A third library is one more than may be mapped.
    assert!(desk.install("3.0.0"));
    let (status, error) = reload(None).await;
    assert_eq!(status, 422, "{error}");
    assert!(error["message"].as_str().unwrap().contains('2'), "{error}");
    assert_eq!(send(&app, "POST", "/v1/matchers/nobody/reload", None).await.0, 404);
}

#[tokio::test]
async fn libraries_are_copied_to_the_folder_that_is_named() {
    let Some(desk) = Desk::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let setting = format!("plugins.staging_folder={}", folder.path().display());
    let app = desk.app("well", "none", &[&setting]);
    assert_eq!(failure(&rank(&app).await), None);
    let gone = folder.path().to_owned();
    folder.close().unwrap();
    assert!(desk.install("1.0.2"));
    let (status, error) = send(&app, "POST", "/v1/matchers/moody/reload", None).await;
    let message = error["message"].as_str().unwrap();
    assert!(status == 422 && message.contains(gone.to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn not_everybody_may() {
    let Some(desk) = Desk::new() else { return };
    let app = desk.app("well", "none", &["inference.management=off"]);
    for verb in ["reload", "reset"] {
        let (status, error) = send(&app, "POST", &format!("/v1/matchers/moody/{verb}"), None).await;
        assert_eq!((status, error["code"].as_str()), (403, Some("management_refused")));
    }
}

#[tokio::test]
async fn only_libraries_of_the_list_are_loaded() {
    let Some(desk) = Desk::new() else { return };
    let allowed = {
        let app = desk.app("well", "none", &[]);
        matcher(&app).await["sha256"].as_str().unwrap().to_owned()
    };
    let app = desk.app("well", "none", &[&format!("plugins.allowed_sha256=[\"{allowed}\"]")]);
    assert!(desk.install("1.0.1"));
    let (status, error) = send(&app, "POST", "/v1/matchers/moody/reload", None).await;
    assert_eq!(status, 422);
    assert!(error["message"].as_str().unwrap().contains("not"), "{error}");
    assert_eq!(matcher(&app).await["version"], "1.0.0");
}
