//! Who is served first, what is refused at once, and how models change while requests wait.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use heartline_models::ModelError;
use proptest::prelude::*;
use tokio::task::JoinSet;

use super::backlog::Site;
use super::device::{Ending, ModelLost, Station, serve};
use super::lane::{Change, Lane, LaneLimits};
use super::post::Post;
use super::queue::BatchLimits;
use super::terms::{Priority, Settled};
use super::tests::{PANICS, Rig, block_on, lane, patient, station};
use super::{EngineError, Model};

/// Notes in a shared list that it was asked.
struct Named(&'static str, Arc<Mutex<Vec<&'static str>>>);

impl Model<u32, u32> for Named {
    fn compute(&mut self, rows: &[u32]) -> Result<Vec<u32>, ModelError> {
        self.1.lock().unwrap().push(self.0);
        Ok(rows.to_vec())
    }

    fn probe(&self) -> u32 {
        0
    }
}

/// In which order two models are served that were asked, the second one first, before their thread began.
fn order_of(priorities: [Priority; 2]) -> Vec<&'static str> {
    let order = Arc::new(Mutex::new(Vec::new()));
    let post = Arc::new(Post::default());
    let batch = BatchLimits { rows: 1, cost: 1, delay: Duration::ZERO };
    let limits = LaneLimits { queue_rows: 10, batch };
    let site = Site { bell: Arc::clone(&post.bell), ..Site::default() };
    let lanes =
        ["one", "two"].map(|name| Arc::new(Lane::new(name, limits, |_| 1, site.clone(), Arc::default())));
    let thread = post.appoint();
    let mut stations: Vec<Box<dyn Station>> = lanes
        .iter()
        .map(|lane| station(lane, Box::new(Named(lane.name, Arc::clone(&order))), &post))
        .collect();
    block_on(async {
        let [one, two] = priorities.map(|priority| Settled { priority, ..patient() });
        let (early, late) = (lanes[1].submit(vec![1, 2], two), lanes[0].submit(vec![3], one));
        tokio::pin!(early, late);
        // Both wait before the thread begins.
        tokio::select! { biased; _ = &mut early => {} , _ = &mut late => {}, () = std::future::ready(()) => {} }
        lanes.iter().for_each(|lane| lane.close());
        let device = std::thread::spawn(move || serve(&mut stations, &post, thread));
        let (early, late) = tokio::join!(early, late);
        assert!(early.is_ok() && late.is_ok());
        assert!(matches!(device.join().unwrap(), Ending::Finished));
    });
    order.lock().unwrap().clone()
}

#[test]
fn the_model_whose_work_is_most_urgent_is_served_first() {
    assert_eq!(order_of([Priority::Live, Priority::Live]), ["two", "two", "one"], "the longest wait");
    assert_eq!(order_of([Priority::Live, Priority::Batch]), ["one", "two", "two"], "live before batch");
}

#[test]
fn batch_work_leaves_places_for_live_work() {
    let rig = Rig::new(8, 4, 0);
    let patience = Duration::from_secs(20);
    let held = rig.gate.lock().unwrap();
    std::thread::scope(|scope| {
        let batch = scope.spawn(|| block_on(rig.ask_as(vec![1; 6], patience, Priority::Batch)));
        rig.wait_for_batch();
        let more = block_on(rig.ask_as(vec![2], patience, Priority::Batch));
        assert!(matches!(more, Err(EngineError::Overloaded { .. })), "{more:?}");
        let large = block_on(rig.ask_as(vec![2; 7], patience, Priority::Batch));
        assert!(matches!(large, Err(EngineError::TooManyRows { limit: 6, .. })), "{large:?}");
        let live = scope.spawn(|| block_on(rig.ask(vec![3, 4])));
        while rig.lane.waiting().0[0] == 0 {
            std::thread::yield_now();
        }
        drop(held);
        assert_eq!(batch.join().unwrap().unwrap(), [2; 6]);
        assert_eq!(live.join().unwrap().unwrap(), [4, 5]);
    });
    assert_eq!(rig.batches()[1][..2], [3, 4], "live rows go first, batch rows fill up");
}

