//! Rules that keep agents out, whatever the matchers say.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::name_problem;
use crate::routing::{Agent, Attribute, LanguageLevel, RankingRequest};

/// How many values one rule may list.
const VALUE_LIMIT: usize = 10_000;

/// A named rule: an agent for whom it does not hold is excluded, and the name says why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// The filter's name, shown with every agent it keeps out.
    pub name: String,
    /// What must hold.
    pub require: Rule,
}

/// What must hold for an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// The agent has the skills that the issue needs, each at the level that is asked for.
    NeededSkills {
        /// How far below the level that is asked for the agent's may be, in levels.
        #[serde(default)]
        slack: f32,
        /// Whether only the skills count that are a must.
        #[serde(default)]
        must_have_only: bool,
    },
    /// The agent has a skill.
    SkillAtLeast {
        /// The skill.
        skill: String,
        /// The least level, 1 to 5.
        level: f32,
    },
    /// The agent speaks the customer's main language; it holds for everybody where that is not known.
    SpeaksCustomersLanguage {
        /// The least level.
        level: LanguageLevel,
    },
    /// The agent speaks one of these languages.
    SpeaksOneOf {
        /// BCP 47 tags; regions and scripts are not told apart.
        languages: Vec<String>,
        /// The least level.
        level: LanguageLevel,
    },
    /// An attribute is this.
    AttributeIs {
        /// The attribute's name.
        attribute: String,
        /// The value.
        value: Attribute,
    },
    /// An attribute is one of these.
    AttributeOneOf {
        /// The attribute's name.
        attribute: String,
        /// The values.
        values: Vec<Attribute>,
    },
    /// An attribute is a number, and not less.
    AttributeAtLeast {
        /// The attribute's name.
        attribute: String,
        /// The least value.
        value: f64,
    },
    /// An attribute is a number, and not more.
    AttributeAtMost {
        /// The attribute's name.
        attribute: String,
        /// The highest value.
        value: f64,
    },
    /// No more than this share of the agent's capacity is in use.
    MaxLoad {
        /// The share, 0 to 1.
        share: f32,
    },
    /// The agent has had no task for a while.
    IdleAtLeast {
        /// The time, in milliseconds.
        ms: u64,
    },
    /// The agent is none of these.
    NotAgents {
        /// Their identifiers.
        agents: Vec<String>,
    },
}

impl Filter {
    /// What is wrong with this filter, as pairs of key and problem.
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if let Some(problem) = name_problem(&self.name) {
            problems.push(("name".to_owned(), problem));
        }
        if let Some((key, problem)) = self.require.problem() {
            problems.push((format!("require.{key}"), problem));
        }
        problems
    }
}

impl Rule {
    fn problem(&self) -> Option<(&'static str, String)> {
        let outside = |key, value: f32, low: f32, high: f32| {
            let problem = || (key, format!("{value} is not within {low} to {high}"));
            (!(low..=high).contains(&value)).then(problem)
        };
        let empty = |key, text: &str| text.is_empty().then(|| (key, "is empty".to_owned()));
        let count = |key, found: usize| {
            let problem = || (key, format!("{found} values are not 1 to {VALUE_LIMIT}"));
            (!(1..=VALUE_LIMIT).contains(&found)).then(problem)
        };
        let number = |value: &Attribute| if let Attribute::Number(number) = value { *number } else { 0.0 };
        let infinite = |value: f64| (!value.is_finite()).then(|| ("value", "is not finite".to_owned()));
        match self {
            Self::NeededSkills { slack, .. } => outside("slack", *slack, 0.0, 4.0),
            Self::SkillAtLeast { skill, level } => {
                empty("skill", skill).or_else(|| outside("level", *level, 1.0, 5.0))
            }
            Self::SpeaksCustomersLanguage { .. } | Self::IdleAtLeast { .. } => None,
            Self::SpeaksOneOf { languages, .. } => count("languages", languages.len()).or_else(|| {
                let wrong = |tag: &&String| oxilangtag::LanguageTag::parse(tag.as_str()).is_err();
                let tag = languages.iter().find(wrong)?;
                Some(("languages", format!("\"{tag}\" is not a BCP 47 tag")))
            }),
            Self::AttributeIs { attribute, value } => {
                empty("attribute", attribute).or_else(|| infinite(number(value)))
            }
            Self::AttributeOneOf { attribute, values } => empty("attribute", attribute)
                .or_else(|| count("values", values.len()))
                .or_else(|| values.iter().map(number).find_map(infinite)),
            Self::AttributeAtLeast { attribute, value } | Self::AttributeAtMost { attribute, value } => {
                empty("attribute", attribute).or_else(|| infinite(*value))
            }
            Self::MaxLoad { share } => outside("share", *share, 0.0, 1.0),
            Self::NotAgents { agents } => count("agents", agents.len()),
        }
    }

