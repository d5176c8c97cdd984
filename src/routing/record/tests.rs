//! Records in memory and on disk, with stand-ins for matchers.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::archive::{Archive, ArchiveError};
use super::replay::{Found, MatcherSource, ReplayError, Replayer, Wanted};
use super::*;
use crate::routing::rank::fakes::{Broken, Learner, fixed, request, roster, using};
use crate::routing::{
    Filter, Mode, Policy, PolicyBook, Ranking, RankingRequest, Router, RoutingError, Rule, Scorer,
};

type Matchers = Vec<(&'static str, Mode, f32, Arc<dyn Scorer>)>;

fn recording(config: &RecordsConfig, matchers: Matchers) -> Router {
    let (pool, policy) = using(matchers);
    let router = Router::new(pool, PolicyBook::new("default", vec![policy]).unwrap()).unwrap();
    router.with_records(Records::start(config).unwrap())
}

fn on_disk(folder: &Path) -> RecordsConfig {
    RecordsConfig { folder: Some(folder.to_path_buf()), ..RecordsConfig::default() }
}

fn outcome(agent_id: &str, resolved: bool) -> ReportedOutcome {
    ReportedOutcome {
        agent_id: agent_id.to_owned(),
        resolved: Some(resolved),
        transferred: false,
        rating: Some(0.8),
        valence_change: None,
        handling_ms: Some(60_000),
    }
}

/// Gives stand-ins by identifier.
struct Fakes(fn(&Wanted<'_>) -> Result<Arc<dyn Scorer>, String>, AtomicUsize);

impl MatcherSource for Fakes {
    fn matcher(&mut self, wanted: &Wanted<'_>) -> Result<Found, String> {
        self.1.fetch_add(1, Ordering::Relaxed);
        (self.0)(wanted).map(|scorer| Found { scorer, notes: Vec::new() })
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn a_ranking_is_found_again_by_its_identifier() {
    let router =
        recording(&RecordsConfig::default(), vec![("a", Mode::Active, 1.0, fixed(&[0.2, 0.7], 1.0))]);
    let ranking = router.rank(&request(), &roster(2)).unwrap();
    let records = router.records().unwrap();
    let kept = records.find(&ranking.id).unwrap();
    assert_eq!(kept.policy.name, "default");
    assert_eq!(kept.entries[0].agent_id, "agent-1");
    assert!((kept.entries[0].score - ranking.entries[0].score).abs() < 1e-6);
    assert_eq!((kept.eligible, kept.agents, kept.matchers.len()), (2, 2, 1));
    assert!(kept.outcome.is_none() && kept.at_ms > 1_600_000_000_000);
    assert!(records.find("other").is_none());
}

#[test]
fn memory_is_bounded_and_a_shared_roster_counts_once() {
    let config = RecordsConfig { memory_rankings: 3, ..RecordsConfig::default() };
    let router = recording(&config, vec![("a", Mode::Active, 1.0, fixed(&[0.5], 1.0))]);
    let rank = |roster: &Arc<crate::routing::Roster>| router.rank(&request(), roster).unwrap().id;
    let shared = roster(100);
    let ids: Vec<_> = (0..5).map(|_| rank(&shared)).collect();
    let records = router.records().unwrap();
    let found: Vec<bool> = ids.iter().map(|id| records.find(id).is_some()).collect();
    assert_eq!(found, [false, false, true, true, true]);
    let (count, bytes) = records.ring().held();
    assert_eq!(count, 3);
    assert!(bytes < 2 * shared.bytes() + 3 * 8_192, "{bytes}");
    for _ in 0..3 {
        rank(&roster(1));
    }
    assert!(records.ring().held().1 < bytes, "a roster that nobody shares any more is let go");

    let config = RecordsConfig { memory_bytes: 1 << 20, ..RecordsConfig::default() };
    let router = recording(&config, vec![("a", Mode::Active, 1.0, fixed(&[0.5], 1.0))]);
    for _ in 0..8 {
        router.rank(&request(), &roster(1_000)).unwrap();
    }
    let (count, bytes) = router.records().unwrap().ring().held();
    assert!(count < 8 && bytes <= 1 << 20, "{count} {bytes}");
}

#[test]
fn a_ranking_that_nobody_gets_is_not_kept_and_of_others_only_who_was_named() {
    let router = recording(&RecordsConfig::default(), vec![("a", Mode::Active, 1.0, fixed(&[0.5], 1.0))]);
    let (ranking, unkept) = router.rank_unkept(&request(), &roster(9)).unwrap();
    let records = router.records().unwrap();
    assert!(records.find(&ranking.id).is_none());
    router.keep(unkept.unwrap(), 3);
    let kept = records.find(&ranking.id).unwrap();
    assert_eq!((kept.entries.len(), kept.eligible, kept.request.top), (3, 9, Some(3)));
}

#[test]
fn what_waits_for_the_disk_is_bounded_in_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let config = RecordsConfig { memory_bytes: 1 << 20, max_waiting: 100_000, ..on_disk(folder.path()) };
    let router = recording(&config, vec![("a", Mode::Active, 1.0, fixed(&[0.5], 1.0))]);
    let rank = |count| router.rank(&request(), &roster(count)).unwrap();
    // Each of these agents takes more than there is room for, so that hardly one waits beside the one being written.
    (0..40).for_each(|_| drop(rank(5_000)));
    let records = router.records().unwrap();
    records.settle();
    let archive = Archive::folder(folder.path()).unwrap();
    let mut written = 0;
    let mut count = |_| {
        written += 1;
        true
    };
    archive.each(&mut count).unwrap();
    assert!((1..40).contains(&written), "{written}");
    let last = rank(2).id;
    records.settle();
    assert!(Archive::folder(folder.path()).unwrap().find(&last).is_ok(), "there is room again");
}

#[test]
fn an_outcome_is_taken_once_and_told_to_every_matcher() {
    let learner = Arc::new(Learner::default());
    let router = recording(
        &RecordsConfig::default(),
        vec![
            ("learner", Mode::Active, 1.0, Arc::clone(&learner) as Arc<dyn Scorer>),
            ("fixed", Mode::Shadow, 1.0, fixed(&[0.5], 1.0)),
        ],
    );
    let id = router.rank(&request(), &roster(3)).unwrap().id;
    let report = router.conclude(&id, outcome("agent-1", true)).unwrap();
    let learned: Vec<_> =
        report.lessons.iter().map(|lesson| (lesson.matcher.as_str(), lesson.learned)).collect();
    assert_eq!(learned, [("learner", true), ("fixed", false)]);
    assert_eq!(router.conclude(&id, outcome("agent-1", true)).unwrap(), report, "the same again is the same");
    assert!(matches!(router.conclude(&id, outcome("agent-1", false)), Err(RoutingError::OutcomeConflict(_))));
    assert!(matches!(router.conclude(&id, outcome("agent-2", true)), Err(RoutingError::OutcomeConflict(_))));
    let told = learner.told.lock().unwrap();
    assert_eq!((told.len(), told[0].is_resolved, told[0].handling_ms), (1, Some(true), Some(60_000)));
    assert_eq!(router.records().unwrap().find(&id).unwrap().outcome, Some(report));
}

#[test]
fn outcomes_of_nobody_and_out_of_range_are_refused() {
    let router = recording(&RecordsConfig::default(), vec![("a", Mode::Active, 1.0, fixed(&[0.5], 1.0))]);
    let id = router.rank(&request(), &roster(1)).unwrap().id;
    assert!(matches!(
        router.conclude("none", outcome("agent-0", true)),
        Err(RoutingError::UnknownRanking(_))
    ));
    assert!(matches!(router.conclude(&id, outcome("agent-9", true)), Err(RoutingError::Outcome(_))));
    for wrong in [
        ReportedOutcome { rating: Some(1.5), ..outcome("agent-0", true) },
        ReportedOutcome { valence_change: Some(f32::NAN), ..outcome("agent-0", true) },
    ] {
        assert!(matches!(router.conclude(&id, wrong), Err(RoutingError::Outcome(_))));
    }
    router.conclude(&id, outcome("agent-0", true)).unwrap();
}

#[test]
fn of_two_reports_at_once_one_is_told() {
    let learner = Arc::new(Learner::default());
    let router = recording(
        &RecordsConfig::default(),
        vec![("learner", Mode::Active, 1.0, Arc::clone(&learner) as Arc<dyn Scorer>)],
    );
    let id = router.rank(&request(), &roster(1)).unwrap().id;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| router.conclude(&id, outcome("agent-0", true)).unwrap());
        }
    });
    assert_eq!(learner.told.lock().unwrap().len(), 1);
}