#[test]
fn what_cannot_be_done_in_time_is_refused_at_once() {
    let rig = Rig::new(1000, 10, 0);
    let held = rig.gate.lock().unwrap();
    // One execution of ten rows that took a second teaches the engine its pace: 0.1 s a row.
    rig.lane.pace.learn(10, Duration::from_secs(1));
    std::thread::scope(|scope| {
        let accepted = scope.spawn(|| block_on(rig.ask_within(vec![1; 100], Duration::from_secs(60))));
        rig.wait_for_batch();
        let asked = Instant::now();
        match block_on(rig.ask_within(vec![2], Duration::from_secs(5))) {
            Err(EngineError::Overloaded { retry_after_ms }) => assert_eq!(retry_after_ms, 10_000),
            other => panic!("expected a refusal, got {other:?}"),
        }
        assert!(asked.elapsed() < Duration::from_secs(1));
        drop(held);
        assert_eq!(accepted.join().unwrap().unwrap().len(), 100);
    });
    assert!(block_on(rig.ask_within(vec![2], Duration::from_secs(5))).is_ok(), "the work is done");
}

#[test]
fn a_model_is_swapped_between_two_batches() {
    let rig = Rig::new(100, 4, 0);
    let held = rig.gate.lock().unwrap();
    std::thread::scope(|scope| {
        let before = scope.spawn(|| block_on(rig.ask(vec![1; 8])));
        rig.wait_for_batch();
        let order = Arc::new(Mutex::new(Vec::new()));
        let (done, swapped) = tokio::sync::oneshot::channel();
        let model = Box::new(Named("new", Arc::clone(&order)));
        rig.lane.change(Change::Replace { model, version: 2, done }).unwrap();
        assert_eq!(rig.lane.version(), 1, "the batch in work is finished first");
        drop(held);
        block_on(swapped).unwrap();
        assert_eq!(rig.lane.version(), 2);
        assert_eq!(before.join().unwrap().unwrap(), [2, 2, 2, 2, 1, 1, 1, 1], "no request is lost");
        assert_eq!(block_on(rig.ask(vec![7])).unwrap(), [7]);
        let (done, removed) = tokio::sync::oneshot::channel();
        rig.lane.change(Change::Remove { done }).unwrap();
        block_on(removed).unwrap();
        let refused = block_on(rig.ask(vec![7]));
        assert!(matches!(refused, Err(EngineError::NotLoaded { model: "fake" })), "{refused:?}");
    });
}

#[test]
fn a_model_that_leaves_answers_what_waits_for_it() {
    let rig = Rig::new(100, 4, 60_000);
    let held = rig.gate.lock().unwrap();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| block_on(rig.ask(vec![1; 4])));
        rig.wait_for_batch();
        let second = scope.spawn(|| block_on(rig.ask(vec![2])));
        while rig.lane.waiting().0[0] == 0 {
            std::thread::yield_now();
        }
        let (done, removed) = tokio::sync::oneshot::channel();
        rig.lane.change(Change::Remove { done }).unwrap();
        assert!(matches!(block_on(rig.ask(vec![3])), Err(EngineError::NotLoaded { .. })));
        drop(held);
        assert_eq!(first.join().unwrap().unwrap(), [2; 4]);
        assert_eq!(second.join().unwrap().unwrap(), [3], "it does not wait for its delay of a minute");
        block_on(removed).unwrap();
    });
}

#[test]
fn a_model_that_cannot_compute_after_a_panic_is_lost() {
    struct Poisoned(bool);
    impl Model<u32, u32> for Poisoned {
        fn compute(&mut self, rows: &[u32]) -> Result<Vec<u32>, ModelError> {
            self.0 |= rows.contains(&PANICS);
            assert!(!self.0, "poisoned");
            Ok(rows.to_vec())
        }
        fn probe(&self) -> u32 {
            0
        }
    }
    let lane = lane("poisoned", 10, 4, 0);
    let post = Arc::new(Post::with_bell(lane.bell()));
    let thread = post.appoint();
    let mut stations = vec![station(&lane, Box::new(Poisoned(false)), &post)];
    let device = std::thread::spawn(move || serve(&mut stations, &post, thread));
    assert_eq!(block_on(lane.submit(vec![5], patient())).unwrap().1, [5]);
    let failed = block_on(lane.submit(vec![PANICS], patient()));
    assert!(matches!(failed, Err(EngineError::Panicked { .. })));
    match device.join().unwrap() {
        Ending::Lost(ModelLost { model: "poisoned", message, .. }) => assert_eq!(message, "poisoned"),
        other => panic!("expected a lost model, got {other:?}"),
    }
}

