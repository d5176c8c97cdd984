//! What an application says about its call in `customParameters`.
//!
//! A telephone call is not refused because of a parameter: one that cannot be read is left out and counted. One that
//! nobody knows is a label of the session and comes back in its summary.

use crate::app::Consent;
use crate::config::Secret;
use crate::routing::{LanguageLevel, SkillNeed};

use super::message::Track;

/// The longest text that a session takes from a parameter, in characters.
const MAX_CHARACTERS: usize = 200;
/// The most skills of one call.
const MAX_SKILLS: usize = 16;

/// The parameters that are known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parameters {
    /// The caller's own name for the call.
    pub call_id: Option<String>,
    /// The caller's own name for the customer.
    pub customer_id: Option<String>,
    /// The customer's language.
    pub language: Option<String>,
    /// How well the customer speaks it.
    pub language_level: Option<LanguageLevel>,
    /// The skills that the issue needs.
    pub needed_skills: Option<Vec<SkillNeed>>,
    /// How complex the issue is, 0 to 1.
    pub complexity: Option<f32>,
    /// How long the customer has waited.
    pub waiting_ms: Option<u64>,
    /// What the customer was told.
    pub consent: Option<Consent>,
    /// The caller's own reference to where that is recorded.
    pub consent_reference: Option<String>,
    /// The track of the customer's voice; in a call that an agent makes it is the outbound one.
    pub customer_track: Option<Track>,
    /// Whether 16-bit samples come with the high byte first.
    pub is_big_endian: Option<bool>,
    /// The names of the parameters that could not be read.
    pub faulty: Vec<String>,
    /// The API key, from a telephone company that can send no header.
    pub api_key: Option<Secret>,
    /// The parameters that are not known: words of the application's own about its call.
    pub labels: Vec<(String, String)>,
}

impl Parameters {
    /// Reads parameters.
    #[must_use]
    pub fn of(pairs: &[(String, String)]) -> Self {
        let mut parameters = Self::default();
        for (name, value) in pairs {
            match parameters.take(name, value.trim()) {
                Some(true) => {}
                Some(false) => parameters.faulty.push(name.clone()),
                None => parameters.label(name, value),
            }
        }
        parameters
    }

    /// Keeps one that is not known, if it is short enough for a label.
    fn label(&mut self, name: &str, value: &str) {
        if text(name).is_some() && value.chars().count() <= MAX_CHARACTERS {
            self.labels.push((name.to_owned(), value.to_owned()));
        } else {
            self.faulty.push(name.to_owned());
        }
    }

    /// Takes one; false where its value cannot be read, none where its name is not known.
    fn take(&mut self, name: &str, value: &str) -> Option<bool> {
        Some(match name {
            "api_key" => keep(&mut self.api_key, text(value).map(|key| Secret::from(key.as_str()))),
            "call_id" => keep(&mut self.call_id, text(value)),
            "customer_id" => keep(&mut self.customer_id, text(value)),
            "language" => keep(&mut self.language, language(value)),
            "language_level" => keep(&mut self.language_level, word(value)),
            "needed_skills" => keep(&mut self.needed_skills, skills(value)),
            "complexity" => keep(&mut self.complexity, within(value, 0.0, 1.0)),
            "waiting_ms" => keep(&mut self.waiting_ms, value.parse().ok()),
            "consent" => keep(&mut self.consent, word(value)),
            "consent_reference" => keep(&mut self.consent_reference, text(value)),
            "customer_track" => keep(&mut self.customer_track, Track::of(value)),
            "byte_order" => keep(
                &mut self.is_big_endian,
                match value {
                    "big" => Some(true),
                    "little" => Some(false),
                    _ => None,
                },
            ),
            _ => return None,
        })
    }
}

/// Keeps a value, if there is one.
fn keep<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    let is_there = value.is_some();
    if is_there {
        *place = value;
    }
    is_there
}

fn text(value: &str) -> Option<String> {
    (!value.is_empty() && value.chars().count() <= MAX_CHARACTERS).then(|| value.to_owned())
}

