//! Whom the queue serves when. The time is made up, so nothing here waits.

use proptest::prelude::*;

use super::*;

const LIMITS: BatchLimits = BatchLimits { rows: 4, cost: 100, delay: Duration::from_millis(10) };

fn milliseconds(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn entry(item: &'static str, rows: usize, since: Instant) -> Waiting<&'static str> {
    let deadline = since + milliseconds(1000);
    Waiting { item, rows, cost: rows as u64, since, deadline, priority: Priority::Live }
}

fn batch(queue: &mut Queue<&'static str>, now: Instant) -> Vec<&'static str> {
    queue.take(now, LIMITS, |_| true).0.into_iter().map(|entry| entry.item).collect()
}

#[test]
fn a_batch_begins_when_it_is_full_or_late_or_a_deadline_nears() {
    let (mut queue, start) = (Queue::default(), Instant::now());
    assert_eq!(queue.due(start, LIMITS, Duration::ZERO), None);
    queue.push(None, vec![entry("one", 1, start)]);
    let delayed = Due { priority: Priority::Live, at: start + milliseconds(10), cut: Cut::Delay };
    assert_eq!(queue.due(start, LIMITS, Duration::ZERO), Some(delayed));
    let hurried = queue.due(start, LIMITS, milliseconds(995)).unwrap();
    assert_eq!((hurried.at, hurried.cut), (start + milliseconds(5), Cut::Deadline));
    queue.push(None, vec![entry("three", 3, start + milliseconds(1))]);
    let full = queue.due(start, LIMITS, Duration::ZERO).unwrap();
    assert_eq!((full.at, full.cut), (start, Cut::Rows), "the longest wait counts among models");
    let dear = Waiting { cost: 200, ..entry("dear", 1, start) };
    let mut queue = Queue::default();
    queue.push(None, vec![dear]);
    assert_eq!(queue.due(start, LIMITS, Duration::ZERO).unwrap().cut, Cut::Cost);
    assert_eq!(batch(&mut queue, start), ["dear"], "what alone is above the limit is computed alone");
}

#[test]
fn batches_are_cut_by_rows_and_by_cost() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    for (item, rows) in [("a", 2), ("b", 3), ("c", 2), ("d", 1)] {
        queue.push(None, vec![entry(item, rows, now)]);
    }
    assert_eq!(batch(&mut queue, now), ["a", "c"], "the gap is filled with what fits");
    assert_eq!(batch(&mut queue, now), ["b", "d"]);
    for item in ["e", "f", "g"] {
        queue.push(None, vec![Waiting { cost: 45, ..entry(item, 1, now) }]);
    }
    assert_eq!(batch(&mut queue, now), ["e", "f"]);
    assert_eq!(batch(&mut queue, now), ["g"]);
    assert!(queue.is_empty() && queue.rows() == 0 && queue.oldest().is_none());
}

#[test]
fn live_work_comes_first_until_batch_work_has_waited_for_half_of_its_time() {
    let (mut queue, start) = (Queue::default(), Instant::now());
    let slow = |item| Waiting { priority: Priority::Batch, ..entry(item, 4, start) };
    queue.push(None, vec![slow("slow"), slow("slower")]);
    queue.push(None, vec![entry("live", 4, start)]);
    assert_eq!(queue.due(start, LIMITS, Duration::ZERO).unwrap().priority, Priority::Live);
    assert_eq!(batch(&mut queue, start), ["live"]);
    assert_eq!(queue.due(start, LIMITS, Duration::ZERO).unwrap().priority, Priority::Batch);
    let later = start + milliseconds(500);
    queue.push(None, vec![entry("late", 4, later)]);
    assert_eq!(batch(&mut queue, start + milliseconds(499)), ["late"]);
    queue.push(None, vec![entry("later", 4, later)]);
    assert_eq!(queue.due(later, LIMITS, Duration::ZERO).unwrap().priority, Priority::Live);
    assert_eq!(batch(&mut queue, later), ["slow"]);
    assert_eq!(queue.rows_of(Priority::Batch), 4, "it is still counted as what it came as");
}

#[test]
fn a_session_that_asks_for_much_waits_for_itself() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.push(Some(1), (0..5).map(|_| entry("much", 4, now)).collect());
    queue.push(Some(2), vec![entry("little", 4, now), entry("little", 4, now)]);
    queue.push(None, vec![entry("nobody's", 4, now)]);
    let order: Vec<&str> = (0..8).flat_map(|_| batch(&mut queue, now)).collect();
    assert_eq!(order, ["much", "little", "nobody's", "much", "little", "much", "much", "much"]);
    // A session's past is forgotten once nobody waits: it does not pay for what harmed nobody.
    queue.push(Some(1), vec![entry("much", 4, now)]);
    queue.push(Some(3), vec![entry("new", 4, now)]);
    assert_eq!(batch(&mut queue, now), ["much"]);
    assert!(queue.turns.len() <= 2);
}

#[test]
fn what_nobody_waits_for_is_taken_apart() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let numbers = queue.push(None, vec![entry("gone", 1, now), entry("here", 1, now), entry("left", 1, now)]);
    assert_eq!(queue.remove(numbers[2]).unwrap().item, "left");
    assert!(queue.remove(numbers[2]).is_none());
    let (chosen, unwanted) = queue.take(now, LIMITS, |entry| entry.item != "gone");
    assert_eq!((chosen[0].item, unwanted[0].item), ("here", "gone"));
    assert!(queue.is_empty());
}

