//! Configurations good and bad, from every source.

use std::path::Path;

use serde_json::Value;

use super::raw::RawConfig;
use super::read::plain;

use super::{Config, ConfigErrors, ConfigFault, IsolationChoice, Origin, Sources, VARIABLE_PREFIX};
use crate::routing::Mode;

const EXAMPLE: &str = "docs/heartline.example.toml";
const HANDBOOK: &str = "docs/configuration.md";

fn load(text: &str, variables: &[(&str, &str)], overrides: &[&str]) -> Result<Config, ConfigErrors> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("heartline.toml");
    std::fs::write(&file, text).unwrap();
    Config::from_sources(&Sources {
        file: Some(file),
        variables: variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        overrides: overrides.iter().map(ToString::to_string).collect(),
    })
}

fn faults(text: &str) -> Vec<ConfigFault> {
    load(text, &[], &[]).unwrap_err().faults
}

fn fault<'a>(faults: &'a [ConfigFault], key: &str) -> &'a ConfigFault {
    faults.iter().find(|fault| fault.key == key).unwrap_or_else(|| panic!("{key} is not in {faults:#?}"))
}

/// Every key with its default, by path.
fn leaves() -> Vec<(String, Value)> {
    fn walk(path: &str, value: &Value, found: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(table) if !table.is_empty() => {
                for (key, value) in table {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    walk(&path, value, found);
                }
            }
            value => found.push((path.to_owned(), value.clone())),
        }
    }
    let mut found = Vec::new();
    walk("", &serde_json::to_value(RawConfig::default()).unwrap(), &mut found);
    found
}

#[test]
fn no_file_gives_the_defaults() {
    let config = Config::from_sources(&Sources::default()).unwrap();
    assert_eq!(config.server.bind.to_string(), "127.0.0.1:8080");
    assert_eq!(config.engine.models_folder, Path::new("models/weights"));
    assert_eq!(config.plugins.matchers.len(), 3);
    assert_eq!(config.plugins.folder, None);
}

#[test]
fn a_file_may_set_any_part() {
    let text = "version = 1\n[engine]\ndevice = \"cuda:1\"\n[[plugins.matchers]]\npath = \"a.so\"\nid = \"b\"\n\
                isolation = \"process\"\nconfig = { deep = { list = [1, 2.5] } }\n";
    let config = load(text, &[], &[]).unwrap();
    assert_eq!(config.engine.device.to_string(), "cuda:1");
    assert_eq!(config.engine.queue_rows, 256, "what is not set keeps its default");
    let [matcher] = config.plugins.matchers.as_slice() else { panic!("the list replaces the default") };
    assert_eq!((matcher.id.as_deref(), matcher.isolation), (Some("b"), IsolationChoice::Process));
    assert_eq!(matcher.config["deep"]["list"][1], 2.5);
}

#[test]
fn the_environment_wins_over_the_file_and_a_flag_over_both() {
    let text = "version = 1\n[engine]\nqueue_rows = 100\nmax_batch_rows = 10\nwarm_up = false\n";
    let variables = [
        ("HEARTLINE_ENGINE__QUEUE_ROWS", "200"),
        ("HEARTLINE_ENGINE__MAX_BATCH_ROWS", "20"),
        ("HEARTLINE_PLUGINS__FOLDER", "/opt/plugins"),
        ("HEARTLINE_PORT", "tcp://10.0.0.1:80"),
        ("OTHER__KEY", "1"),
    ];
    let config = load(text, &variables, &["engine.queue_rows=300", "server.bind = [::1]:9"]).unwrap();
    assert_eq!(config.engine.queue_rows, 300);
    assert_eq!(config.engine.max_batch_rows, 20);
    assert!(!config.engine.warm_up);
    assert_eq!(config.plugins.folder.as_deref(), Some(Path::new("/opt/plugins")));
    assert_eq!(config.server.bind.port(), 9);
}