/// Ranks three times, with an outcome between, and gives the rankings.
fn recorded(folder: &Path, matchers: Matchers) -> Vec<Ranking> {
    let router = recording(&on_disk(folder), matchers);
    let roster = roster(40);
    let mut rankings = vec![router.rank(&request(), &roster).unwrap()];
    let best = rankings[0].entries[0].agent_id.clone();
    router.conclude(&rankings[0].id, outcome(&best, true)).unwrap();
    rankings.push(router.rank(&request(), &roster).unwrap());
    rankings.push(router.rank(&RankingRequest { top: Some(5), ..request() }, &roster).unwrap());
    router.records().unwrap().settle();
    rankings
}

fn learner_with(wanted: &Wanted<'_>) -> Result<Arc<dyn Scorer>, String> {
    let learner = Learner::default();
    let lessons = wanted.state.as_deref().map_or(0, |bytes| u32::from_le_bytes(bytes.try_into().unwrap()));
    let one = roster(1);
    for _ in 0..lessons {
        let host_request = Arc::new(heartline_plugin_host::ScoreRequest::default());
        learner.learn(&host_request, one.candidates(), &heartline_plugin_host::Outcome::default()).unwrap();
    }
    Ok(Arc::new(learner))
}

#[test]
fn what_is_on_disk_ranks_the_same_again_with_what_was_learned_then() {
    let folder = tempfile::tempdir().unwrap();
    let rankings = recorded(
        folder.path(),
        vec![
            ("learner", Mode::Active, 1.0, Arc::new(Learner::default())),
            ("broken", Mode::Active, 1.0, Arc::new(Broken)),
        ],
    );
    assert_ne!(rankings[0].entries[0].score, rankings[1].entries[0].score, "the outcome changed the scores");
    let archive = Archive::folder(folder.path()).unwrap();
    let mut source = Fakes(learner_with, AtomicUsize::new(0));
    let mut replayer = Replayer::new(&archive, &mut source);
    let mut seen = Vec::new();
    archive
        .each(&mut |record| {
            let replayed = replayer.replay(&record).unwrap();
            assert!(replayed.is_same, "{:?}", replayed.differences);
            assert!(replayed.notes[0].contains("broken had no say"), "{:?}", replayed.notes);
            seen.push(record.id);
            true
        })
        .unwrap();
    let ids: Vec<_> = rankings.iter().map(|ranking| ranking.id.clone()).collect();
    assert_eq!(seen, ids);
    assert_eq!(source.1.load(Ordering::Relaxed), 2, "one matcher for each state, not for each ranking");
    let kinds = files(folder.path());
    let gz = kinds.iter().filter(|path| path.extension().is_some_and(|extension| extension == "gz"));
    assert_eq!(gz.count(), 3, "one roster and two states: {kinds:?}");
}