    /// Whether the rule holds for an agent with this share of the capacity in use.
    pub(in crate::routing) fn holds(&self, agent: &Agent, load: f32, request: &RankingRequest) -> bool {
        let has_skill =
            |name: &str, level: f32| agent.skills.get(name).is_some_and(|own| *own + 1e-6 >= level);
        match self {
            Self::NeededSkills { slack, must_have_only } => request
                .needed_skills
                .iter()
                .filter(|need| need.must_have || !must_have_only)
                .all(|need| has_skill(&need.name, need.level - slack)),
            Self::SkillAtLeast { skill, level } => has_skill(skill, *level),
            Self::SpeaksCustomersLanguage { level } => {
                request.language.as_deref().is_none_or(|tag| speaks(agent, tag, *level))
            }
            Self::SpeaksOneOf { languages, level } => languages.iter().any(|tag| speaks(agent, tag, *level)),
            Self::AttributeIs { attribute, value } => agent.attributes.get(attribute) == Some(value),
            Self::AttributeOneOf { attribute, values } => {
                agent.attributes.get(attribute).is_some_and(|own| values.contains(own))
            }
            Self::AttributeAtLeast { attribute, value } => {
                number(agent, attribute).is_some_and(|own| own >= *value)
            }
            Self::AttributeAtMost { attribute, value } => {
                number(agent, attribute).is_some_and(|own| own <= *value)
            }
            Self::MaxLoad { share } => load <= *share,
            Self::IdleAtLeast { ms } => agent.idle_ms >= *ms,
            Self::NotAgents { agents } => !agents.contains(&agent.id),
        }
    }

    /// Why an agent for whom the rule does not hold is kept out.
    pub(in crate::routing) fn reason(&self) -> String {
        match self {
            Self::NeededSkills { .. } => "lacks a needed skill at the level asked for".to_owned(),
            Self::SkillAtLeast { skill, level } => format!("does not have {skill} at level {level}"),
            Self::SpeaksCustomersLanguage { level } => {
                format!("does not speak the customer's language at {level:?}")
            }
            Self::SpeaksOneOf { languages, level } => {
                format!("speaks none of {} at {level:?}", shown(languages.iter()))
            }
            Self::AttributeIs { attribute, value } => format!("{attribute} is not {value}"),
            Self::AttributeOneOf { attribute, values } => {
                format!("{attribute} is none of {}", shown(values.iter()))
            }
            Self::AttributeAtLeast { attribute, value } => format!("{attribute} is not at least {value}"),
            Self::AttributeAtMost { attribute, value } => format!("{attribute} is not at most {value}"),
            Self::MaxLoad { share } => format!("more than {share} of the capacity is in use"),
            Self::IdleAtLeast { ms } => format!("had a task within the last {ms} ms"),
            Self::NotAgents { .. } => "is named as kept out".to_owned(),
        }
    }
}

/// The first of some values in words.
fn shown<T: std::fmt::Display>(values: impl ExactSizeIterator<Item = T>) -> String {
    const SHOWN: usize = 5;
    let hidden = values.len().saturating_sub(SHOWN);
    let mut words: Vec<String> = values.take(SHOWN).map(|value| value.to_string()).collect();
    if hidden > 0 {
        words.push(format!("{hidden} more"));
    }
    words.join(", ")
}

fn number(agent: &Agent, attribute: &str) -> Option<f64> {
    match agent.attributes.get(attribute) {
        Some(Attribute::Number(number)) => Some(*number),
        _ => None,
    }
}