#[test]
fn a_whole_list_can_be_set_from_outside() {
    let policies = "routing.policies=[{ name = \"default\", matchers = [{ id = \"x\", mode = \"off\" }] }]";
    let config = load("version = 1", &[], &[policies]).unwrap();
    assert_eq!(config.routing.policies[0].matchers[0].mode, Mode::Off);
    let config = load("version = 1", &[("HEARTLINE_PLUGINS__MATCHERS", "[]")], &[]).unwrap();
    assert!(config.plugins.matchers.is_empty());
}

#[test]
fn unknown_keys_are_named_with_those_that_were_expected() {
    let found = faults("version = 1\nengin = 3\n[engine]\nqueue_row = 5\n[telemetry]\nzzz = 1\n");
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(fault(&found, "engin").advice.starts_with("did you mean \"engine\"?"));
    let row = fault(&found, "engine.queue_row");
    assert_eq!(row.problem, "unknown key \"queue_row\"");
    assert!(row.advice.starts_with("did you mean \"queue_rows\"?"), "{}", row.advice);
    assert!(row.advice.contains("models_folder"), "{}", row.advice);
    assert_eq!(
        fault(&found, "telemetry.zzz").advice,
        "expected one of: log_format, log_filter, otlp_endpoint, trace_sample_ratio"
    );
}

#[test]
fn all_faults_are_reported_at_once_with_their_sources() {
    let text = "version = 1\n[server]\nbind = \"here\"\nmax_body_bytes = \"big\"\n[engine]\ndevice = \"gpu\"\n\
                queue_rows = 0\n[[plugins.matchers]]\npath = \"a.so\"\nisolation = \"on\"\nconfg = 3\n\
                [[plugins.matchers]]\ndeadline_ms = 1\n[[plugins.matchers]]\npath = \"c.so\"\ndeadline_ms = 0\n";
    let variables = [("HEARTLINE_ENGINE__DEADLINE_MS", "soon"), ("HEARTLINE_SERVER__COLOUR", "red")];
    let errors = load(text, &variables, &["telemetry.log_filter=heartline=loud", "nonsense"]).unwrap_err();
    let keys: Vec<&str> = errors.faults.iter().map(|fault| fault.key.as_str()).collect();
    for key in [
        "server.bind",
        "server.max_body_bytes",
        "server.colour",
        "engine.device",
        "engine.queue_rows",
        "engine.deadline_ms",
        "plugins.matchers[0].isolation",
        "plugins.matchers[0].confg",
        "plugins.matchers[1]",
        "telemetry.log_filter",
        "",
    ] {
        assert!(keys.contains(&key), "{key} is not in {errors}");
    }
    let origin = |key| fault(&errors.faults, key).origin.clone();
    assert_eq!(origin("engine.deadline_ms"), Origin::Variable("HEARTLINE_ENGINE__DEADLINE_MS".to_owned()));
    assert_eq!(origin("telemetry.log_filter"), Origin::Flag);
    assert!(matches!(origin("server.bind"), Origin::File(_)));
    assert!(fault(&errors.faults, "plugins.matchers[0].confg").advice.contains("did you mean \"config\"?"));
    assert!(fault(&errors.faults, "engine.device").problem.contains("expected auto, cpu or cuda:N"));
    assert!(errors.to_string().starts_with("the configuration has "), "{errors}");
}

#[test]
fn a_collector_is_named_by_an_address_without_encryption() {
    let found = faults(
        "version = 1\n[telemetry]\notlp_endpoint = \"https://collector:4317\"\ntrace_sample_ratio = 2.0\n",
    );
    assert!(fault(&found, "telemetry.otlp_endpoint").problem.contains("without encryption"));
    assert!(fault(&found, "telemetry.trace_sample_ratio").advice.contains("0 to 1"));
}

#[test]
fn positions_in_lists_are_those_of_the_file() {
    let text = "version = 1\n[[plugins.matchers]]\nid = \"a\"\n[[plugins.matchers]]\npath = \"b.so\"\n\
                [[plugins.matchers]]\npath = 3\n[[plugins.matchers]]\npath = \"d.so\"\ndeadline_ms = \"x\"\n";
    let found = faults(text);
    let keys: Vec<&str> = found.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(keys, ["plugins.matchers[0]", "plugins.matchers[2].path", "plugins.matchers[3].deadline_ms"]);
}

