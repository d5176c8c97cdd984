//! What a ranking is asked with.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LanguageLevel, RoutingError, RoutingLimits};
use crate::emotion::EmotionVector;

/// The most agents whose scores are explained in one ranking: an explanation is one call of a matcher an agent.
pub const EXPLAIN_LIMIT: usize = 20;
/// The most languages beside the main one.
const OTHER_LANGUAGES_LIMIT: usize = 15;

/// What a ranking is made for: the customer's state and needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RankingRequest {
    /// The customer's state.
    pub emotion: EmotionVector,
    /// The customer's main language as a BCP 47 tag; left out where it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// How well the customer speaks it; left out where it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language_level: Option<LanguageLevel>,
    /// Further languages of a customer who goes from one to another; the main one has the rest of the shares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_languages: Vec<OtherLanguage>,
    /// Whether an interpreter can be brought into the call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interpreter: bool,
    /// The skills that the issue needs.
    #[serde(default)]
    pub needed_skills: Vec<SkillNeed>,
    /// How complex the issue is, 0 to 1.
    #[serde(default)]
    pub complexity: f32,
    /// How long the customer has waited, in milliseconds.
    #[serde(default)]
    pub waiting_ms: u64,
    /// The policy that ranks; left out, the active one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// How many agents the answer names, of those who could take the call and of those who could not; left out, 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top: Option<usize>,
    /// How many of the first agents have their scores explained by the matchers, at most 20.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub explain: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// A language beside the main one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherLanguage {
    /// A BCP 47 tag.
    pub language: String,
    /// The share of what the customer says in it, above 0 and at most 1.
    pub share: f32,
    /// How well the customer speaks it; left out where it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<LanguageLevel>,
}

impl RankingRequest {
    /// A request for a customer in this state of whom nothing else is known.
    #[must_use]
    pub const fn new(emotion: EmotionVector) -> Self {
        Self {
            emotion,
            language: None,
            language_level: None,
            other_languages: Vec::new(),
            interpreter: false,
            needed_skills: Vec::new(),
            complexity: 0.0,
            waiting_ms: 0,
            policy: None,
            top: None,
            explain: 0,
        }
    }

    /// Checks the values that come from outside.
    ///
    /// # Errors
    /// [`RoutingError::Request`] names the first value that is out of range.
    pub fn validate(&self, limits: &RoutingLimits) -> Result<(), RoutingError> {
        let fault = |problem: String| Err(RoutingError::Request(problem));
        if let Some(Err(error)) = self.language.as_deref().map(oxilangtag::LanguageTag::parse) {
            return fault(format!("language is not a BCP 47 tag: {error}"));
        }
        self.check_other_languages()?;
        if !(0.0..=1.0).contains(&self.complexity) {
            return fault(format!("complexity {} is not within 0 to 1", self.complexity));
        }
        if self.top.is_some_and(|top| top == 0 || top > limits.max_agents) {
            return fault(format!("top is not within 1 to {}", limits.max_agents));
        }
        if self.explain > EXPLAIN_LIMIT {
            return fault(format!("explain {} is not within 0 to {EXPLAIN_LIMIT}", self.explain));
        }
        if self.needed_skills.len() > limits.max_skills {
            let (found, limit) = (self.needed_skills.len(), limits.max_skills);
            return fault(format!("{found} needed skills are more than the limit of {limit}"));
        }
        for need in &self.needed_skills {
            let characters = need.name.chars().count();
            if characters == 0 || characters > limits.max_name_characters {
                return fault(format!("a needed skill's name has {characters} characters"));
            }
            if !(1.0..=5.0).contains(&need.level) {
                return fault(format!(
                    "needed skill {}: level {} is not within 1 to 5",
                    need.name, need.level
                ));
            }
        }
        Ok(())
    }

