//! The engine's machinery with fake models: every request gets exactly one answer, whatever the model does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use heartline_models::ModelError;
use tokio::task::JoinSet;

use super::backlog::Site;
use super::desk::Desk;
use super::device::{Ending, Station, serve};
use super::lane::{Lane, LaneLimits};
use super::post::Post;
use super::queue::BatchLimits;
use super::terms::{Priority, Settled};
use super::{EngineConfig, EngineError, Model};
use crate::telemetry::Metrics;

pub(super) const PANICS: u32 = 1_000_001;
const IS_REFUSED: u32 = 1_000_002;
const LOSES_ANSWERS: u32 = 1_000_003;

/// How the engine of a test runs.
pub(super) fn config() -> EngineConfig {
    EngineConfig {
        device: heartline_models::DeviceChoice::Cpu,
        precision: heartline_models::PrecisionChoice::Auto,
        kernels_folder: None,
        models_folder: "nowhere".into(),
        queue_rows: 64,
        max_batch_rows: 8,
        max_batch_tokens: 4096,
        batch_delay: Duration::from_millis(1),
        deadline: Duration::from_secs(20),
        max_faces_per_frame: 4,
        stall: Duration::from_secs(20),
        warm_up: true,
    }
}

/// Adds one to each row; notes its batches; stands still while its gate is held.
struct Fake {
    batches: Arc<Mutex<Vec<Vec<u32>>>>,
    pub(super) gate: Arc<Mutex<()>>,
    entered: mpsc::Sender<()>,
}

impl Model<u32, u32> for Fake {
    fn compute(&mut self, rows: &[u32]) -> Result<Vec<u32>, ModelError> {
        self.batches.lock().unwrap().push(rows.to_vec());
        let _ = self.entered.send(());
        drop(self.gate.lock().unwrap());
        assert!(!rows.contains(&PANICS), "a row that panics");
        if rows.contains(&IS_REFUSED) {
            return Err(ModelError::Input("a row that is refused".to_owned()));
        }
        let lost = usize::from(rows.contains(&LOSES_ANSWERS));
        Ok(rows.iter().skip(lost).map(|row| row + 1).collect())
    }

    fn probe(&self) -> u32 {
        0
    }
}

pub(super) fn lane(name: &'static str, queue_rows: usize, rows: usize, delay_ms: u64) -> Arc<Lane<u32, u32>> {
    let batch = BatchLimits { rows, cost: rows as u64, delay: Duration::from_millis(delay_ms) };
    Arc::new(Lane::new(name, LaneLimits { queue_rows, batch }, |_| 1, Site::default(), Arc::default()))
}

/// A desk with a model that serves already.
pub(super) fn station(
    lane: &Arc<Lane<u32, u32>>,
    model: Box<dyn Model<u32, u32>>,
    post: &Arc<Post>,
) -> Box<dyn Station> {
    lane.serves(1, Some(model.probe()));
    let (lane, post) = (Arc::clone(lane), Arc::clone(post));
    Box::new(Desk { lane, model: Some(model), post, thread: 1, suspicion: None })
}

/// Terms with a deadline far away.
pub(super) fn patient() -> Settled {
    let deadline = Instant::now() + Duration::from_secs(20);
    Settled { deadline, priority: Priority::Live, session: None }
}

/// A queue with a fake model on its own thread.
pub(super) struct Rig {
    pub(super) lane: Arc<Lane<u32, u32>>,
    batches: Arc<Mutex<Vec<Vec<u32>>>>,
    pub(super) gate: Arc<Mutex<()>>,
    entered: Mutex<mpsc::Receiver<()>>,
    thread: Option<JoinHandle<Ending>>,
}

impl Rig {
    pub(super) fn new(queue_rows: usize, max_batch_rows: usize, batch_delay_ms: u64) -> Self {
        Self::named("fake", queue_rows, max_batch_rows, batch_delay_ms)
    }

