//! Recordings that were changed, cut, or never were any.

use crate::support::{Folder, lines, packed, recorded, replay};

#[tokio::test]
async fn damage_is_told_from_difference() {
    let folder = Folder::new();
    let path = recorded(&folder, &[]).await;
    let whole = std::fs::read(&path).unwrap();
    let all = lines(&path);
    let play = |name: &str, bytes: &[u8]| replay(&folder.file(name, bytes), &[]);

    play("half", &whole[..whole.len() / 2]).assert(69, &["cut off after"]);
    play("unfinished", &packed(&all[..all.len() - 1])).assert(69, &["cut off after"]);
    play("empty", &[]).assert(69, &["not a recording"]);
    play("words", b"no recording in here").assert(69, &["not a recording"]);
    play("other", &packed(&["{\"version\": 1}".to_owned()])).assert(69, &["not a recording"]);
    let newer = all[0].replace("\"heartline_replay\":1", "\"heartline_replay\":9");
    play("newer", &packed(&[newer])).assert(69, &["layout 9", "newer program"]);
    replay(&folder.path().join("missing"), &[]).assert(69, &["missing"]);

    let mut broken = all.clone();
    let half = broken[5].len() / 2;
    broken[5].truncate(half);
    play("broken", &packed(&broken)).assert(69, &["damaged at line 6"]);
    let mut longer = all.clone();
    longer.push(all[2].clone());
    play("longer", &packed(&longer)).assert(69, &["something follows"]);
    let mut flipped = whole.clone();
    let place = flipped.len() - 6;
    flipped[place] ^= 0x10;
    play("flipped", &flipped).assert(69, &["damaged"]);
}

#[tokio::test]
async fn a_changed_fact_is_a_difference_that_is_shown() {
    let folder = Folder::new();
    let path = recorded(&folder, &[]).await;
    let mut all = lines(&path);
    let place = all.iter().position(|line| line.contains("\"fact\":\"reading\"")).unwrap();
    let mut line: serde_json::Value = serde_json::from_str(&all[place]).unwrap();
    line["took"]["fact"]["reading"]["valence"] = serde_json::json!(0.875);
    all[place] = line.to_string();
    let changed = folder.file("changed", &packed(&all));
    replay(&changed, &[]).assert(1, &["differs from the recording, first at", "recorded:", "replayed:"]);

    let mut all = lines(&path);
    let last = all.len() - 1;
    let mut line: serde_json::Value = serde_json::from_str(&all[last]).unwrap();
    line["end"]["sha256"] = serde_json::json!("00");
    all[last] = line.to_string();
    let changed = folder.file("sum", &packed(&all));
    replay(&changed, &[]).assert(1, &["fingerprint 00"]);
}
