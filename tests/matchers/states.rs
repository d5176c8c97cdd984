//! What matchers learn outlives the program.

use heartline::app::App;
use serde_json::json;

use crate::support::{Desk, matcher, rank, send};

fn started(desk: &Desk, isolation: &str) -> App {
    let folder = format!("plugins.state_folder={}", desk.states().display());
    desk.app("well", isolation, &[&folder])
}

#[tokio::test]
async fn a_state_is_read_at_the_start_and_kept_to_the_end() {
    let Some(desk) = Desk::new() else { return };
    let file = desk.states().join("moody.state");
    std::fs::create_dir_all(desk.states()).unwrap();
    std::fs::write(&file, 25_u32.to_le_bytes()).unwrap();
    for isolation in ["none", "process"] {
        let app = started(&desk, isolation);
        let ranking = rank(&app).await;
        let score = ranking["entries"][0]["score"].as_f64().unwrap();
        assert!((score - 0.25).abs() < 1e-6, "{ranking}");
        app.stop().await;
        assert_eq!(std::fs::read(&file).unwrap(), 25_u32.to_le_bytes());
    }
}

#[tokio::test]
async fn what_is_learned_is_written_at_the_end() {
    for isolation in ["none", "process"] {
        let Some(desk) = Desk::new() else { return };
        let app = started(&desk, isolation);
        for _ in 0..3 {
            let ranking = rank(&app).await;
            let path = format!("/v1/rankings/{}/outcome", ranking["id"].as_str().unwrap());
            let (status, report) = send(&app, "POST", &path, Some(json!({"agent_id": "agent-01"}))).await;
            assert_eq!((status, &report["lessons"][0]["learned"]), (200, &json!(true)), "{report}");
        }
        app.stop().await;
        assert_eq!(std::fs::read(desk.states().join("moody.state")).unwrap(), 3_u32.to_le_bytes());
    }
}

#[tokio::test]
async fn a_new_version_takes_over_what_was_learned_or_forgets_it_when_asked() {
    let Some(desk) = Desk::new() else { return };
    std::fs::create_dir_all(desk.states()).unwrap();
    std::fs::write(desk.states().join("moody.state"), 7_u32.to_le_bytes()).unwrap();
    let app = started(&desk, "none");
    assert!(desk.install("2.0.0"));
    let score = async || rank(&app).await["entries"][0]["score"].as_f64().unwrap();
    let reload = async |body| send(&app, "POST", "/v1/matchers/moody/reload", Some(body)).await;
    assert_eq!(reload(json!({})).await.0, 200);
    assert!((score().await - 0.07).abs() < 1e-6);
    assert_eq!(reload(json!({"forget": true})).await.0, 200);
    assert!(score().await.abs() < 1e-6);
    let aside = desk.states().join("moody.state.forgotten");
    assert_eq!(std::fs::read(aside).unwrap(), 7_u32.to_le_bytes());
}

#[tokio::test]
async fn a_state_that_is_refused_is_set_aside() {
    let Some(desk) = Desk::new() else { return };
    std::fs::create_dir_all(desk.states()).unwrap();
    std::fs::write(desk.states().join("moody.state"), b"damaged").unwrap();
    let app = started(&desk, "none");
    assert_eq!(matcher(&app).await["health"]["state"], "closed");
    assert_eq!(std::fs::read(desk.states().join("moody.state.refused")).unwrap(), b"damaged");
    app.stop().await;
    assert_eq!(std::fs::read(desk.states().join("moody.state")).unwrap(), 0_u32.to_le_bytes());
}
