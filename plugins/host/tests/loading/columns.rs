//! What reaches a matcher in plain C: attributes, columns that say nothing, languages, the time limit.

use std::sync::Arc;

use heartline_plugin_host::{AgentColumns, AttributeValue, Candidates, ScoreRequest, SpokenLanguage};

use crate::support::{self, candidates, fixture, request};

#[test]
fn attributes_of_each_kind_arrive() {
    let Some(path) = fixture("columns", "attributes") else { return };
    let matcher = support::load(&path, "{}").unwrap();
    let mut builder = Candidates::builder();
    let (senior, trainee) = (AttributeValue::Number(0.75), AttributeValue::Flag(true));
    let site = AttributeValue::Text;
    for attributes in [
        &[("seniority", senior), ("site", site("Lyon"))][..],
        &[("trainee", trainee), ("site", site("Oslo"))],
        &[],
    ] {
        builder.push(&AgentColumns { capacity: 1, attributes, ..AgentColumns::default() }).unwrap();
    }
    let scored = matcher.score(&request(), &Arc::new(builder.build())).unwrap();
    assert_eq!(scored.scores, [0.75, 0.0, 0.0]);
    assert_eq!(scored.eligible, [true, false, true]);
    assert_eq!(scored.confidences, [1.0, 0.0, 0.0]);
}

#[test]
fn columns_that_say_nothing_are_null() {
    let Some(path) = fixture("columns", "nulls") else { return };
    let matcher = support::load(&path, "{}").unwrap();
    let mut builder = Candidates::builder();
    builder.push(&AgentColumns { capacity: 1, ..AgentColumns::default() }).unwrap();
    let (snapshot, limit) = (32, 64);
    let bare = matcher.score(&request(), &Arc::new(builder.build())).unwrap();
    assert_eq!(bare.reason_codes, [snapshot | limit]);
    let full = matcher.score(&request(), &candidates()).unwrap();
    assert_eq!(full.reason_codes[0], 1 | 2 | 4 | snapshot | limit);
}

#[test]
fn the_largest_language_comes_first() {
    let Some(path) = fixture("columns", "languages") else { return };
    let matcher = support::load(&path, "{}").unwrap();
    let spoken = |tag: &str, share| SpokenLanguage { tag: tag.to_owned(), share, level: None };
    let languages = vec![spoken("en", 0.25), spoken("zh", 0.75)];
    let request = Arc::new(ScoreRequest { languages, ..ScoreRequest::default() });
    let scored = matcher.score(&request, &candidates()).unwrap();
    assert_ne!(scored.reason_codes[0] & 128, 0);
}
