//! One ranking by the three shipped matchers, through the policy, from a roster to the ten best in order; and each matcher
//! alone.
//!
//! The matchers are shared libraries: `cargo build --release` puts them beside the program, where this looks for them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use heartline::emotion::{FusionConfig, fuse};
use heartline::routing::{
    Agent, MatcherUse, Mode, PluginScorer, Policy, PolicyBook, Ranking, RankingRequest, Roster, Router,
    RoutingLimits, Scorer, SkillNeed, parse_agents,
};
use heartline_plugin_host::{Host, HostLimits, library_file_name};

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
const MATCHERS: [&str; 3] = ["skill", "attitude", "language"];
const SKILLS: [&str; 6] = ["refund", "billing", "delivery", "account", "technical", "cancellation"];
const LANGUAGES: [&str; 5] = ["en", "zh", "es", "de", "en-GB"];
const LEVELS: [&str; 5] = ["B1", "B2", "C1", "C2", "native"];

/// Agents that differ in everything a matcher looks at, the same at every run.
fn agents(count: usize) -> Vec<Agent> {
    let agent = |index: usize| {
        serde_json::json!({
            "id": format!("agent-{index:05}"),
            "skills": {SKILLS[index % 6]: index % 5 + 1, SKILLS[(index / 6 + 1) % 6]: (index / 5) % 5 + 1},
            "languages": {LANGUAGES[index % 5]: LEVELS[(index / 5) % 5]},
            "attitude": {"warmth": (index % 11) as f32 / 10.0, "calm": (index % 7) as f32 / 6.0, "patience": 0.5},
            "active_tasks": index % 3,
            "capacity": 3,
            "idle_ms": index * 37 % 600_000,
            "outcomes": {"resolved": index % 90, "unresolved": index % 17},
        })
    };
    let list = serde_json::Value::Array((0..count).map(agent).collect()).to_string();
    match parse_agents(list.as_bytes(), &RoutingLimits::default()) {
        Ok(agents) => agents,
        Err(error) => unreachable!("{error}"),
    }
}

fn request() -> RankingRequest {
    let need = |name: &str, must_have| SkillNeed { name: name.to_owned(), level: 3.0, must_have };
    RankingRequest {
        language: Some("en".to_owned()),
        needed_skills: vec![need("refund", true), need("billing", false)],
        complexity: 0.5,
        waiting_ms: 60_000,
        top: Some(10),
        ..RankingRequest::new(fuse(&[], None, &FusionConfig::default()).vector)
    }
}

/// Where cargo puts the workspace's shared libraries: the folder above a bench's own.
fn library_folder() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    program.parent().and_then(Path::parent).map(Path::to_owned)
}

fn router(folder: &Path, names: &[&str]) -> Result<Router, String> {
    let host = Host::new(HostLimits::default());
    let mut pool: BTreeMap<String, Arc<dyn Scorer>> = BTreeMap::new();
    let mut uses = Vec::new();
    for name in names {
        let path = folder.join(library_file_name(&format!("heartline-{name}")));
        let matcher = host.load(&path, "{}").map_err(|error| error.to_string())?;
        let id = matcher.descriptor().id.clone();
        uses.push(MatcherUse { id: id.clone(), weight: 1.0, mode: Mode::Active });
        let scorer = PluginScorer::new(Arc::new(matcher));
        pool.insert(id, Arc::new(scorer));
    }
    let policy = Policy { matchers: uses, ..Policy::default() };
    let book = PolicyBook::new("default", vec![policy]);
    book.and_then(|book| Router::new(pool, book)).map_err(|error| error.to_string())
}

fn ranking(criterion: &mut Criterion) {
    let request = request();
    let mut group = criterion.benchmark_group("ranking");
    for count in SIZES {
        let Ok(roster) = Roster::new(agents(count)) else { return };
        group.throughput(Throughput::Elements(count as u64));
        let alone = MATCHERS.iter().map(|name| (*name, vec![*name]));
        for (label, names) in alone.chain([("all", MATCHERS.to_vec())]) {
            measure(&mut group, BenchmarkId::new(label, count), (&names, &request, &roster));
        }
    }
    group.finish();
}

/// Measures one ranking again and again. A matcher that is late would make it look fast, so failures are counted.
#[expect(clippy::print_stderr, reason = "a bench that measures nothing must say so")]
fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    (names, request, roster): (&[&str], &RankingRequest, &Arc<Roster>),
) {
    let Some(folder) = library_folder() else { return };
    let router = match router(&folder, names) {
        Ok(router) => router,
        Err(error) => {
            eprintln!("SKIPPED ranking {names:?}: {error}; run cargo build --release first");
            return;
        }
    };
    let mut failed = 0;
    group.bench_function(id, |bencher| {
        bencher.iter(|| {
            let ranking = router.rank(request, roster);
            let is_whole = |ranking: &Ranking| ranking.matchers.iter().all(|report| report.error.is_none());
            failed += u32::from(!ranking.as_ref().is_ok_and(is_whole));
            ranking
        });
    });
    if failed > 0 {
        eprintln!("{failed} rankings of {names:?} lacked a matcher: these times say nothing");
    }
}

criterion_group!(benches, ranking);
criterion_main!(benches);
