//! What the program hears in one dialogue, beside what was noted.

use heartline::emotion::{
    Concern, Need, OTHER_TOPIC, Span, find_concern, find_concern_in_call, infer_need, infer_need_in_call,
};

use super::annotated::{Annotated, Complexity, Level, Speaker};

/// From this score on a concern counts as strong; what is reported below it counts as mild.
pub(crate) const STRONG_FROM: f32 = 0.5;
/// From these values on a case counts as of medium and of high complexity.
const MEDIUM_FROM: f32 = 0.3;
const HIGH_FROM: f32 = 0.6;

/// Whose words are heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    Customer,
    Both,
}

impl Words {
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Customer => "The customer's words alone",
            Self::Both => "The customer's words, with the agent's between them",
        }
    }
}

/// A dialogue with what the program heard in it.
pub(crate) struct Heard {
    pub(crate) noted: Annotated,
    pub(crate) concern: Option<Concern>,
    pub(crate) need: Need,
}

/// Lets the program hear a dialogue.
pub(crate) fn hear(noted: Annotated, words: Words) -> Heard {
    let customer = noted.utterances(Speaker::Customer);
    let agent = noted.utterances(Speaker::Agent);
    let (concern, need) = match words {
        Words::Customer => {
            let concern = find_concern(&customer);
            let need = infer_need(&customer, &concern);
            (concern, need)
        }
        Words::Both => {
            let concern = find_concern_in_call(&customer, &agent);
            let need = infer_need_in_call(&customer, &agent, &concern);
            (concern, need)
        }
    };
    Heard { noted, concern, need }
}

impl Heard {
    /// The concern's score; 0 where none was heard.
    pub(crate) fn score(&self) -> f32 {
        self.concern.as_ref().map_or(0.0, |concern| concern.score)
    }

    pub(crate) fn level(&self) -> Level {
        match &self.concern {
            None => Level::None,
            Some(concern) if concern.score < STRONG_FROM => Level::Mild,
            Some(_) => Level::Strong,
        }
    }

    /// Whether the issue that was heard is the one that was noted.
    pub(crate) fn is_right_issue(&self) -> bool {
        let (Some(concern), Some(issue)) = (&self.concern, &self.noted.issue) else { return false };
        let names = |phrase: &String| {
            let heard = concern.issue.to_lowercase();
            heard.contains(phrase.as_str()) || phrase.contains(&heard)
        };
        concern.topic == *issue && (issue != OTHER_TOPIC || self.noted.phrases.iter().any(names))
    }

    pub(crate) fn complexity(&self) -> Complexity {
        match self.need.complexity {
            value if value < MEDIUM_FROM => Complexity::Low,
            value if value < HIGH_FROM => Complexity::Medium,
            _ => Complexity::High,
        }
    }

    /// The spans that were heard.
    pub(crate) fn spans(&self) -> &[Span] {
        self.concern.as_ref().map_or(&[], |concern| concern.spans.as_slice())
    }
}