#[test]
fn a_file_must_name_a_version_that_is_known() {
    assert!(fault(&faults("[engine]\n"), "version").advice.contains("version = 1"));
    let found = faults("version = 2\n[engine]\nqueue_rows = 0\n");
    assert!(fault(&found, "version").problem.contains("version 2 is not known"));
    assert_eq!(found.len(), 2, "the rest is checked all the same: {found:#?}");
    assert_eq!(faults("version = \"1\"\n").len(), 1);
    assert_eq!(load("version = 1", &[], &["version=3"]).unwrap_err().faults[0].origin, Origin::Flag);
}

#[test]
fn what_is_no_configuration_is_refused() {
    let found = faults("version = = 1");
    assert!(found[0].problem.contains("not TOML"), "{found:?}");
    let missing = Sources { file: Some("/nowhere/heartline.toml".into()), ..Sources::default() };
    let error = Config::from_sources(&missing).unwrap_err();
    assert!(error.to_string().contains("/nowhere/heartline.toml: the file cannot be read"), "{error}");
    let long = format!("version = 1\n#{}", "x".repeat(1 << 20));
    assert!(faults(&long)[0].problem.contains("more than the limit"));
    assert!(fault(&faults("version = 1\nserver = 3\n"), "server").advice.contains("max_body_bytes"));
    let infinite = faults(
        "version = 1\n[[routing.policies]]\nname = \"default\"\n[[routing.policies.matchers]]\nid = \"a\"\n\
                         weight = inf\n",
    );
    assert_eq!(infinite.len(), 1, "{infinite:#?}");
    assert!(fault(&infinite, "routing.policies[0].matchers[0].weight").problem.contains("finite"));
    assert!(!faults("version = 1\n[engine]\nqueue_rows = -1\n").is_empty());
    assert!(!faults("version = 1\n[engine]\nqueue_rows = 1.5\n").is_empty());
}

/// Whole numbers with their lowest and highest value.
const BOUNDS: &[(&str, u64, u64)] = &[
    ("server.max_body_bytes", 1 << 10, 1 << 30),
    ("server.request_timeout_ms", 100, 600_000),
    ("server.max_concurrent_requests", 1, 10_000),
    ("server.drain_timeout_ms", 0, 600_000),
    ("engine.queue_rows", 1, 100_000),
    ("engine.max_batch_rows", 1, 1024),
    ("engine.batch_delay_ms", 0, 1000),
    ("engine.deadline_ms", 10, 600_000),
    ("engine.max_faces_per_frame", 1, 64),
    ("server.max_connections", 1, 100_000),
    ("server.header_timeout_ms", 100, 600_000),
    ("server.body_timeout_ms", 100, 600_000),
    ("server.min_body_bytes_per_second", 1, 1 << 30),
    ("inference.max_streams", 1, 10_000),
    ("engine.max_batch_tokens", 512, 1_000_000),
    ("engine.stall_ms", 1000, 3_600_000),
    ("webhooks.timeout_ms", 100, 600_000),
    ("webhooks.max_attempts", 1, 100),
    ("webhooks.retry_ms", 10, 600_000),
    ("webhooks.max_backlog", 1, 1_000_000),
    ("telephony.max_message_bytes", 1_024, 16 << 20),
    ("telephony.reorder_chunks", 0, 64),
    ("telephony.max_faults", 0, 1_000_000),
    ("telephony.max_parameters", 0, 1_000),
    ("telephony.max_parameter_bytes", 1, 65_536),
    ("telephony.start_timeout_ms", 100, 600_000),
    ("routing.limits.max_agents", 1, 1_000_000),
    ("routing.limits.max_skills", 1, 4_096),
    ("routing.limits.max_languages", 1, 1_024),
    ("routing.limits.max_name_characters", 1, 4_096),
    ("routing.limits.max_attributes", 1, 1_024),
    ("routing.limits.max_attribute_characters", 1, 4_096),
    ("routing.records.max_bytes", 1 << 20, 1 << 44),
    ("routing.records.max_age_hours", 1, 87_600),
    ("routing.records.max_waiting", 1, 100_000),
    ("routing.records.memory_rankings", 1, 1_000_000),
    ("routing.records.memory_bytes", 1 << 20, 1 << 36),
    ("plugins.max_generations", 1, 1_000),
    ("plugins.slow_deadline_ms", 100, 600_000),
    ("plugins.state_interval_ms", 100, 86_400_000),
    ("plugins.breaker.failures", 1, 1_000),
    ("plugins.breaker.back_off_ms", 1, 86_400_000),
    ("plugins.breaker.max_back_off_ms", 1, 86_400_000),
    ("plugins.process.memory_bytes", 64 << 20, 1 << 40),
    ("webrtc.max_peers", 1, 10_000),
    ("webrtc.connect_timeout_ms", 100, 600_000),
];