#[test]
fn a_replay_says_what_differs_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let rankings =
        recorded(folder.path(), vec![("learner", Mode::Active, 1.0, Arc::new(Learner::default()))]);
    let archive = Archive::folder(folder.path()).unwrap();
    for state in files(&folder.path().join("states")) {
        std::fs::remove_file(state).unwrap();
    }
    let mut source = Fakes(learner_with, AtomicUsize::new(0));
    let replayed =
        Replayer::new(&archive, &mut source).replay(&archive.find(&rankings[1].id).unwrap()).unwrap();
    assert!(!replayed.is_same && replayed.differences[0].contains("place 1"), "{replayed:?}");
    assert!(replayed.notes[0].contains("learner") && replayed.notes[0].contains("learned"), "{replayed:?}");

    let mut none = Fakes(|_| Err("there is no library".to_owned()), AtomicUsize::new(0));
    let error =
        Replayer::new(&archive, &mut none).replay(&archive.find(&rankings[0].id).unwrap()).unwrap_err();
    assert!(matches!(&error, ReplayError::Matcher { id, .. } if id == "learner"), "{error}");

    let roster = files(&folder.path().join("rosters")).remove(0);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, b"[]").unwrap();
    std::fs::write(&roster, encoder.finish().unwrap()).unwrap();
    let record = archive.find(&rankings[0].id).unwrap();
    assert!(matches!(archive.roster(&record), Err(ArchiveError::Changed { .. })));
    std::fs::remove_file(roster).unwrap();
    assert!(matches!(archive.roster(&record), Err(ArchiveError::NoRoster(_))));
    assert!(matches!(archive.find("none"), Err(ArchiveError::NoRanking(_))));
}

