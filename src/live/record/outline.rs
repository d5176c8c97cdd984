//! What is remembered of the events of a state: a fingerprint over all of them, and the main ones in words.

use std::io::Write;

use sha2::{Digest, Sha256};

use super::super::Event;
use crate::hexadecimal::hexadecimal;

/// Agents that an outline names.
const NAMED_AGENTS: usize = 3;
/// How much of the fingerprint stands with each fact, in bytes.
const SHORT_BYTES: usize = 8;

/// The fingerprint of everything that a state has said.
#[derive(Debug, Clone)]
pub(super) struct Fingerprint {
    hash: Sha256,
    pub(super) events: u64,
    keeps_words: bool,
}

impl Fingerprint {
    pub(super) fn new(keeps_words: bool) -> Self {
        Self { hash: Sha256::new(), events: 0, keeps_words }
    }

    /// Counts an event in.
    pub(super) fn add(&mut self, event: &Event) {
        self.events += 1;
        let event = comparable(event.clone(), self.keeps_words);
        let mut hash = HashWriter(&mut self.hash);
        // Writing to a hash cannot fail, and what cannot be written as JSON says the same nothing each time.
        let _ = serde_json::to_writer(&mut hash, &event);
        let _ = hash.write_all(b"\n");
    }

    /// Its beginning.
    pub(super) fn short(&self) -> String {
        hexadecimal(&self.hash.clone().finalize()[..SHORT_BYTES])
    }

    /// All of it.
    pub(super) fn whole(&self) -> String {
        hexadecimal(&self.hash.clone().finalize())
    }
}

struct HashWriter<'a>(&'a mut Sha256);

impl Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An event without what differs from one run to the next, and without words that are not kept.
fn comparable(mut event: Event, keeps_words: bool) -> Event {
    match &mut event {
        Event::Ranking(now) => {
            now.ranking.id.clear();
            now.ranking.matchers.iter_mut().for_each(|matcher| matcher.time_us = 0);
        }
        Event::Emotion(now) if !keeps_words => {
            if let Some(concern) = &mut now.emotion.concern_issue {
                concern.issue.clone_from(&concern.topic);
            }
        }
        _ => {}
    }
    event
}

/// The main events in words, one each.
pub(super) fn outline(events: &[Event]) -> Vec<String> {
    events.iter().filter_map(words).collect()
}

fn words(event: &Event) -> Option<String> {
    match event {
        Event::Emotion(now) => {
            let vector = &now.emotion;
            let (category, share) = vector.top_category();
            Some(format!(
                "emotion {category} {share:.3}, valence {:+.3}, arousal {:+.3}, frustration {:.3}, concern {:.3}, \
                 confidence {:.3}",
                vector.valence, vector.arousal, vector.frustration, vector.concern, vector.trust.confidence
            ))
        }
        Event::Ranking(now) => {
            let entries = now.ranking.entries.iter().take(NAMED_AGENTS);
            let agents: Vec<_> =
                entries.map(|entry| format!("{} {:.3}", entry.agent_id, entry.score)).collect();
            Some(format!("ranking {}", agents.join(", ")))
        }
        Event::Notice(notice) => Some(format!("notice {:?}", notice.code)),
        _ => None,
    }
}
