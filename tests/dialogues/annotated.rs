//! The dialogues as they stand in their files, with what a careful listener noted.

use std::path::Path;

use heartline::emotion::{OTHER_TOPIC, Span, Utterance, topic_ids};
use serde::Deserialize;

/// The language of a file of dialogues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Chinese,
}

impl Language {
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// The BCP 47 tag.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
        }
    }

    const fn file(self) -> &'static str {
        match self {
            Self::English => "english.toml",
            Self::Chinese => "chinese.toml",
        }
    }
}

/// Dialogues up to this number make up the two halves.
const HALVES_END: usize = 60;
/// Dialogues up to this number were written when the rules first stood.
const SECOND_END: usize = 75;

/// Which part a dialogue belongs to, by its number alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Development,
    HeldOut,
    /// Written when the rules first stood; what they missed here led to more rules.
    Second,
    /// Written when the rules stood for good.
    Last,
}

impl Part {
    pub(crate) const ALL: [Self; 4] = [Self::Development, Self::HeldOut, Self::Second, Self::Last];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::HeldOut => "held-out",
            Self::Second => "second",
            Self::Last => "last",
        }
    }
}

/// How strongly the customer keeps coming back to the issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    None,
    Mild,
    Strong,
}

/// How complex the case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Complexity {
    Low,
    Medium,
    High,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Speaker {
    Agent,
    Customer,
}

/// One utterance.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Turn {
    start_ms: u64,
    end_ms: u64,
    speaker: Speaker,
    /// Whether it speaks of the issue, in whatever words.
    #[serde(default)]
    mention: bool,
    text: String,
}

impl Turn {
    fn span(&self) -> Span {
        Span::new(self.start_ms, self.end_ms)
    }
}

/// A dialogue with its notes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Annotated {
    pub(crate) number: usize,
    /// What the dialogue is an example of.
    pub(crate) kind: String,
    /// The topic of the issue; none where the customer does not come back to one.
    pub(crate) issue: Option<String>,
    /// For an issue outside of the lexicon: the names that are right, any of them.
    #[serde(default)]
    pub(crate) phrases: Vec<String>,
    pub(crate) concern: Level,
    pub(crate) skills: Vec<String>,
    pub(crate) complexity: Complexity,
    pub(crate) requested_language: Option<String>,
    turns: Vec<Turn>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    dialogue: Vec<Annotated>,
}

impl Annotated {
    pub(crate) const fn part(&self) -> Part {
        match self.number {
            number if number > SECOND_END => Part::Last,
            number if number > HALVES_END => Part::Second,
            number if number % 2 == 1 => Part::Development,
            _ => Part::HeldOut,
        }
    }

    /// What one speaker said.
    pub(crate) fn utterances(&self, speaker: Speaker) -> Vec<Utterance> {
        let turns = self.turns.iter().filter(|turn| turn.speaker == speaker);
        turns.map(|turn| Utterance { span: turn.span(), text: turn.text.clone() }).collect()
    }

    /// The spans of the utterances that speak of the issue.
    pub(crate) fn mentions(&self) -> Vec<Span> {
        self.turns.iter().filter(|turn| turn.mention).map(Turn::span).collect()
    }

    /// Whether the dialogue is about who speaks which language.
    pub(crate) fn names_a_language(&self) -> bool {
        self.kind.contains("a language")
    }

    /// Stops the test where the notes contradict each other.
    pub(crate) fn check(&self) {
        let name = format!("{} {}", self.number, self.kind);
        let has_issue = self.concern != Level::None;
        assert_eq!(self.issue.is_some(), has_issue, "{name}");
        assert_eq!(self.mentions().is_empty(), !has_issue, "{name}");
        assert_eq!(self.phrases.is_empty(), self.issue.as_deref() != Some(OTHER_TOPIC), "{name}");
        let known = |topic: &str| topic == OTHER_TOPIC || topic_ids().any(|id| id == topic);
        assert!(self.issue.iter().chain(&self.skills).all(|topic| known(topic)), "{name}");
        assert!(self.turns.iter().all(|turn| !turn.mention || turn.speaker == Speaker::Customer), "{name}");
        assert!(self.turns.iter().all(|turn| turn.start_ms < turn.end_ms), "{name}");
        assert!(self.turns.windows(2).all(|pair| pair[0].end_ms <= pair[1].start_ms), "{name}");
    }
}

/// All dialogues of a language, in the order of their numbers.
pub(crate) fn annotated(language: Language) -> Vec<Annotated> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogues");
    let text = std::fs::read_to_string(folder.join(language.file())).unwrap();
    let file: File = toml::from_str(&text).unwrap();
    file.dialogue
}
