//! Several devices beside each other, and devices that are lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use heartline_models::ModelError;

use super::handle_tests::Fakes;
use super::tests::config;
use super::{Engine, EngineConfig, EngineError, Terms};

/// An engine with two devices, and the switch that loses the first one.
fn start_two(config: &EngineConfig) -> (Engine, Arc<AtomicBool>) {
    let source = Fakes { devices: 2, ..Fakes::default() };
    let is_lost = Arc::clone(&source.is_lost);
    (Engine::start_with(config, Arc::new(source)).unwrap(), is_lost)
}

#[tokio::test]
async fn the_only_device_is_lost_for_good() {
    let source = Fakes::default();
    let is_lost = Arc::clone(&source.is_lost);
    let engine = Engine::start_with(&config(), Arc::new(source)).unwrap();
    is_lost.store(true, Ordering::Relaxed);
    let failed = engine.analyze_texts(vec!["text".to_owned()], None).await;
    assert!(matches!(failed, Err(EngineError::Model(ModelError::DeviceLost(_)))), "{failed:?}");
    let since = Instant::now();
    while engine.is_alive() {
        assert!(since.elapsed() < Duration::from_secs(10), "nobody asks for a new start");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!engine.health().await.is_ready());
}

/// The device that a text of a session was computed on.
async fn device_of(engine: &Engine, text: &str, session: u64) -> usize {
    let terms = Terms { session: Some(session), ..Terms::default() };
    engine.analyze_texts(vec![text.to_owned()], terms).await.unwrap()[0].dominance as usize
}

#[tokio::test]
async fn sessions_spread_over_the_devices_and_a_busy_one_is_left_out() {
    let (engine, _) = start_two(&config());
    assert_eq!((engine.device().as_str(), engine.models().len()), ("fake:0,fake:1", 4));
    let reserved = engine.view().devices.iter().map(|device| device.reserved_bytes).collect::<Vec<_>>();
    assert_eq!(reserved, [None, Some(1 << 30)]);
    for session in 0..6 {
        assert_eq!(device_of(&engine, "quick", session).await, session as usize % 2);
    }
    // Both have a pace by now, so work that is accepted counts.
    let own = engine.clone();
    let slow = tokio::spawn(async move { device_of(&own, "slow", 0).await });
    let since = Instant::now();
    while engine.view().devices[0].executing.is_none() {
        assert!(since.elapsed() < Duration::from_secs(10), "it was not seen at work");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(device_of(&engine, "quick", 0).await, 1, "the other one is free");
    assert_eq!(slow.await.unwrap(), 0);
    let statistics = &engine.statistics()[0];
    assert_eq!(statistics.success.count, 8, "both count in one ledger");
    engine.shutdown().await;
    assert!(matches!(engine.analyze_texts(vec!["late".to_owned()], None).await, Err(EngineError::Stopped)));
}

#[tokio::test]
async fn a_model_takes_over_on_all_devices_or_on_none() {
    let (engine, _) = start_two(&config());
    let refused = engine.load_model("text", Some(8)).await;
    assert!(matches!(refused, Err(EngineError::Load { .. })), "the second device cannot have it");
    assert_eq!(engine.statistics()[0].version, 1);
    assert_eq!(engine.load_model("text", Some(2)).await.unwrap(), 2);
    assert_eq!(engine.models()[0].version, 2);
    for session in 0..2 {
        assert_eq!(device_of(&engine, "quick", session).await, session as usize);
    }
    engine.unload_model("text").await.unwrap();
    for session in 0..2 {
        let terms = Terms { session: Some(session), ..Terms::default() };
        let gone = engine.analyze_texts(vec!["text".to_owned()], terms).await;
        assert!(matches!(gone, Err(EngineError::NotLoaded { model: "text" })), "{gone:?}");
    }
}

#[tokio::test]
async fn a_lost_device_is_left_out_until_it_computes_again() {
    let (engine, is_lost) = start_two(&config());
    is_lost.store(true, Ordering::Relaxed);
    let terms = Terms { session: Some(0), ..Terms::default() };
    let failed = engine.analyze_texts(vec!["text".to_owned()], terms).await;
    assert!(matches!(failed, Err(EngineError::Model(_))), "{failed:?}");
    let since = Instant::now();
    while engine.view().devices[0].is_healthy {
        assert!(since.elapsed() < Duration::from_secs(10), "nobody notices");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(device_of(&engine, "text", 0).await, 1);
    let fault = engine.view().devices[0].fault.clone().unwrap();
    assert!(fault.contains("an illegal address"), "{fault}");
    let health = engine.health().await;
    assert!(health.is_ready() && engine.is_alive(), "the other device serves: {health:?}");
    is_lost.store(false, Ordering::Relaxed);
    while !engine.view().devices[0].is_healthy {
        assert!(since.elapsed() < Duration::from_secs(30), "it does not come back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(device_of(&engine, "text", 0).await, 0);
}
