//! The fence, called through its C functions by hosts that keep the contract and by hosts that do not.

use std::ptr::null_mut;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::*;
use crate::testing::raw::{self as shapes, RawAgents, RawRequest};
use crate::testing::{Agent, Agents, AnswerColumns};
use crate::{Extensions, Factor, Reason, Score};

/// Does what its configuration says.
struct Moody {
    mood: Mood,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mood {
    #[default]
    Fine,
    Late,
    PanicsWhenCreated,
    PanicsWhenCalled,
    PanicsWhenDestroyed,
}

/// The configuration.
#[derive(Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
struct MoodyConfig {
    #[garde(skip)]
    mood: Mood,
    /// How moody it is.
    #[garde(range(min = 0, max = 10))]
    strength: u32,
}

impl Moody {
    fn act(&self) -> Result<(), MatcherError> {
        match self.mood {
            Mood::PanicsWhenCalled => std::panic::panic_any(format!("in no mood: {:?}", self.mood)),
            Mood::Late => Err(MatcherError::OutOfTime),
            _ => Ok(()),
        }
    }
}

impl Matcher for Moody {
    type Config = MoodyConfig;
    const ID: &'static str = "moody";
    const NAME: &'static str = "Moody";
    const VERSION: &'static str = "1";
    const DESCRIPTION: &'static str = "Does what its configuration says.";
    const REASONS: &'static [Reason] = &[Reason { code: 3, text: "because" }];
    const EXTENSIONS: Extensions<Self> = Extensions::none().explain().learn().state();

    fn create(config: MoodyConfig) -> Result<Self, MatcherError> {
        assert!(config.mood != Mood::PanicsWhenCreated, "too early");
        Ok(Self { mood: config.mood })
    }

    fn score(
        &mut self,
        _: &Request<'_>,
        candidates: &Candidates<'_>,
        scores: &mut Scores<'_>,
    ) -> Result<(), MatcherError> {
        self.act()?;
        for row in 0..candidates.len() {
            scores.set(row, Score { score: 0.5, eligible: true, confidence: 1.0, reason: 3 });
        }
        Ok(())
    }
}

impl Explain for Moody {
    fn explain<'call>(
        &mut self,
        _: &Request<'call>,
        _: &Candidates<'call>,
        _: usize,
        factors: &mut Factors<'_, 'call>,
    ) -> Result<(), MatcherError> {
        self.act()?;
        for _ in 0..3 {
            factors.push(Factor { name: "mood", subject: "", value: 0.5, weight: 1.0, contribution: 0.5 });
        }
        Ok(())
    }
}

impl Learn for Moody {
    fn learn(&mut self, _: &Request<'_>, _: &Candidates<'_>, _: &Outcome) -> Result<(), MatcherError> {
        self.act()
    }
}

impl State for Moody {
    fn save(&self) -> Result<Vec<u8>, MatcherError> {
        self.act().map(|()| vec![1, 2, 3])
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), MatcherError> {
        self.act()?;
        let refuse = || MatcherError::State("not three bytes".to_owned());
        (bytes.len() == 3).then_some(()).ok_or_else(refuse)
    }
}

impl Drop for Moody {
    fn drop(&mut self) {
        assert!(self.mood != Mood::PanicsWhenDestroyed, "too late");
    }
}

/// A matcher with nothing but scores and nothing to configure.
struct Plain;

/// Nothing.
#[derive(Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
struct Nothing {}

impl Matcher for Plain {
    type Config = Nothing;
    const ID: &'static str = "plain";
    const NAME: &'static str = "Plain";
    const VERSION: &'static str = "1";
    const DESCRIPTION: &'static str = "Scores nobody.";
    const REASONS: &'static [Reason] = &[Reason { code: 0, text: "none" }];

    fn create(_: Nothing) -> Result<Self, MatcherError> {
        Ok(Self)
    }

    fn score(&mut self, _: &Request<'_>, _: &Candidates<'_>, _: &mut Scores<'_>) -> Result<(), MatcherError> {
        Ok(())
    }
}