fn language(value: &str) -> Option<String> {
    oxilangtag::LanguageTag::parse(value).ok().map(|tag| tag.as_str().to_owned())
}

/// A value of a closed list, by its name on the wire.
fn word<T: serde::de::DeserializeOwned>(value: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::from(value)).ok()
}

fn within(value: &str, least: f32, most: f32) -> Option<f32> {
    value.parse().ok().filter(|number| (least..=most).contains(number))
}

/// Skills apart by commas, each with the level that is asked for behind a colon, if it matters: `refund:4, billing`.
fn skills(value: &str) -> Option<Vec<SkillNeed>> {
    let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty());
    let skill = |part: &str| {
        let (name, level) = match part.rsplit_once(':') {
            Some((name, level)) => (name.trim(), within(level.trim(), 1.0, 5.0)?),
            None => (part, 3.0),
        };
        Some(SkillNeed { name: text(name)?, level, must_have: false })
    };
    let skills: Option<Vec<_>> = parts.map(skill).collect();
    skills.filter(|skills| (1..=MAX_SKILLS).contains(&skills.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Parameters {
        let pairs: Vec<_> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Parameters::of(&pairs)
    }

    #[test]
    fn every_field_is_read() {
        let parameters = of(&[
            ("api_key", "hidden-words"),
            ("call_id", "call-1"),
            ("customer_id", " c-7 "),
            ("language", "pt-BR"),
            ("language_level", "B2"),
            ("needed_skills", "refund:4, billing,"),
            ("complexity", "0.5"),
            ("waiting_ms", "90000"),
            ("consent", "notice_given"),
            ("consent_reference", "ivr-12"),
            ("customer_track", "outbound"),
            ("byte_order", "big"),
        ]);
        let skill = |name: &str, level| SkillNeed { name: name.to_owned(), level, must_have: false };
        let expected = Parameters {
            call_id: Some("call-1".to_owned()),
            customer_id: Some("c-7".to_owned()),
            language: Some("pt-BR".to_owned()),
            language_level: Some(LanguageLevel::B2),
            needed_skills: Some(vec![skill("refund", 4.0), skill("billing", 3.0)]),
            complexity: Some(0.5),
            waiting_ms: Some(90_000),
            consent: Some(Consent::NoticeGiven),
            consent_reference: Some("ivr-12".to_owned()),
            customer_track: Some(Track::Outbound),
            is_big_endian: Some(true),
            faulty: Vec::new(),
            api_key: Some(Secret::from("hidden-words")),
            labels: Vec::new(),
        };
        assert_eq!(parameters, expected);
        assert!(!format!("{parameters:?}").contains("hidden-words"));
    }

    #[test]
    fn a_faulty_or_unknown_parameter_costs_the_call_nothing() {
        let long = "x".repeat(MAX_CHARACTERS + 1);
        let many = vec!["a"; MAX_SKILLS + 1].join(",");
        let faulty = [
            ("call_id", long.as_str()),
            ("language", "not a language"),
            ("language_level", "fluent"),
            ("needed_skills", "refund:9"),
            ("needed_skills", ","),
            ("needed_skills", many.as_str()),
            ("complexity", "NaN"),
            ("waiting_ms", "-1"),
            ("consent", "yes"),
            ("customer_track", "both_tracks"),
            ("byte_order", "middle"),
        ];
        let parameters = of(&faulty);
        assert_eq!(parameters.faulty, faulty.map(|(name, _)| name));
        assert_eq!(Parameters { faulty: Vec::new(), ..parameters }, Parameters::default());
    }

    #[test]
    fn what_is_not_known_becomes_a_label() {
        let parameters = of(&[("FirstName", "x"), ("", "y"), ("long", &"x".repeat(MAX_CHARACTERS + 1))]);
        assert_eq!(parameters.labels, [("FirstName".to_owned(), "x".to_owned())]);
        assert_eq!(parameters.faulty, ["", "long"]);
    }
}
