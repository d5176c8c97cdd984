//! From the file to an instance: load time, descriptor, unknown ids, create and destroy.

use std::time::Instant;

use super::shown;
use crate::check::case::{Found, Verdict};
use crate::check::child::Bench;

/// A load time from which on there is a warning, as a share of what is too long.
const WARN_SHARE: f64 = 0.2;

pub(crate) fn load(bench: &Bench) -> Found {
    let started = Instant::now();
    let subject = bench.subject()?;
    let (taken, limit) = (started.elapsed(), bench.order().load_limit);
    let words = format!("loaded {} in {}", subject.descriptor().id, shown(taken));
    if taken > limit {
        return Err(format!("it took {} to load, more than {}", shown(taken), shown(limit)));
    }
    let slow = taken.as_secs_f64() > WARN_SHARE * limit.as_secs_f64();
    let warning = format!("it took {} to load, which holds up a server's start", shown(taken));
    Ok(Verdict::unless(slow.then_some(warning).into_iter().collect(), words))
}

pub(crate) fn descriptor(bench: &Bench) -> Found {
    // Opening has checked that the texts are there and made of the right characters.
    let subject = bench.subject()?;
    let descriptor = subject.descriptor();
    let mut warnings = Vec::new();
    if !is_version(&descriptor.version) {
        let version = &descriptor.version;
        warnings.push(format!(
            "the version {version:?} is not of the form MAJOR.MINOR.PATCH, so nobody can compare it"
        ));
    }
    if descriptor.description.chars().count() < 10 {
        warnings
            .push(format!("the description {:?} tells nobody what the matcher does", descriptor.description));
    }
    let words = format!(
        "{} {} for ABI {}.{}",
        descriptor.id, descriptor.version, descriptor.abi_major, descriptor.abi_minor
    );
    Ok(Verdict::unless(warnings, words))
}

/// Whether a version is of semantic versioning's form: three numbers, then perhaps `-` or `+` and more.
fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let rest = &text[core.len()..];
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
    let numbers: Vec<&str> = core.split('.').collect();
    let is_number = |part: &&str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && (part.len() == 1 || !part.starts_with('0'))
    };
    numbers.len() == 3 && numbers.iter().all(is_number) && rest.bytes().all(allowed) && rest.len() != 1
}

pub(crate) fn unknown_ids(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    bench.step("asking for extensions that do not exist");
    let long = vec![b'x'; 1 << 20];
    let unknown: [&[u8]; 8] = [
        b"",
        b"heartline",
        b"heartline.nothing",
        b"HEARTLINE.EXPLAIN",
        b"heartline.explai",
        b"heartline.state\0",
        b"\xff\xfe",
        &long,
    ];
    for id in unknown {
        if !subject.extension(id).is_null() {
            let id: String = String::from_utf8_lossy(id).escape_default().take(40).collect();
            return Err(format!("it gives something for the extension \"{id}\", which does not exist"));
        }
    }
    for id in ["heartline.explain", "heartline.learn", "heartline.state"] {
        if subject.extension(id.as_bytes()) != subject.extension(id.as_bytes()) {
            return Err(format!("it gives another structure for {id} each time, which cannot live for ever"));
        }
    }
    let extensions = [
        ("heartline.explain", subject.explain_table()?.is_some()),
        ("heartline.learn", subject.learn_table()?.is_some()),
        ("heartline.state", subject.state_table()?.is_some()),
    ];
    bench.step("asking what unknown reason codes mean");
    let mut random = bench.random();
    let asked = 2 * subject.limits().max_reason_codes;
    let mut known = 0;
    for _ in 0..asked {
        // Far from where people number their reasons.
        let code = (random.next() as u32) | 0x8000_0000;
        known += usize::from(subject.describe(code)?.is_some());
    }
    if known > asked / 2 {
        return Err(format!("it has a text for {known} of {asked} random reason codes, which mean nothing"));
    }
    let there: Vec<&str> = extensions.iter().filter(|(_, is_there)| *is_there).map(|(id, _)| *id).collect();
    let there = if there.is_empty() { "no extensions".to_owned() } else { there.join(", ") };
    Ok(Verdict::pass(format!("unknown ids mean nothing to it; it has {there}")))
}

pub(crate) fn create(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    let first = bench.instance(&subject)?;
    let second = bench.instance(&subject)?;
    if first.pointer == second.pointer {
        return Err("two instances that live at once have the same address".to_owned());
    }
    bench.step("destroying an instance");
    drop(first);
    bench.step("destroying the other instance");
    drop(second);
    Ok(Verdict::pass("instances come and go"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_from_other_texts() {
        for version in ["1.0.0", "0.10.2", "1.2.3-rc.1", "1.2.3+build-5"] {
            assert!(is_version(version), "{version}");
        }
        for text in ["", "1", "1.0", "v1.0.0", "1.0.x", "1..0", "01.0.0", "1.0.0-", "1.0.0-a b"] {
            assert!(!is_version(text), "{text}");
        }
    }
}