/// A call's status and message, with room for so many bytes.
fn told_within(capacity: u32, call: impl FnOnce(*mut abi::Message) -> Status) -> (Status, String) {
    let mut bytes = vec![0_u8; capacity as usize];
    let mut message = abi::Message {
        size: abi::size_of_struct::<abi::Message>(),
        capacity,
        data: bytes.as_mut_ptr(),
        length: 0,
        reserved: 0,
    };
    let status = call(&raw mut message);
    (status, String::from_utf8(bytes[..message.length as usize].to_vec()).unwrap())
}

fn told(call: impl FnOnce(*mut abi::Message) -> Status) -> (Status, String) {
    told_within(200, call)
}

fn make(config: &str) -> (*mut RawMatcher, Status, String) {
    let mut pointer = null_mut();
    let (status, words) = told(|message| {
        // SAFETY: all pointers lead to values that outlive the call.
        unsafe { create::<Moody>(Text::from_borrowed(config), &raw mut pointer, message) }
    });
    (pointer, status, words)
}

fn in_mood(mood: &str) -> *mut RawMatcher {
    make(&format!(r#"{{"mood": "{mood}"}}"#)).0
}

fn end(pointer: *mut RawMatcher) {
    // SAFETY: the tests pass what `make` gave, once.
    unsafe { destroy::<Moody>(pointer) }
}

/// What a call is made with. The shapes may be broken on purpose, but never so that something is read that is not there.
struct Call {
    request: abi::Request,
    candidates: abi::Candidates,
    answer: abi::Scores,
}

/// Makes a call of `score` about two agents, after `change`.
fn ask(pointer: *mut RawMatcher, change: impl FnOnce(&mut Call)) -> (Status, String, u32) {
    let agents = Agents::new(&[Agent::default().skill("refunds", 3.0), Agent::default()]);
    let (request, candidates) = (RawRequest::new(&Request::default(), &agents), RawAgents::new(&agents));
    let mut columns = AnswerColumns::blank(2);
    let mut call =
        Call { request: request.to_abi(), candidates: candidates.to_abi(), answer: columns.to_abi() };
    change(&mut call);
    let (status, words) = told(|message| {
        let Call { request, candidates, answer } = &mut call;
        // SAFETY: what is behind each pointer outlives the call.
        unsafe { score::<Moody>(pointer, request, candidates, answer, message) }
    });
    (status, words, call.answer.count)
}

fn good(pointer: *mut RawMatcher) -> (Status, String, u32) {
    ask(pointer, |_| {})
}

/// Calls each extension's functions; gives their statuses by name.
fn extensions(pointer: *mut RawMatcher, agents: &Agents) -> Vec<(&'static str, Status)> {
    let (request, candidates) = (RawRequest::new(&Request::default(), agents), RawAgents::new(agents));
    let (request, candidates, outcome) =
        (request.to_abi(), candidates.to_abi(), shapes::outcome(&Outcome::default()));
    let mut room = [std::mem::MaybeUninit::<abi::Factor>::uninit(); 2];
    let mut factors = abi::Factors {
        size: abi::size_of_struct::<abi::Factors>(),
        capacity: 2,
        count: 0,
        reserved: 0,
        factors: room.as_mut_ptr().cast(),
    };
    let writer = abi::Writer {
        size: abi::size_of_struct::<abi::Writer>(),
        reserved: 0,
        context: null_mut(),
        write: Some(takes_three),
    };
    // SAFETY: what is behind each pointer outlives the calls; null messages are allowed for here.
    unsafe {
        vec![
            ("explain", explain::<Moody>(pointer, &request, &candidates, 0, &raw mut factors, null_mut())),
            ("learn", learn::<Moody>(pointer, &request, &candidates, &outcome, null_mut())),
            ("save", save::<Moody>(pointer, &writer, null_mut())),
            ("load", load::<Moody>(pointer, [7_u8; 3].as_ptr(), 3, null_mut())),
        ]
    }
}

unsafe extern "C" fn takes_three(_: *mut c_void, _: *const u8, length: usize) -> Status {
    if length == 3 { Status::OK } else { Status::FAILED }
}

unsafe extern "C" fn takes_nothing(_: *mut c_void, _: *const u8, _: usize) -> Status {
    Status::FAILED
}

fn one_agent() -> Agents {
    Agents::new(&[Agent::default()])
}

#[test]
fn a_good_call_writes_every_row() {
    let (pointer, status, _) = make("{}");
    assert_eq!(status, Status::OK);
    assert_eq!(good(pointer), (Status::OK, String::new(), 2));
    assert!(extensions(pointer, &one_agent()).iter().all(|(_, status)| *status == Status::OK));
    end(pointer);
}

#[test]
fn a_panic_poisons_the_instance_and_reaches_nobody() {
    let pointer = in_mood("panics_when_called");
    assert_eq!(good(pointer), (Status::PANICKED, "in no mood: PanicsWhenCalled".to_owned(), 0));
    assert_eq!(good(pointer), (Status::PANICKED, "an earlier call panicked".to_owned(), 0));
    end(pointer);

    let (pointer, status, words) = make(r#"{"mood": "panics_when_created"}"#);
    assert!(pointer.is_null());
    assert_eq!((status, words.as_str()), (Status::PANICKED, "too early"));

    end(in_mood("panics_when_destroyed"));
}

#[test]
fn every_function_of_an_extension_is_fenced() {
    for index in 0..4 {
        // Of a new instance each, because the first panic poisons it for the others.
        let pointer = in_mood("panics_when_called");
        let (name, _) = extensions(pointer, &one_agent())[index];
        assert_eq!(extensions(pointer, &one_agent())[index], (name, Status::PANICKED));
        assert_eq!(good(pointer).1, "an earlier call panicked");
        end(pointer);
    }
}

#[test]
fn an_error_is_no_panic_and_poisons_nothing() {
    let pointer = in_mood("late");
    for _ in 0..2 {
        assert_eq!(good(pointer).0, Status::OUT_OF_TIME);
        for (name, status) in extensions(pointer, &one_agent()) {
            assert_eq!(status, Status::OUT_OF_TIME, "{name}");
        }
    }
    end(pointer);
}

#[test]
fn bad_configurations_are_told_apart() {
    let (_, status, words) = make(r#"{"mod": 1}"#);
    assert_eq!((status, words.contains("mod"), words.contains("mood")), (Status::BAD_CONFIG, true, true), "{words}");
    let (_, status, words) = make(r#"{"strength": 11}"#);
    assert_eq!((status, words.contains("strength")), (Status::BAD_CONFIG, true), "{words}");
    assert!(!words.contains('\n'), "{words}");
    for config in ["", "[]", "null", "{", r#"{"mood": 1}"#] {
        assert_eq!(make(config).1, Status::BAD_CONFIG, "{config}");
    }
}

#[test]
fn a_message_is_cut_to_its_room_between_characters() {
    let mut place = null_mut();
    let mut refuse = |capacity| {
        told_within(capacity, |message| {
            // SAFETY: all pointers lead to values that outlive the call.
            unsafe { create::<Moody>(Text::from_borrowed(r#"{"é": 1}"#), &raw mut place, message) }
        })
    };
    let whole = refuse(500).1;
    let cut = whole.find('é').unwrap() + 1;
    let (status, words) = refuse(u32::try_from(cut).unwrap());
    assert_eq!((status, words.as_str()), (Status::BAD_CONFIG, &whole[..cut - 1]));
    assert_eq!(refuse(0), (Status::BAD_CONFIG, String::new()));
}

#[test]
fn a_host_that_breaks_the_contract_is_told() {
    let (pointer, ..) = make("{}");
    let broken: [(&str, fn(&mut Call)); 9] = [
        ("a request of an older version", |call| call.request.size -= 8),
        ("no emotion", |call| call.request.emotion = std::ptr::null()),
        ("needs that are not there", |call| call.request.need_count = 1),
        ("languages that are not there", |call| call.request.language_count = 1),
        ("candidates of an older version", |call| call.candidates.size -= 8),
        ("names that are not there", |call| call.candidates.skill_names = std::ptr::null()),
        ("ids that are not there", |call| call.candidates.skill_ids = std::ptr::null()),
        ("attributes that are not there", |call| call.candidates.attribute_count = 1),
        ("no room", |call| call.answer.capacity = 1),
    ];
    for (what, change) in broken {
        let (status, words, _) = ask(pointer, change);
        assert_eq!(status, Status::BAD_ARGUMENT, "{what}");
        assert!(words.contains("the host broke the contract"), "{what}: {words}");
    }
    assert_eq!(good(pointer).0, Status::OK, "it poisons nothing");
    end(pointer);
    assert_eq!(good(null_mut()).0, Status::BAD_ARGUMENT);
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
fn a_host_that_breaks_an_extensions_contract_is_told() {
    let (pointer, ..) = make("{}");
    // Neither is there a row to explain nor one agent to learn of.
    for (name, status) in extensions(pointer, &Agents::new(&[])) {
        let expected = if name == "explain" || name == "learn" { Status::BAD_ARGUMENT } else { Status::OK };
        assert_eq!(status, expected, "{name}");
    }
    let two = Agents::new(&[Agent::default(), Agent::default()]);
    assert_eq!(extensions(pointer, &two)[1], ("learn", Status::BAD_ARGUMENT));

    let mut writer = abi::Writer {
        size: abi::size_of_struct::<abi::Writer>(),
        reserved: 0,
        context: null_mut(),
        write: Some(takes_nothing),
    };
    // SAFETY: the writer outlives the call.
    let (status, words) = told(|message| unsafe { save::<Moody>(pointer, &raw const writer, message) });
    assert_eq!((status, words.as_str()), (Status::FAILED, "the host has no room for the state"));
    writer.write = None;
    // SAFETY: as before.
    let status = unsafe { save::<Moody>(pointer, &raw const writer, null_mut()) };
    assert_eq!(status, Status::BAD_ARGUMENT);
    // SAFETY: null is refused before it is read.
    let status = unsafe { load::<Moody>(pointer, std::ptr::null(), 3, null_mut()) };
    assert_eq!(status, Status::BAD_ARGUMENT);
    // SAFETY: the bytes outlive the call.
    let status = unsafe { load::<Moody>(pointer, [1_u8].as_ptr(), 1, null_mut()) };
    assert_eq!(status, Status::BAD_STATE);
    end(pointer);
}

#[test]
fn only_what_a_matcher_has_is_handed_out() {
    // SAFETY: the ids are string literals.
    let ask = |id: &'static str| unsafe {
        let id = Text::from_borrowed(id);
        (!get_extension::<Moody>(id).is_null(), !get_extension::<Plain>(id).is_null())
    };
    for id in [abi::EXPLAIN, abi::LEARN, abi::STATE] {
        assert_eq!(ask(id), (true, false), "{id}");
    }
    for id in ["", "heartline.tomorrow", "heartline.explain2"] {
        assert_eq!(ask(id), (false, false), "{id}");
    }
    let null = Text { data: std::ptr::null(), length: 9 };
    // SAFETY: the null text is refused before it is read.
    assert!(unsafe { get_extension::<Moody>(null) }.is_null());
}

#[test]
fn the_schema_says_what_the_types_say() {
    // SAFETY: the text lives for ever.
    let text = unsafe { config_schema::<Moody>().as_str() }.unwrap();
    let schema: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["properties"]["strength"]["maximum"], 10);
    assert_eq!(schema["properties"]["strength"]["default"], 0);
    assert_eq!(schema["properties"]["strength"]["description"], "How moody it is.");
    // SAFETY: as before. Two matchers in one program have a schema each.
    let other = unsafe { config_schema::<Plain>().as_str() }.unwrap();
    assert!(!other.contains("strength"));
}

#[test]
fn reasons_have_texts() {
    // SAFETY: the texts are string literals.
    let text = |code| unsafe { describe_reason::<Moody>(code).as_str() };
    assert_eq!((text(3), text(4)), (Some("because"), Some("")));
}
