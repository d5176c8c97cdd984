//! Dependencies between our crates point one way.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// The only edges that may be there: who, and on whom. The client library stands alone: other people build against it,
/// and a client needs no model and no matcher.
const ALLOWED: [(&str, &str); 8] = [
    ("heartline", "heartline-models"),
    ("heartline", "heartline-plugin-host"),
    ("heartline-train", "heartline-models"),
    ("heartline-plugin-sdk", "heartline-plugin-abi"),
    ("heartline-plugin-host", "heartline-plugin-abi"),
    ("heartline-skill", "heartline-plugin-sdk"),
    ("heartline-attitude", "heartline-plugin-sdk"),
    ("heartline-language", "heartline-plugin-sdk"),
];

/// Crates that only the models may use, and crates that only the plugin host may use.
const QUARANTINED: [(&str, &[&str]); 2] =
    [("burn", &["heartline-models", "heartline-train"]), ("libloading", &["heartline-plugin-host"])];

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(super::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn dependencies(package: &Value) -> impl Iterator<Item = &str> {
    // Tests may use whatever they need; what ships may not.
    let shipped = package["dependencies"].as_array().unwrap().iter().filter(|found| found["kind"].is_null());
    shipped.map(|found| found["name"].as_str().unwrap())
}

#[test]
fn our_crates_depend_one_way() {
    let packages = packages();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    assert_eq!(ours.len(), 10, "{ours:?}");
    for package in &packages {
        let name = package["name"].as_str().unwrap();
        for dependency in dependencies(package).filter(|dependency| ours.contains(dependency)) {
            assert!(ALLOWED.contains(&(name, dependency)), "{name} may not depend on {dependency}");
        }
    }
}

#[test]
fn heavy_and_unsafe_crates_stay_in_their_rooms() {
    for package in &packages() {
        let name = package["name"].as_str().unwrap();
        for (quarantined, rooms) in QUARANTINED {
            let used = dependencies(package).any(|dependency| dependency == quarantined);
            assert!(!used || rooms.contains(&name), "{name} may not depend on {quarantined}");
        }
    }
}

#[test]
fn the_abi_depends_on_nothing() {
    let packages = packages();
    let abi = packages.iter().find(|package| package["name"] == "heartline-plugin-abi").unwrap();
    assert_eq!(dependencies(abi).count(), 0);
}