    fn check_other_languages(&self) -> Result<(), RoutingError> {
        let fault = |problem: String| Err(RoutingError::Request(problem));
        let others = &self.other_languages;
        if others.len() > OTHER_LANGUAGES_LIMIT {
            return fault(format!("{} other languages are more than {OTHER_LANGUAGES_LIMIT}", others.len()));
        }
        for (index, other) in others.iter().enumerate() {
            let tag = &other.language;
            if let Err(error) = oxilangtag::LanguageTag::parse(tag.as_str()) {
                return fault(format!("other_languages[{index}] is not a BCP 47 tag: {error}"));
            }
            let is_known = |known: &str| known.eq_ignore_ascii_case(tag);
            if self.language.as_deref().is_some_and(is_known)
                || others[..index].iter().any(|earlier| is_known(&earlier.language))
            {
                return fault(format!("other_languages[{index}]: {tag} is there twice"));
            }
            if !(other.share > 0.0 && other.share <= 1.0) {
                return fault(format!(
                    "other_languages[{index}]: share {} is not above 0 and at most 1",
                    other.share
                ));
            }
        }
        let sum: f32 = others.iter().map(|other| other.share).sum();
        let is_too_much = if self.language.is_some() { sum >= 1.0 } else { sum > 1.0 + f32::EPSILON };
        if is_too_much {
            return fault(format!("the shares of other_languages sum to {sum}, which leaves nothing"));
        }
        Ok(())
    }
}

/// A skill that the issue needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SkillNeed {
    /// The skill's name, as in the agents' skills.
    pub name: String,
    /// The level asked for, 1 to 5.
    #[serde(default = "middle_level")]
    pub level: f32,
    /// Whether an agent without it is of no use.
    #[serde(default)]
    pub must_have: bool,
}

const fn middle_level() -> f32 {
    3.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotion::{FusionConfig, fuse};

    fn request() -> RankingRequest {
        RankingRequest::new(fuse(&[], None, &FusionConfig::default()).vector)
    }

    fn problem(request: &RankingRequest) -> String {
        request.validate(&RoutingLimits::default()).map_or_else(|error| error.to_string(), |()| String::new())
    }

    fn other(language: &str, share: f32) -> OtherLanguage {
        OtherLanguage { language: language.to_owned(), share, level: None }
    }

    #[test]
    fn languages_must_leave_the_main_one_a_share() {
        let mixed = |others: Vec<OtherLanguage>| RankingRequest {
            language: Some("es".to_owned()),
            other_languages: others,
            ..request()
        };
        assert_eq!(problem(&mixed(vec![other("en", 0.3), other("fr", 0.2)])), "");
        for others in [
            vec![other("en", 1.0)],
            vec![other("en", 0.0)],
            vec![other("en", f32::NAN)],
            vec![other("ES", 0.3)],
            vec![other("en", 0.1), other("en", 0.1)],
            vec![other("not a tag", 0.1)],
            vec![other("en", 0.01); OTHER_LANGUAGES_LIMIT + 1],
        ] {
            assert!(problem(&mixed(others.clone())).contains("other"), "{others:?}");
        }
        let only_others =
            RankingRequest { other_languages: vec![other("en", 0.5), other("es", 0.5)], ..request() };
        assert_eq!(problem(&only_others), "");
    }

    #[test]
    fn how_much_is_answered_has_bounds() {
        assert!(problem(&RankingRequest { top: Some(0), ..request() }).contains("top"));
        assert!(problem(&RankingRequest { top: Some(100_001), ..request() }).contains("top"));
        assert!(problem(&RankingRequest { explain: EXPLAIN_LIMIT + 1, ..request() }).contains("explain"));
        assert_eq!(problem(&RankingRequest { top: Some(1), explain: EXPLAIN_LIMIT, ..request() }), "");
    }

    #[test]
    fn what_is_not_asked_is_not_written() {
        let written = serde_json::to_value(request()).unwrap();
        for key in ["policy", "top", "explain", "interpreter", "other_languages"] {
            assert!(written.get(key).is_none(), "{key}");
        }
    }
}