/// Keeps every processor busy until it is dropped.
struct FullLoad(Arc<std::sync::atomic::AtomicBool>);

impl FullLoad {
    fn begin() -> Self {
        let goes_on = Arc::new(std::sync::atomic::AtomicBool::new(true));
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            let goes_on = Arc::clone(&goes_on);
            std::thread::spawn(move || {
                while goes_on.load(std::sync::atomic::Ordering::Relaxed) {
                    std::hint::black_box((0..1000_u64).sum::<u64>());
                }
            });
        }
        Self(goes_on)
    }
}

impl Drop for FullLoad {
    fn drop(&mut self) {
        self.0.store(false, std::sync::atomic::Ordering::Relaxed);
    }
}

#[test]
fn a_deadline_of_100_ms_is_kept_within_10_ms_under_full_load() {
    const DEADLINE: Duration = Duration::from_millis(100);
    let rig = Rig::new(64, 4, 0);
    let held = rig.gate.lock().unwrap();
    let load = FullLoad::begin();
    // Other programs may take the processor away, so the best of a few attempts is what the engine itself needs.
    let late = (0..8).map(|attempt| {
        let asked = Instant::now();
        let answer = block_on(rig.ask_within(vec![attempt], DEADLINE));
        assert!(matches!(answer, Err(EngineError::Deadline)), "{answer:?}");
        asked.elapsed().checked_sub(DEADLINE).expect("not before its time")
    });
    let late = late.min().unwrap();
    drop((load, held));
    assert!(late < Duration::from_millis(10), "{late:?} after the deadline");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Requests of any size, urgency, session and patience, some of which panic or are given up: each gets exactly one
    /// answer, answers belong to their rows, and afterwards nothing is left and every place is free.
    #[test]
    fn every_request_gets_exactly_one_answer(
        requests in prop::collection::vec((0..12_u32, any::<bool>(), 0..4_u64, 0..10_u32), 1..40),
    ) {
        let rig = Arc::new(Rig::new(64, 8, 1));
        let answered = block_on(async {
            let mut asked = JoinSet::new();
            for (number, (rows, is_live, session, fate)) in requests.iter().copied().enumerate() {
                let rig = Arc::clone(&rig);
                asked.spawn(async move {
                    let rows: Vec<u32> = match fate {
                        0 => vec![PANICS],
                        _ => (0..rows).map(|row| number as u32 * 100 + row).collect(),
                    };
                    let deadline = Instant::now() + Duration::from_millis(if fate == 1 { 1 } else { 20_000 });
                    let priority = if is_live { Priority::Live } else { Priority::Batch };
                    let terms = Settled { deadline, priority, session: (session > 0).then_some(session) };
                    let asking = rig.lane.submit(rows.clone(), terms);
                    if fate == 2 {
                        // The client goes away, perhaps before the answer.
                        return tokio::time::timeout(Duration::from_micros(500), asking).await.is_ok();
                    }
                    match asking.await {
                        Ok((given, answers)) => {
                            assert_eq!(given, rows);
                            assert_eq!(answers, rows.iter().map(|row| row + 1).collect::<Vec<u32>>());
                        }
                        Err(EngineError::Panicked { .. }) => assert_eq!(fate, 0),
                        Err(EngineError::Deadline) => assert_eq!(fate, 1),
                        Err(EngineError::Overloaded { .. }) => {}
                        Err(other) => panic!("{other:?}"),
                    }
                    true
                });
            }
            asked.join_all().await
        });
        prop_assert_eq!(answered.len(), requests.len());
        // All places are free again: a request that needs every one of them is answered.
        prop_assert_eq!(block_on(rig.ask(vec![5; 64])).unwrap(), vec![6; 64]);
        prop_assert_eq!(rig.lane.waiting().0, [0, 0]);
    }
}