    fn named(name: &'static str, queue_rows: usize, max_batch_rows: usize, batch_delay_ms: u64) -> Self {
        let lane = lane(name, queue_rows, max_batch_rows, batch_delay_ms);
        let batches = Arc::new(Mutex::new(Vec::new()));
        let gate = Arc::new(Mutex::new(()));
        let (sender, entered) = mpsc::channel();
        let model = Fake { batches: Arc::clone(&batches), gate: Arc::clone(&gate), entered: sender };
        let post = Arc::new(Post::with_bell(lane.bell()));
        let appointed = post.appoint();
        let mut stations = vec![station(&lane, Box::new(model), &post)];
        let thread = Some(std::thread::spawn(move || serve(&mut stations, &post, appointed)));
        Self { lane, batches, gate, entered: Mutex::new(entered), thread }
    }

    pub(super) async fn ask(&self, rows: Vec<u32>) -> Result<Vec<u32>, EngineError> {
        self.ask_within(rows, Duration::from_secs(20)).await
    }

    pub(super) async fn ask_within(
        &self,
        rows: Vec<u32>,
        patience: Duration,
    ) -> Result<Vec<u32>, EngineError> {
        self.ask_as(rows, patience, Priority::Live).await
    }

    pub(super) async fn ask_as(
        &self,
        rows: Vec<u32>,
        patience: Duration,
        priority: Priority,
    ) -> Result<Vec<u32>, EngineError> {
        let terms = Settled { deadline: Instant::now() + patience, priority, session: None };
        let (given, answers) = self.lane.submit(rows.clone(), terms).await?;
        assert_eq!(given, rows, "the rows come back as they were");
        Ok(answers)
    }

    /// Waits until the model holds a batch.
    pub(super) fn wait_for_batch(&self) {
        self.entered.lock().unwrap().recv_timeout(Duration::from_secs(20)).unwrap();
    }

    pub(super) fn batches(&self) -> Vec<Vec<u32>> {
        self.batches.lock().unwrap().clone()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.lane.close();
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking());
    }
}

#[tokio::test]
async fn many_requests_get_one_answer_each() {
    let rig = Arc::new(Rig::new(10_000, 8, 1));
    let mut requests = JoinSet::new();
    for request in 0..300_u32 {
        let rig = Arc::clone(&rig);
        requests.spawn(async move {
            let rows: Vec<u32> = (0..request % 20).map(|row| request * 100 + row).collect();
            let expected: Vec<u32> = rows.iter().map(|row| row + 1).collect();
            assert_eq!(rig.ask(rows).await.unwrap(), expected);
        });
    }
    let answered = requests.join_all().await.len();
    assert_eq!(answered, 300);
    assert!(rig.batches().iter().all(|batch| batch.len() <= 8));
    let rows: usize = rig.batches().iter().map(Vec::len).sum();
    assert_eq!(rows, (0..300).map(|request| request % 20).sum::<usize>(), "no row is computed twice");
}

#[tokio::test]
async fn a_batch_forms_from_several_requests() {
    let rig = Rig::new(100, 8, 2000);
    // The batch begins long before its delay, because it is full.
    let asked = Instant::now();
    let (one, two, three) = tokio::join!(rig.ask(vec![1, 2, 3]), rig.ask(vec![4]), rig.ask(vec![5, 6, 7, 8]));
    assert!(asked.elapsed() < Duration::from_millis(1900), "{:?}", asked.elapsed());
    assert_eq!((one.unwrap(), two.unwrap(), three.unwrap()), (vec![2, 3, 4], vec![5], vec![6, 7, 8, 9]));
    assert_eq!(rig.batches(), [vec![1, 2, 3, 4, 5, 6, 7, 8]]);
}

#[tokio::test]
async fn a_single_row_waits_no_longer_than_the_delay() {
    let rig = Rig::new(100, 8, 50);
    let asked = Instant::now();
    assert_eq!(rig.ask(vec![1]).await.unwrap(), [2]);
    assert!(asked.elapsed() >= Duration::from_millis(50), "it waits for others first");
}