/// Every bound, with the values just past it.
#[test]
fn every_bound_is_enforced_on_both_sides() {
    let longest = "plugins.breaker.max_back_off_ms=86400000";
    let wide =
        ["engine.queue_rows=100000", "server.request_timeout_ms=600000", "engine.deadline_ms=100", longest];
    let narrow = ["engine.max_batch_rows=1", "engine.deadline_ms=10", "plugins.breaker.back_off_ms=1"];
    let check = |key: &str, value: u64, around: &[&str]| {
        let setting = format!("{key}={value}");
        let mut settings = around.to_vec();
        settings.push(&setting);
        load("version = 1", &[], &settings).map_err(|errors| errors.faults)
    };
    for (key, lowest, highest) in BOUNDS {
        check(key, *lowest, &narrow).unwrap_or_else(|found| panic!("{key}: {found:#?}"));
        check(key, *highest, &wide).unwrap_or_else(|found| panic!("{key}: {found:#?}"));
        let above = check(key, highest + 1, &wide).unwrap_err();
        assert!(fault(&above, key).problem.contains(&(highest + 1).to_string()), "{above:#?}");
        if let Some(below) = lowest.checked_sub(1) {
            let below = check(key, below, &narrow).unwrap_err();
            assert!(fault(&below, key).to_string().contains(&highest.to_string()), "{below:#?}");
        }
    }
    // The numbers of media, fusion and live calls have their bounds and tests in their own rooms, fractions a test below.
    let numbers = leaves().into_iter().filter(|(key, value)| value.is_number() && key != "version");
    let elsewhere = ["media.", "fusion.", "live.", "telemetry.trace_sample_ratio"];
    for (key, _) in numbers.filter(|(key, _)| !elsewhere.iter().any(|start| key.starts_with(start))) {
        assert!(BOUNDS.iter().any(|(bounded, ..)| *bounded == key), "{key} has no bound here");
    }
}

#[test]
fn keys_that_contradict_each_other_are_refused() {
    let text = "version = 1\n[server]\nrequest_timeout_ms = 1000\n[engine]\nqueue_rows = 8\n";
    let found = faults(text);
    assert!(fault(&found, "engine.deadline_ms").problem.contains("server.request_timeout_ms"));
    assert!(fault(&found, "engine.max_batch_rows").problem.contains("engine.queue_rows"));
}

#[test]
fn names_and_paths_have_bounds_too() {
    let text = "version = 1\n[engine]\nmodels_folder = \"\"\n[routing]\npolicy = \"\"\n[[plugins.matchers]]\n\
                path = \"\"\n[[routing.policies]]\nname = \"a\"\nmatchers = [{ id = \"a\", weight = 1000.5 }]\n";
    let found = faults(text);
    for key in [
        "engine.models_folder",
        "routing.policy",
        "plugins.matchers[0].path",
        "routing.policies[0].matchers[0].weight",
    ] {
        fault(&found, key);
    }
    let many = format!("version = 1\n{}", "[[plugins.matchers]]\npath = \"a\"\n".repeat(33));
    assert!(fault(&faults(&many), "plugins.matchers").problem.contains("33"));
}

