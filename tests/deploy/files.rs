//! The examples for Compose and Kubernetes.

use std::path::Path;

use heartline::config::Config;
use heartline::http;
use serde_json::Value;

use super::{documents, read, started, words};

const FILE: &str = "/etc/heartline/heartline.toml";
const KEYS: (&str, &str) = (
    "HEARTLINE_ACCESS__KEYS",
    "[{ name = \"desk\", sha256 = \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\" }]",
);

/// What must hold of the server of either example; `writable` are the folders that it may write to.
fn assert_starts(config: &Config, port: u64, grace_ms: u64, writable: &[&str]) {
    assert_eq!(u64::from(config.server.bind.port()), port);
    assert!(config.server.bind.ip().is_unspecified(), "others must reach it");
    assert!(!config.access.keys.is_empty(), "it would not start without keys");
    assert!(
        grace_ms >= config.server.drain_timeout.as_millis() as u64 + 5_000,
        "{grace_ms} ms are too few to stop"
    );
    let states = config.plugins.state_folder.as_deref().unwrap();
    assert!(writable.iter().any(|folder| states.starts_with(folder)), "{} is read-only", states.display());
    let kernels = config.engine.kernels_folder.as_deref().unwrap();
    assert!(writable.iter().any(|folder| kernels.starts_with(folder)), "{} is read-only", kernels.display());
    let temporary = Path::new("/tmp");
    assert!(writable.iter().any(|folder| Path::new(folder) == temporary), "matchers are copied there");
}

fn asked_by_probes(container: &Value) -> Vec<(&str, &str)> {
    let probe = |kind| {
        let request = &container[kind]["httpGet"];
        (request["path"].as_str().unwrap(), request["port"].as_str().unwrap())
    };
    ["startupProbe", "readinessProbe", "livenessProbe"].map(probe).to_vec()
}

#[test]
fn compose_starts_what_the_program_knows() {
    let compose = documents("deploy/compose.yaml").remove(0);
    let service = &compose["services"]["heartline"];
    let text = read("deploy/heartline.toml");
    let mounted = words(&service["volumes"]);
    assert!(mounted.contains(&format!("./heartline.toml:{FILE}:ro").as_str()), "{mounted:?}");
    let arguments = words(&service["command"]);
    assert_eq!(arguments[1..], ["--config", FILE]);
    let variables: Vec<&str> =
        service["environment"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(variables, [KEYS.0]);
    let config = started(&text, &arguments, &[KEYS]);
    let grace = service["stop_grace_period"].as_str().unwrap().strip_suffix('s').unwrap();
    let port = words(&service["ports"])[0].rsplit(':').next().unwrap().parse().unwrap();
    let temporary = words(&service["tmpfs"])[0];
    assert!(temporary.starts_with("/tmp:exec"), "Docker mounts it so that no program runs from there");
    assert_starts(&config, port, grace.parse::<u64>().unwrap() * 1_000, &["/var/lib/heartline", "/tmp"]);
    assert!(mounted.contains(&"state:/var/lib/heartline"));
    assert_eq!(service["build"]["dockerfile"], "Dockerfile.gpu");
}

#[test]
fn kubernetes_starts_what_the_program_knows() {
    let all = documents("deploy/kubernetes.yaml");
    let of_kind = |kind: &str| all.iter().find(|document| document["kind"] == kind).unwrap();
    let pod = &of_kind("Deployment")["spec"]["template"];
    let container = &pod["spec"]["containers"][0];
    let text = of_kind("ConfigMap")["data"]["heartline.toml"].as_str().unwrap();
    let arguments = words(&container["args"]);
    assert_eq!(arguments[1..], ["--config", FILE]);
    assert_eq!(container["env"][0]["name"], KEYS.0);
    let config = started(text, &arguments, &[KEYS]);

    let mounts = container["volumeMounts"].as_array().unwrap();
    let mounted: Vec<&str> = mounts.iter().map(|mount| mount["mountPath"].as_str().unwrap()).collect();
    let volumes = pod["spec"]["volumes"].as_array().unwrap();
    for mount in mounts {
        assert!(volumes.iter().any(|volume| volume["name"] == mount["name"]), "{mount} is nowhere");
    }
    let port = &container["ports"][0];
    let grace_ms = pod["spec"]["terminationGracePeriodSeconds"].as_u64().unwrap() * 1_000;
    assert_starts(&config, port["containerPort"].as_u64().unwrap(), grace_ms, &mounted);

    let routes = http::route_names();
    for (path, name) in asked_by_probes(container) {
        assert!(routes.contains(&("get", path)), "there is no {path}");
        assert_eq!(port["name"], name);
    }
    let service = of_kind("Service");
    assert_eq!(service["spec"]["ports"][0]["targetPort"], port["name"]);
    let labels = &pod["metadata"]["labels"];
    assert_eq!(&service["spec"]["selector"], labels);
    assert_eq!(&of_kind("Deployment")["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(pod["spec"]["securityContext"]["runAsUser"], 10_001, "the user of the image");
    let claim = volumes.iter().find(|volume| volume["name"] == "state").unwrap();
    let claimed = &of_kind("PersistentVolumeClaim")["metadata"]["name"];
    assert_eq!(&claim["persistentVolumeClaim"]["claimName"], claimed);
}

#[test]
fn both_examples_start_with_the_same_configuration() {
    let all = documents("deploy/kubernetes.yaml");
    let parsed = |text: &str| text.parse::<toml::Table>().unwrap();
    let map = all[0]["data"]["heartline.toml"].as_str().unwrap();
    assert_eq!(parsed(map), parsed(&read("deploy/heartline.toml")));
}