/// Whether an agent speaks a language; who speaks British English speaks English.
fn speaks(agent: &Agent, tag: &str, level: LanguageLevel) -> bool {
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let wanted = primary(tag);
    agent.languages.iter().any(|(own, own_level)| *own_level >= level && primary(own) == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotion::{FusionConfig, fuse};
    use crate::routing::SkillNeed;

    fn request() -> RankingRequest {
        let need = |name: &str, must_have| SkillNeed { name: name.to_owned(), level: 3.0, must_have };
        RankingRequest {
            language: Some("pt-BR".to_owned()),
            needed_skills: vec![need("refund", true), need("billing", false)],
            ..RankingRequest::new(fuse(&[], None, &FusionConfig::default()).vector)
        }
    }

    fn agent() -> Agent {
        serde_json::from_str(
            r#"{"id": "ana", "skills": {"refund": 4, "billing": 2.5}, "languages": {"pt-PT": "C1", "en": "A2"},
                "idle_ms": 1000, "attributes": {"site": "Lisbon", "years": 3, "vip": true}}"#,
        )
        .unwrap()
    }

    fn holds(rule: &str) -> bool {
        let rule: Rule = serde_json::from_str(rule).unwrap_or_else(|error| panic!("{rule}: {error}"));
        assert_eq!(rule.problem(), None);
        assert!(!rule.reason().is_empty());
        rule.holds(&agent(), 0.5, &request())
    }

    #[test]
    fn rules_hold_or_do_not() {
        for (rule, expected) in [
            (r#"{"rule": "needed_skills"}"#, false),
            (r#"{"rule": "needed_skills", "slack": 0.5}"#, true),
            (r#"{"rule": "needed_skills", "must_have_only": true}"#, true),
            (r#"{"rule": "skill_at_least", "skill": "refund", "level": 4}"#, true),
            (r#"{"rule": "skill_at_least", "skill": "refund", "level": 4.5}"#, false),
            (r#"{"rule": "skill_at_least", "skill": "chess", "level": 1}"#, false),
            (r#"{"rule": "speaks_customers_language", "level": "C1"}"#, true),
            (r#"{"rule": "speaks_customers_language", "level": "native"}"#, false),
            (r#"{"rule": "speaks_one_of", "languages": ["EN-US", "de"], "level": "A2"}"#, true),
            (r#"{"rule": "speaks_one_of", "languages": ["en", "de"], "level": "B1"}"#, false),
            (r#"{"rule": "attribute_is", "attribute": "vip", "value": true}"#, true),
            (r#"{"rule": "attribute_is", "attribute": "vip", "value": "true"}"#, false),
            (r#"{"rule": "attribute_is", "attribute": "none", "value": true}"#, false),
            (r#"{"rule": "attribute_one_of", "attribute": "site", "values": ["Porto", "Lisbon"]}"#, true),
            (r#"{"rule": "attribute_one_of", "attribute": "site", "values": ["Porto"]}"#, false),
            (r#"{"rule": "attribute_at_least", "attribute": "years", "value": 3}"#, true),
            (r#"{"rule": "attribute_at_least", "attribute": "site", "value": 3}"#, false),
            (r#"{"rule": "attribute_at_most", "attribute": "years", "value": 2.9}"#, false),
            (r#"{"rule": "max_load", "share": 0.5}"#, true),
            (r#"{"rule": "max_load", "share": 0.4}"#, false),
            (r#"{"rule": "idle_at_least", "ms": 1000}"#, true),
            (r#"{"rule": "idle_at_least", "ms": 1001}"#, false),
            (r#"{"rule": "not_agents", "agents": ["bo"]}"#, true),
            (r#"{"rule": "not_agents", "agents": ["bo", "ana"]}"#, false),
        ] {
            assert_eq!(holds(rule), expected, "{rule}");
        }
    }

    #[test]
    fn an_unknown_language_keeps_nobody_out() {
        let rule = Rule::SpeaksCustomersLanguage { level: LanguageLevel::Native };
        let request = RankingRequest { language: None, ..request() };
        assert!(rule.holds(&agent(), 0.0, &request));
    }

    #[test]
    fn faults_name_the_key() {
        for (rule, key) in [
            (Rule::NeededSkills { slack: -1.0, must_have_only: false }, "slack"),
            (Rule::SkillAtLeast { skill: String::new(), level: 1.0 }, "skill"),
            (Rule::SkillAtLeast { skill: "x".to_owned(), level: 9.0 }, "level"),
            (Rule::SpeaksOneOf { languages: vec![], level: LanguageLevel::A1 }, "languages"),
            (
                Rule::SpeaksOneOf { languages: vec!["not a tag".to_owned()], level: LanguageLevel::A1 },
                "languages",
            ),
            (Rule::AttributeAtMost { attribute: "x".to_owned(), value: f64::NAN }, "value"),
            (Rule::AttributeOneOf { attribute: "x".to_owned(), values: vec![] }, "values"),
            (
                Rule::AttributeIs { attribute: "x".to_owned(), value: Attribute::Number(f64::INFINITY) },
                "value",
            ),
            (
                Rule::AttributeOneOf {
                    attribute: "x".to_owned(),
                    values: vec![Attribute::Flag(true), Attribute::Number(f64::NAN)],
                },
                "value",
            ),
            (Rule::MaxLoad { share: 1.5 }, "share"),
            (Rule::NotAgents { agents: vec![] }, "agents"),
        ] {
            assert_eq!(rule.problem().map(|(key, _)| key), Some(key), "{rule:?}");
        }
    }

    #[test]
    fn long_lists_are_cut_in_words() {
        let values: Vec<u32> = (0..8).collect();
        assert_eq!(shown(values.iter()), "0, 1, 2, 3, 4, 3 more");
    }
}