#[test]
fn sections_of_other_rooms_are_checked_under_their_own_keys() {
    let text = "version = 1\n[media]\nmax_channels = 0\nmax_frame = 3\n[fusion.voice]\nreliability = 1.5\n\
                [fusion.prior]\nneutral = 0.9\n[fusion.memory]\nvalence = 3\n[routing.limits]\nmax_skills = 0\n\
                [privacy]\nagent_biometrics_basis = \" \"\n";
    let found = faults(text);
    assert!(fault(&found, "media.max_frame").advice.contains("did you mean \"max_frames\"?"));
    assert!(fault(&found, "fusion.memory.valence").advice.contains("valence_ms"));
    for key in [
        "media.max_channels",
        "fusion.voice.reliability",
        "fusion.prior",
        "routing.limits.max_skills",
        "privacy.agent_biometrics_basis",
    ] {
        fault(&found, key);
    }
    assert_eq!(found.len(), 7, "{found:#?}");
}

#[test]
fn one_number_of_another_room_can_be_set_from_outside() {
    let variables = [("HEARTLINE_FUSION__VOICE__RELIABILITY", "0.5"), ("HEARTLINE_MEDIA__MAX_FRAMES", "7")];
    let config = load("version = 1", &variables, &["plugins.breaker.failures=5"]).unwrap();
    assert!((config.fusion.voice.reliability - 0.5).abs() < f32::EPSILON);
    assert_eq!(config.fusion.voice.half_life_ms, 20_000);
    assert_eq!(config.media.max_frames, 7);
    assert_eq!(config.plugins.breaker.failures, 5);
    let found = load("version = 1", &[], &["fusion.voice.reliability=high"]).unwrap_err().faults;
    assert_eq!(fault(&found, "fusion.voice.reliability").advice, "the default is 1.0");
}

/// The example as it is, and with its optional keys uncommented.
fn examples() -> [String; 2] {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(EXAMPLE)).unwrap();
    let uncommented = text
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n");
    [text, uncommented]
}

#[test]
fn the_example_can_be_loaded_and_states_the_defaults() {
    let [text, uncommented] = examples();
    let config = load(&text, &[], &[]).unwrap_or_else(|errors| panic!("{errors}"));
    let default = Config::from_sources(&Sources::default()).unwrap();
    assert_eq!(format!("{config:?}"), format!("{default:?}"));
    load(&uncommented, &[], &[]).unwrap_or_else(|errors| panic!("{errors}"));
}

#[test]
fn the_example_and_the_handbook_list_every_key() {
    let [_, uncommented] = examples();
    let table: toml::Table = toml::from_str(&uncommented).unwrap();
    let handbook = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(HANDBOOK)).unwrap();
    for (path, default) in leaves() {
        let mut keys = path.split('.');
        let first = keys.next().and_then(|key| table.get(key));
        let found = keys.try_fold(first, |value, key| Some(value?.as_table()?.get(key))).flatten();
        assert!(found.is_some(), "{path} is not in {EXAMPLE}");
        let row = handbook.lines().find(|line| line.starts_with(&format!("| `{path}` |")));
        let row = row.unwrap_or_else(|| panic!("{path} has no row in {HANDBOOK}"));
        if path != "version" {
            let variable = format!("`{VARIABLE_PREFIX}{}`", path.to_uppercase().replace('.', "__"));
            assert!(row.contains(&variable), "{variable} is not in {row}");
        }
        if !default.is_array() && !default.is_null() {
            let default = plain(&default).replace('"', "");
            assert!(row.contains(&format!("`{default}`")), "the default {default} is not in {row}");
        }
    }
}

#[test]
fn half_precision_needs_a_gpu() {
    let text = "version = 1\n[engine]\nprecision = \"f16\"\ndevice = ";
    let found = faults(&format!("{text}\"cpu\""));
    assert!(fault(&found, "engine.precision").problem.contains("computes in f32, not in f16"));
    for device in ["auto", "flex", "cuda:0"] {
        assert!(load(&format!("{text}\"{device}\""), &[], &[]).is_ok(), "{device}");
    }
    let found = faults("version = 1\n[engine]\nprecision = \"f8\"\ndevice = \"cuda:0,0\"");
    assert!(fault(&found, "engine.precision").problem.contains("expected auto, f32, f16 or bf16"));
    assert!(fault(&found, "engine.device").problem.contains("cuda:N,M"));
}
