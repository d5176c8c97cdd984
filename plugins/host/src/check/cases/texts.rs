//! Texts that a matcher hands out: they are the same at every call, and stay as they are for as long as the library lives.

use crate::check::case::{Found, Verdict};
use crate::check::child::Bench;
use crate::check::subject::Lasting;
use crate::check::world::World;

pub(crate) fn texts(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    let mut instance = bench.instance(&subject)?;
    let mut random = bench.random();
    bench.step("scoring agents, to see which reasons there are");
    for _ in 0..10 {
        instance.score(&World::seeded(&mut random, 60))?;
    }
    let codes: Vec<u32> = instance.codes().iter().copied().collect();
    let ask = || -> Result<Vec<(String, Lasting)>, String> {
        let mut found = vec![("the schema".to_owned(), subject.schema_text()?)];
        for &code in &codes {
            found.push((format!("the text of the reason code {code}"), subject.reason_text(code)?));
        }
        Ok(found)
    };
    bench.step("asking for the schema and for what reasons mean");
    let first = ask()?;
    bench.step("asking for the schema and for what reasons mean once more");
    let second = ask()?;
    bench.step("reading texts that were handed out before");
    for ((name, text), (_, later)) in first.iter().zip(&second) {
        if text.words() != later.words() {
            return Err(format!(
                "{name} is \"{}\" at first and \"{}\" later",
                beginning(text.words()),
                beginning(later.words())
            ));
        }
        if !text.has_stayed() {
            return Err(format!(
                "{name} was overwritten since it was handed out; it lives as long as the library"
            ));
        }
    }
    Ok(Verdict::pass(format!("the schema and the texts of {} reasons stay as they are", codes.len())))
}

/// Enough of a text to know it by.
fn beginning(text: &str) -> String {
    text.escape_debug().take(60).collect()
}
