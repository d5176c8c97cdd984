//! What matchers learn outlives the program.

use heartline::app::App;

use crate::support::{Desk, matcher};

fn started(desk: &Desk, isolation: &str) -> App {
    let folder = format!("plugins.state_folder={}", desk.states().display());
    desk.app("well", isolation, &[&folder])
}

#[tokio::test]
async fn a_state_is_read_at_the_start_and_written_at_the_end() {
    let Some(desk) = Desk::new() else { return };
    let file = desk.states().join("moody.state");
    std::fs::create_dir_all(desk.states()).unwrap();
    std::fs::write(&file, 25_u32.to_le_bytes()).unwrap();
    for isolation in ["none", "process"] {
        let app = started(&desk, isolation);
        let ranking = crate::support::rank(&app).await;
        let score = ranking["entries"][0]["score"].as_f64().unwrap();
        assert!((score - 0.25).abs() < 1e-6, "{ranking}");
        app.stop().await;
        assert_eq!(std::fs::read(&file).unwrap(), 25_u32.to_le_bytes());
    }
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
