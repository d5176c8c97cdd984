//! The fence, called through its C functions as a host would.

use std::ptr::null_mut;

use super::*;
use crate::{Reason, Score};

/// Does what its configuration says.
struct Moody {
    mood: String,
}

#[derive(serde::Deserialize)]
struct MoodyConfig {
    #[serde(default)]
    mood: String,
}

impl Matcher for Moody {
    type Config = MoodyConfig;
    const ID: &'static str = "moody";
    const NAME: &'static str = "Moody";
    const VERSION: &'static str = "1";
    const DESCRIPTION: &'static str = "Does what its configuration says.";
    const CONFIG_SCHEMA: &'static str = r#"{"properties": {"mood": {"type": "string"}}}"#;
    const REASONS: &'static [Reason] = &[Reason { code: 3, text: "because" }];

    fn create(config: MoodyConfig) -> Result<Self, MatcherError> {
        assert!(config.mood != "panics when created", "too early");
        Ok(Self { mood: config.mood })
    }

    fn score(
        &self,
        _: &Request<'_>,
        candidates: &Candidates<'_>,
        scores: &mut Scores<'_>,
    ) -> Result<(), MatcherError> {
        if self.mood == "panics when called" {
            std::panic::panic_any(format!("no mood for {} candidates", candidates.len()));
        }
        if self.mood == "late" {
            return Err(MatcherError::OutOfTime);
        }
        for row in 0..candidates.len() {
            scores.set(row, Score { score: 0.5, eligible: true, confidence: 1.0, reason: 3 });
        }
        Ok(())
    }
}

impl Drop for Moody {
    fn drop(&mut self) {
        assert!(self.mood != "panics when destroyed", "too late");
    }
}

/// A call's status and message.
fn told(call: impl FnOnce(*mut abi::Message) -> Status) -> (Status, String) {
    let mut bytes = [0_u8; 40];
    let mut message = abi::Message {
        size: abi::size_of_struct::<abi::Message>(),
        capacity: 40,
        data: bytes.as_mut_ptr(),
        length: 0,
        reserved: 0,
    };
    let status = call(&raw mut message);
    let length = message.length as usize;
    (status, String::from_utf8(bytes[..length].to_vec()).unwrap())
}

fn make(config: &str) -> (*mut RawMatcher, Status, String) {
    let mut pointer = null_mut();
    let (status, words) = told(|message| {
        // SAFETY: all pointers lead to values that outlive the call.
        unsafe { create::<Moody>(Text::from_borrowed(config), &raw mut pointer, message) }
    });
    (pointer, status, words)
}

fn end(pointer: *mut RawMatcher) {
    // SAFETY: the tests pass what `make` gave, once.
    unsafe { destroy::<Moody>(pointer) }
}

/// Scores two candidates; gives the status, the message, and the columns of scores and the count.
fn ask(pointer: *mut RawMatcher, request_size: u32) -> (Status, String, [f32; 2], u32) {
    let emotion = nothing_seen();
    let request = abi::Request {
        size: request_size,
        need_count: 0,
        emotion: &raw const emotion,
        needs: std::ptr::null(),
        language: Text::EMPTY,
        language_level: f32::NAN,
        complexity: 0.0,
        waiting_ms: 0,
        time_limit_us: 0,
    };
    let (offsets, ids, levels) = ([0_u32, 0, 0], [0_u32; 0], [0_f32; 0]);
    let (attitudes, numbers, idle_ms) = ([f32::NAN; 10], [0_u32; 2], [0_u64; 2]);
    let outcomes = [abi::Outcomes::default(); 2];
    let candidates = abi::Candidates {
        size: abi::size_of_struct::<abi::Candidates>(),
        count: 2,
        skill_name_count: 0,
        language_tag_count: 0,
        skill_names: std::ptr::null(),
        language_tags: std::ptr::null(),
        skill_offsets: offsets.as_ptr(),
        skill_ids: ids.as_ptr(),
        skill_levels: levels.as_ptr(),
        language_offsets: offsets.as_ptr(),
        language_ids: ids.as_ptr(),
        language_levels: levels.as_ptr(),
        attitudes: attitudes.as_ptr(),
        active_tasks: numbers.as_ptr(),
        capacities: numbers.as_ptr(),
        idle_ms: idle_ms.as_ptr(),
        outcomes: outcomes.as_ptr(),
    };
    let (mut scores, mut confidences, mut codes, mut eligible) =
        ([f32::NAN; 2], [f32::NAN; 2], [abi::NONE; 2], [u8::MAX; 2]);
    let mut answer = abi::Scores {
        size: abi::size_of_struct::<abi::Scores>(),
        capacity: 2,
        count: 0,
        reserved: 0,
        scores: scores.as_mut_ptr(),
        confidences: confidences.as_mut_ptr(),
        reason_codes: codes.as_mut_ptr(),
        eligible: eligible.as_mut_ptr(),
    };
    let (status, words) = told(|message| {
        // SAFETY: all pointers lead to values that outlive the call, as long as their counts say.
        unsafe {
            score::<Moody>(pointer, &raw const request, &raw const candidates, &raw mut answer, message)
        }
    });
    (status, words, scores, answer.count)
}

