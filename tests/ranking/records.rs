//! Rankings on disk, made again by the program.

use serde_json::{Value, json};

use crate::support::{build, order, rank, replay, send};

/// Ranks thrice into a folder, with an outcome between, and gives the identifiers.
async fn recorded(folder: &std::path::Path) -> Vec<String> {
    let app = build(&[&format!("routing.records.folder={}", folder.display())]);
    let mut ids = Vec::new();
    for keys in [json!({}), json!({"policy": "kind"}), json!({"top": 1, "interpreter": true})] {
        let ranking = rank(&app, keys).await.expect(200);
        let id = ranking["id"].as_str().unwrap().to_owned();
        let outcome = json!({"agent_id": "friendly", "resolved": true, "rating": 0.9});
        send(&app, "POST", &format!("/v1/rankings/{id}/outcome"), Some(&outcome)).await.expect(200);
        ids.push(id);
    }
    app.stop().await;
    ids
}

fn lines(output: &str) -> Vec<Value> {
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_ranking_comes_out_the_same_offline() {
    let folder = tempfile::tempdir().unwrap();
    let ids = recorded(folder.path()).await;
    let run = replay(folder.path(), &["--json"]);
    assert_eq!(run.code, 0, "{}{}", run.output, run.faults);
    let lines = lines(&run.output);
    let found: Vec<_> = lines[..3].iter().map(|line| line["id"].as_str().unwrap()).collect();
    assert_eq!(found, ids);
    assert!(lines[..3].iter().all(|line| line["is_same"] == true), "{}", run.output);
    assert_eq!((&lines[3]["rankings"], &lines[3]["same"]), (&json!(3), &json!(3)));

    let one = replay(folder.path(), &[&ids[1]]);
    assert_eq!(one.code, 0, "{}{}", one.output, one.faults);
    assert!(one.output.contains("1 rankings: 1 the same"), "{}", one.output);
    assert_eq!(replay(folder.path(), &["0190-none"]).code, 69);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_policy_is_tried_on_what_was_ranked() {
    let folder = tempfile::tempdir().unwrap();
    let ids = recorded(folder.path()).await;
    let by_name = replay(folder.path(), &[&ids[0], "--what-if", "kind", "--json"]);
    assert_eq!(by_name.code, 0, "{}{}", by_name.output, by_name.faults);
    let found = lines(&by_name.output);
    assert_eq!(found[0]["first_before"], "expert");
    assert_eq!(found[0]["first_after"], "friendly");
    assert_eq!((&found[0]["eligible_before"], &found[0]["eligible_after"]), (&json!(2), &json!(1)));
    assert_eq!(found[1]["first_differs"], 1);

    let file = folder.path().join("strict.toml");
    std::fs::write(
        &file,
        "name = \"strict\"\nmatchers = [{ id = \"skill\" }]\n[[filters]]\nname = \"lisbon\"\n\
         require = { rule = \"attribute_is\", attribute = \"site\", value = \"Lisbon\" }\n",
    )
    .unwrap();
    let by_file = replay(folder.path(), &["--what-if", file.to_str().unwrap()]);
    assert_eq!(by_file.code, 0, "{}{}", by_file.output, by_file.faults);
    assert!(by_file.output.contains("3 rankings by \"strict\""), "{}", by_file.output);
    let wrong = replay(folder.path(), &["--what-if", "nobody-has-it"]);
    assert!(wrong.code == 64 && wrong.faults.contains("kind"), "{}", wrong.faults);
    std::fs::write(&file, "nmae = \"strict\"\n").unwrap();
    assert_eq!(replay(folder.path(), &["--what-if", file.to_str().unwrap()]).code, 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_without_what_it_needs_says_so() {
    let folder = tempfile::tempdir().unwrap();
    recorded(folder.path()).await;
    for roster in std::fs::read_dir(folder.path().join("rosters")).unwrap() {
        std::fs::remove_file(roster.unwrap().path()).unwrap();
    }
    let run = replay(folder.path(), &[]);
    assert_eq!(run.code, 69);
    assert!(run.output.contains("cannot be made again"), "{}", run.output);
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(replay(empty.path(), &[]).code, 69);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ranking_can_be_looked_at_again() {
    let app = build(&[]);
    let ranking = rank(&app, json!({"explain": 1})).await.expect(200);
    let kept = send(&app, "GET", &format!("/v1/rankings/{}", ranking["id"].as_str().unwrap()), None).await;
    let kept = kept.expect(200);
    assert_eq!(order(&kept), order(&ranking));
    assert_eq!((&kept["policy"]["name"], &kept["agents"]), (&json!("default"), &json!(3)));
    assert_eq!(kept["matchers"][0]["fingerprint"].as_str().unwrap().len(), 64);
    send(&app, "GET", "/v1/rankings/none", None).await.expect_fault(404, "ranking_unknown");
}