#[tokio::test]
async fn a_request_larger_than_a_batch_is_computed_in_pieces() {
    let rig = Rig::new(100, 4, 0);
    let answers = rig.ask((0..10).collect()).await.unwrap();
    assert_eq!(answers, (1..11).collect::<Vec<u32>>());
    assert_eq!(rig.batches().iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);
    assert_eq!(rig.ask(Vec::new()).await.unwrap(), Vec::<u32>::new());
}

#[test]
fn a_full_queue_refuses_at_once_and_says_when_to_return() {
    let rig = Rig::new(4, 2, 0);
    let held = rig.gate.lock().unwrap();
    std::thread::scope(|scope| {
        let accepted = scope.spawn(|| block_on(rig.ask(vec![1, 2, 3])));
        rig.wait_for_batch();
        match block_on(rig.ask(vec![4, 5])) {
            Err(EngineError::Overloaded { retry_after_ms }) => {
                assert!((100..=60_000).contains(&retry_after_ms));
            }
            other => panic!("expected a full queue, got {other:?}"),
        }
        match block_on(rig.ask(vec![0; 5])) {
            Err(EngineError::TooManyRows { found: 5, limit: 4, .. }) => {}
            other => panic!("expected too many rows, got {other:?}"),
        }
        drop(held);
        assert_eq!(accepted.join().unwrap().unwrap(), [2, 3, 4]);
    });
    assert_eq!(block_on(rig.ask(vec![4, 5])).unwrap(), [5, 6], "there is room again");
}

pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

#[test]
fn a_deadline_is_kept_while_the_model_hangs() {
    const DEADLINE: Duration = Duration::from_millis(60);
    let rig = Rig::new(16, 4, 0);
    let held = rig.gate.lock().unwrap();
    // Other programs may take the processor away, so the best of a few attempts is what the engine itself needs.
    let late = (0..5).map(|attempt| {
        let asked = Instant::now();
        let answer = block_on(rig.ask_within(vec![attempt], DEADLINE));
        assert!(matches!(answer, Err(EngineError::Deadline)), "{answer:?}");
        asked.elapsed().checked_sub(DEADLINE).expect("not before its time")
    });
    let late = late.min().unwrap();
    assert!(late < Duration::from_millis(10), "{late:?} after the deadline");
    drop(held);
    // Only the first attempt ever reached the model; the others left the queue when their time was over.
    assert_eq!(block_on(rig.ask(vec![9])).unwrap(), [10]);
    assert_eq!(rig.batches(), [vec![0], vec![9]]);
}

#[test]
fn a_request_past_its_deadline_is_not_queued() {
    let rig = Rig::new(16, 4, 0);
    let answer = block_on(rig.lane.submit(vec![1], Settled { deadline: Instant::now(), ..patient() }));
    assert!(matches!(answer, Err(EngineError::Deadline)));
    assert!(rig.batches().is_empty());
}

#[test]
fn a_client_that_goes_away_leaves_the_queue() {
    let rig = Rig::new(4, 4, 0);
    let held = rig.gate.lock().unwrap();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| block_on(rig.ask(vec![1])));
        rig.wait_for_batch();
        block_on(async {
            let gone = rig.ask(vec![2, 3, 4]);
            assert!(tokio::time::timeout(Duration::from_millis(20), gone).await.is_err());
        });
        // Its permits are free again, although the model still hangs.
        let second = scope.spawn(|| block_on(rig.ask(vec![5, 6, 7])));
        while rig.lane.due(Instant::now()).is_none() {
            std::thread::yield_now();
        }
        drop(held);
        assert_eq!(first.join().unwrap().unwrap(), [2]);
        assert_eq!(second.join().unwrap().unwrap(), [6, 7, 8]);
    });
    assert_eq!(rig.batches(), [vec![1], vec![5, 6, 7]]);
}