#[test]
fn a_state_that_nobody_could_look_at_is_said_and_not_taken_for_none() {
    struct Silent(Learner);
    impl Scorer for Silent {
        fn identity(&self) -> crate::routing::Identity {
            self.0.identity()
        }
        fn score(
            &self,
            request: &Arc<heartline_plugin_host::ScoreRequest>,
            candidates: &Arc<heartline_plugin_host::Candidates>,
        ) -> Result<heartline_plugin_host::Scored, heartline_plugin_host::HostError> {
            self.0.score(request, candidates)
        }
        fn state(&self) -> Result<Option<Vec<u8>>, heartline_plugin_host::HostError> {
            Err(heartline_plugin_host::HostError::Busy { id: "silent".to_owned() })
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let rankings = recorded(
        folder.path(),
        vec![("learner", Mode::Active, 1.0, Arc::new(Silent(Learner::default())) as Arc<dyn Scorer>)],
    );
    let archive = Archive::folder(folder.path()).unwrap();
    let mut source = Fakes(learner_with, AtomicUsize::new(0));
    let record = archive.find(&rankings[0].id).unwrap();
    let replayed = Replayer::new(&archive, &mut source).replay(&record).unwrap();
    assert!(replayed.notes[0].contains("nobody knows") && replayed.notes[0].contains("busy"), "{replayed:?}");
}

#[test]
fn another_policy_says_what_would_change() {
    let folder = tempfile::tempdir().unwrap();
    let scores: Vec<f32> = (0..40).map(|row| row as f32 / 40.0).collect();
    let rankings = recorded(folder.path(), vec![("a", Mode::Active, 1.0, fixed(&scores, 1.0))]);
    let archive = Archive::folder(folder.path()).unwrap();
    let record = archive.find(&rankings[2].id).unwrap();
    let mut source = Fakes(
        |_| Ok(fixed(&(0..40).map(|row| row as f32 / 40.0).collect::<Vec<_>>(), 1.0)),
        AtomicUsize::new(0),
    );
    let mut replayer = Replayer::new(&archive, &mut source);
    let same = replayer.what_if(&record, &record.policy).unwrap();
    assert!(!same.first_differs && same.moved == 0 && same.moves.is_empty(), "{same:?}");
    let agents = vec!["agent-39".to_owned()];
    let filter = Filter { name: "not-the-best".to_owned(), require: Rule::NotAgents { agents } };
    let policy = Policy { filters: vec![filter], ..record.policy.clone() };
    let other = replayer.what_if(&record, &policy).unwrap();
    assert_eq!(
        (other.first_before.as_deref(), other.first_after.as_deref()),
        (Some("agent-39"), Some("agent-38"))
    );
    assert_eq!((other.moved, other.eligible_before, other.eligible_after), (5, 40, 39));
    assert_eq!((other.moves[0].before, other.moves[0].after), (Some(1), None));
    assert!(other.moves.iter().any(|change| change.before.is_none()), "somebody comes up from below");
    let expected = (39.0 + 4.0) / 5.0;
    assert!((other.mean_displacement - expected).abs() < 1e-4, "{}", other.mean_displacement);
}

#[test]
fn a_line_that_was_cut_off_is_left_out_and_a_damaged_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    recorded(folder.path(), vec![("a", Mode::Active, 1.0, fixed(&[0.5], 1.0))]);
    let lines = files(folder.path()).into_iter().find(|path| Archive::is_file_name(path)).unwrap();
    let whole = std::fs::read_to_string(&lines).unwrap();
    let count = |archive: &Archive| {
        let mut count = 0;
        archive.each(&mut |_| {
            count += 1;
            true
        })?;
        Ok::<usize, ArchiveError>(count)
    };
    assert_eq!(count(&Archive::file(&lines)).unwrap(), 3);
    std::fs::write(&lines, &whole[..whole.len() - 20]).unwrap();
    assert_eq!(count(&Archive::file(&lines)).unwrap(), 2);
    std::fs::write(&lines, format!("{whole}nonsense\n")).unwrap();
    assert!(matches!(count(&Archive::file(&lines)), Err(ArchiveError::Damaged { line: 5, .. })));
    std::fs::write(&lines, whole.replacen("\"version\":1", "\"version\":9", 1)).unwrap();
    let error = count(&Archive::file(&lines)).unwrap_err().to_string();
    assert!(error.contains("newer"), "{error}");
}

#[test]
fn the_customers_words_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let router = recording(&on_disk(folder.path()), vec![("a", Mode::Active, 1.0, fixed(&[0.5], 1.0))]);
    let mut asked = request();
    asked.emotion.concern_issue = Some(crate::emotion::Concern {
        issue: "Rumpelstiltskin".to_owned(),
        topic: "refund".to_owned(),
        score: 0.9,
        count: 2,
        spans: Vec::new(),
    });
    let id = router.rank(&asked, &roster(1)).unwrap().id;
    let records = router.records().unwrap();
    records.settle();
    let kept = records.find(&id).unwrap();
    assert_eq!(kept.request.emotion.concern_issue.unwrap().issue, "refund");
    for path in files(folder.path()) {
        assert!(!String::from_utf8_lossy(&std::fs::read(path).unwrap()).contains("Rumpelstiltskin"));
    }
}

#[test]
fn without_a_folder_there_is_no_file_and_a_full_disk_of_records_makes_room() {
    assert!(!Records::start(&RecordsConfig::default()).unwrap().is_on_disk());
    let folder = tempfile::tempdir().unwrap();
    let config = RecordsConfig { max_bytes: 1 << 20, ..on_disk(folder.path()) };
    let router = recording(&config, vec![("a", Mode::Active, 1.0, fixed(&[0.5], 1.0))]);
    let roster = roster(1_000);
    for _ in 0..300 {
        router.rank(&request(), &roster).unwrap();
        if router.records().is_some_and(|records| records.ring().held().0 % 50 == 0) {
            router.records().unwrap().settle();
        }
    }
    router.records().unwrap().settle();
    let bytes: u64 = files(folder.path()).iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!(bytes <= (1 << 20) + (1 << 17), "{bytes}");
    assert!(bytes > 1 << 18, "some are kept: {bytes}");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_said_at_the_start() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Records::start(&on_disk(&file.path().join("records"))).err().unwrap();
    assert!(error.to_string().contains("routing.records.folder"), "{error}");
}