fn nothing_seen() -> abi::Emotion {
    let none = abi::Modality::default();
    abi::Emotion {
        size: abi::size_of_struct::<abi::Emotion>(),
        abstain: 1,
        categories: [0.0; 7],
        valence: 0.0,
        arousal: 0.0,
        dominance: 0.0,
        satisfaction: 0.0,
        frustration: 0.0,
        confusion: 0.0,
        concern: 0.0,
        confidence: 0.0,
        valence_per_minute: 0.0,
        arousal_per_minute: 0.0,
        worst_valence: f32::NAN,
        worst_category: abi::NONE,
        reserved: 0,
        worst_at_ms: 0,
        at_ms: 0,
        text: none,
        voice: none,
        face: none,
    }
}

const REQUEST_SIZE: u32 = abi::size_of_struct::<abi::Request>();

#[test]
fn a_good_call_writes_every_row() {
    let (pointer, status, _) = make("{}");
    assert_eq!(status, Status::OK);
    assert_eq!(ask(pointer, REQUEST_SIZE), (Status::OK, String::new(), [0.5, 0.5], 2));
    end(pointer);
}

#[test]
fn a_panic_poisons_the_instance_and_reaches_nobody() {
    let (pointer, ..) = make(r#"{"mood": "panics when called"}"#);
    let (status, words, _, count) = ask(pointer, REQUEST_SIZE);
    assert_eq!((status, words.as_str(), count), (Status::PANICKED, "no mood for 2 candidates", 0));
    let (status, words, ..) = ask(pointer, REQUEST_SIZE);
    assert_eq!((status, words.as_str()), (Status::PANICKED, "an earlier call panicked"));
    end(pointer);

    let (pointer, status, words) = make(r#"{"mood": "panics when created"}"#);
    assert!(pointer.is_null());
    assert_eq!((status, words.as_str()), (Status::PANICKED, "too early"));

    end(make(r#"{"mood": "panics when destroyed"}"#).0);
}

#[test]
fn an_error_is_no_panic_and_poisons_nothing() {
    let (pointer, ..) = make(r#"{"mood": "late"}"#);
    assert_eq!(ask(pointer, REQUEST_SIZE).0, Status::OUT_OF_TIME);
    assert_eq!(ask(pointer, REQUEST_SIZE).0, Status::OUT_OF_TIME);
    end(pointer);
}

#[test]
fn bad_configurations_are_told_apart() {
    let (_, status, words) = make(r#"{"mod": 1}"#);
    assert_eq!((status, words.as_str()), (Status::BAD_CONFIG, "unknown key mod; expected are mood"));
    assert_eq!(make(r#"{"mood": 1}"#).1, Status::BAD_CONFIG);
    let (_, status, words) = make("[]");
    assert_eq!(status, Status::BAD_CONFIG);
    assert_eq!(words.len(), 40, "a message longer than its room is cut to it");
}

#[test]
fn a_host_that_breaks_the_contract_is_told() {
    let (pointer, ..) = make("{}");
    assert_eq!(ask(pointer, REQUEST_SIZE - 8).0, Status::BAD_ARGUMENT);
    end(pointer);
    assert_eq!(ask(null_mut(), REQUEST_SIZE).0, Status::BAD_ARGUMENT);
    end(null_mut());
    let null = Text { data: std::ptr::null(), length: 2 };
    let mut place = null_mut();
    // SAFETY: the null text is refused before it is read.
    let status = unsafe { create::<Moody>(null, &raw mut place, null_mut()) };
    assert_eq!(status, Status::BAD_ARGUMENT);
    // SAFETY: the null place is refused before it is written to.
    let status = unsafe { create::<Moody>(Text::from_borrowed("{}"), null_mut(), null_mut()) };
    assert_eq!(status, Status::BAD_ARGUMENT);
}

#[test]
fn reasons_have_texts() {
    // SAFETY: the texts are string literals.
    let text = |code| unsafe { describe_reason::<Moody>(code).as_str() };
    assert_eq!((text(3), text(4)), (Some("because"), Some("")));
}