#[test]
fn what_was_not_computed_is_counted_by_its_reason() {
    let metrics = Metrics::install().unwrap();
    let rig = Rig::named("counted", 4, 4, 0);
    let held = rig.gate.lock().unwrap();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| block_on(rig.ask(vec![PANICS])));
        rig.wait_for_batch();
        let late = block_on(rig.ask_within(vec![1, 2], Duration::from_millis(20)));
        assert!(matches!(late, Err(EngineError::Deadline)));
        block_on(async {
            let gone = tokio::time::timeout(Duration::from_millis(20), rig.ask(vec![3, 4, 5]));
            assert!(gone.await.is_err());
        });
        assert!(matches!(block_on(rig.ask(vec![6; 4])), Err(EngineError::Overloaded { .. })));
        drop(held);
        assert!(first.join().unwrap().is_err());
        // After the panic the model has to prove itself, which is an execution as well.
        rig.wait_for_batch();
    });
    drop(rig);
    let text = metrics.render();
    for line in [
        "heartline_skipped_rows_total{model=\"counted\",reason=\"deadline\"} 2",
        "heartline_skipped_rows_total{model=\"counted\",reason=\"gone\"} 3",
        "heartline_rejected_rows_total{model=\"counted\"} 4",
        "heartline_execution_failures_total{model=\"counted\",reason=\"panic\"} 1",
        "heartline_executions_total{model=\"counted\"} 2",
        "heartline_queue_rows{device=\"\",model=\"counted\"} 0",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn a_panic_harms_only_the_request_that_caused_it() {
    let rig = Rig::new(100, 3, 2000);
    let (good, bad, fine) = tokio::join!(rig.ask(vec![1]), rig.ask(vec![PANICS]), rig.ask(vec![3]));
    assert_eq!((good.unwrap(), fine.unwrap()), (vec![2], vec![4]));
    match bad {
        Err(EngineError::Panicked { model: "fake", message }) => assert_eq!(message, "a row that panics"),
        other => panic!("expected a panic's report, got {other:?}"),
    }
    let (after, next, last) = tokio::join!(rig.ask(vec![4]), rig.ask(vec![5]), rig.ask(vec![6]));
    assert_eq!((after.unwrap(), next.unwrap(), last.unwrap()), (vec![5], vec![6], vec![7]), "it still works");
}

#[tokio::test]
async fn an_error_harms_only_the_request_that_caused_it() {
    let rig = Rig::new(100, 3, 2000);
    let (good, refused, short) =
        tokio::join!(rig.ask(vec![1]), rig.ask(vec![IS_REFUSED]), rig.ask(vec![LOSES_ANSWERS]));
    assert_eq!(good.unwrap(), [2]);
    assert!(matches!(refused, Err(EngineError::Model(ModelError::Input(_)))), "{refused:?}");
    assert!(matches!(short, Err(EngineError::Model(ModelError::Computation(_)))), "{short:?}");
}

#[test]
fn closing_answers_what_was_accepted_and_refuses_the_rest() {
    let rig = Rig::new(100, 4, 60_000);
    let answered = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for request in 0..10 {
            let (rig, answered) = (&rig, &answered);
            scope.spawn(move || {
                assert_eq!(block_on(rig.ask(vec![request; 3])).unwrap(), [request + 1; 3]);
                answered.fetch_add(1, Ordering::Relaxed);
            });
        }
        // Two waiting requests are more than a batch, so all but the last are answered soon. The last would wait for
        // its batch's delay, a minute, if closing did not hurry it on.
        while answered.load(Ordering::Relaxed) < 9 {
            std::thread::yield_now();
        }
        rig.lane.close();
    });
    assert_eq!(answered.load(Ordering::Relaxed), 10);
    assert!(matches!(block_on(rig.ask(vec![1])), Err(EngineError::Stopped)));
}

#[test]
fn a_model_that_fails_its_warm_up_says_so() {
    struct Broken;
    impl Model<u32, u32> for Broken {
        fn compute(&mut self, _: &[u32]) -> Result<Vec<u32>, ModelError> {
            Err(ModelError::Computation("not a number".to_owned()))
        }
        fn probe(&self) -> u32 {
            0
        }
    }
    let lane = lane("broken", 1, 1, 0);
    let mut desk = station(&lane, Box::new(Broken), &Arc::default());
    assert!(matches!(desk.warm_up(), Err(EngineError::Model(_))));
}
