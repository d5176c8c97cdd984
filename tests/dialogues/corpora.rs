//! False alarms on real dialogues, which are not part of the project.
//!
//! Each file has a header line and tab-separated columns, among them `dialogue_id`, `text` and, where customers and
//! agents both speak, `speaker` (`USER` or `SYSTEM`); rows of one dialogue follow each other. The files are named in an
//! environment variable, separated by colons:
//!
//! ```text
//! HEARTLINE_CORPORA=mwoz.tsv:sgd.tsv cargo test --release --test dialogues -- --ignored --nocapture corpora
//! ```

use std::fmt::Write as _;

use heartline::emotion::{Concern, Span, Utterance, find_concern, find_concern_in_call};

use super::heard::STRONG_FROM;

/// The row that carries a rating of the whole dialogue instead of words.
const RATING: &str = "OVERALL";
/// How long a row lasts where nothing is known, in milliseconds.
const ROW_MS: u64 = 4_000;

/// One dialogue: the customer's rows and the agent's.
#[derive(Default)]
struct Dialogue {
    customer: Vec<Utterance>,
    agent: Vec<Utterance>,
}

fn read(path: &str) -> Vec<Dialogue> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split('\t').collect();
    let column = |name: &str| header.iter().position(|known| *known == name);
    let (id_at, text_at) = (column("dialogue_id").unwrap(), column("text").unwrap());
    // Where everybody is a speaker by name, all of it is heard as one customer.
    let speaker_at = column("speaker");
    let mut dialogues: Vec<Dialogue> = Vec::new();
    let mut last = None;
    for (row, line) in lines.enumerate() {
        let cells: Vec<&str> = line.split('\t').collect();
        if cells[text_at] == RATING {
            continue;
        }
        if last != Some(cells[id_at]) {
            last = Some(cells[id_at]);
            dialogues.push(Dialogue::default());
        }
        let start_ms = row as u64 * ROW_MS;
        let utterance =
            Utterance { span: Span::new(start_ms, start_ms + ROW_MS), text: cells[text_at].to_owned() };
        let Some(dialogue) = dialogues.last_mut() else { continue };
        if speaker_at.is_some_and(|at| cells[at] == "SYSTEM") {
            dialogue.agent.push(utterance);
        } else {
            dialogue.customer.push(utterance);
        }
    }
    dialogues
}

fn describe(name: &str, heard: &[Option<Concern>]) -> String {
    let scores: Vec<f32> = heard.iter().flatten().map(|concern| concern.score).collect();
    let strong = scores.iter().filter(|score| **score >= STRONG_FROM).count();
    let mut topics: Vec<(&str, usize)> = Vec::new();
    for concern in heard.iter().flatten() {
        match topics.iter_mut().find(|(topic, _)| *topic == concern.topic) {
            Some((_, count)) => *count += 1,
            None => topics.push((&concern.topic, 1)),
        }
    }
    let mut text = format!("{name}: {} of {} reported, {strong} strong;", scores.len(), heard.len());
    for (topic, count) in topics {
        let _ = write!(text, " {topic} {count}");
    }
    text
}

#[test]
#[ignore = "needs dialogues that are not part of the project"]
fn corpora() {
    let paths = std::env::var("HEARTLINE_CORPORA").unwrap();
    for path in paths.split(':') {
        let dialogues = read(path);
        let alone: Vec<_> = dialogues.iter().map(|dialogue| find_concern(&dialogue.customer)).collect();
        let both: Vec<_> = dialogues
            .iter()
            .map(|dialogue| find_concern_in_call(&dialogue.customer, &dialogue.agent))
            .collect();
        println!("{}", describe(&format!("{path}, customer alone"), &alone));
        println!("{}", describe(&format!("{path}, with the agent"), &both));
        for (dialogue, concern) in dialogues.iter().zip(&both) {
            let Some(concern) = concern else { continue };
            let words: Vec<&str> =
                dialogue.customer.iter().map(|utterance| utterance.text.as_str()).collect();
            println!(
                "  {:.2} {} {} x{}: {}",
                concern.score,
                concern.topic,
                concern.issue,
                concern.count,
                words.join(" | ")
            );
        }
    }
}