#[test]
fn clearing_leaves_nothing() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.push(Some(9), vec![entry("a", 1, now), entry("b", 2, now)]);
    assert_eq!(queue.clear().len(), 2);
    assert!(queue.is_empty() && queue.rows() == 0 && queue.due(now, LIMITS, Duration::ZERO).is_none());
}

proptest! {
    /// Whatever comes in whatever order: each entry leaves once, in a batch or as unwanted, and no batch is too large.
    #[test]
    fn everything_leaves_exactly_once(
        requests in prop::collection::vec((0..4_u64, 1..5_usize, 1..60_u64, any::<bool>(), any::<bool>()), 1..60),
        pause_every in 1..10_usize,
    ) {
        let start = Instant::now();
        let mut queue = Queue::default();
        let mut left: Vec<usize> = Vec::new();
        let serve = |queue: &mut Queue<(usize, bool)>, now: Instant, left: &mut Vec<usize>| {
            let (chosen, unwanted) = queue.take(now, LIMITS, |entry| entry.item.1);
            let rows: usize = chosen.iter().map(|entry| entry.rows).sum();
            let cost: u64 = chosen.iter().map(|entry| entry.cost).sum();
            assert!(rows <= LIMITS.rows && (cost <= LIMITS.cost || chosen.len() == 1));
            assert!(unwanted.iter().all(|entry| !entry.item.1) && chosen.iter().all(|entry| entry.item.1));
            left.extend(chosen.iter().chain(&unwanted).map(|entry| entry.item.0));
        };
        for (index, (session, rows, cost, is_live, is_wanted)) in requests.iter().enumerate() {
            let now = start + milliseconds(index as u64);
            let priority = if *is_live { Priority::Live } else { Priority::Batch };
            let (rows, cost) = ((*rows).min(LIMITS.rows), *cost);
            let waiting = Waiting { item: (index, *is_wanted), rows, cost, since: now, deadline: now + milliseconds(40), priority };
            queue.push((*session > 0).then_some(*session), vec![waiting]);
            if index % pause_every == 0 {
                serve(&mut queue, now, &mut left);
            }
        }
        while !queue.is_empty() {
            serve(&mut queue, start + milliseconds(500), &mut left);
        }
        left.sort_unstable();
        prop_assert_eq!(left, (0..requests.len()).collect::<Vec<_>>());
        prop_assert_eq!((queue.rows(), queue.cost, queue.places.len(), queue.deadlines.len()), (0, 0, 0, 0));
    }
}
