//! From untrusted JSON to checked agents, with all faults reported at once.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Agent, AgentFault, Attribute, RoutingError};

/// Limits on a list of agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoutingLimits {
    /// Agents in one request.
    pub max_agents: usize,
    /// Skills of one agent, and skills needed by one request.
    pub max_skills: usize,
    /// Languages of one agent.
    pub max_languages: usize,
    /// Characters of an identifier, a name, a skill, a language tag or an attribute's name.
    pub max_name_characters: usize,
    /// Attributes of one agent, and different attributes of all agents together.
    pub max_attributes: usize,
    /// Characters of an attribute that is a text.
    pub max_attribute_characters: usize,
}

impl Default for RoutingLimits {
    fn default() -> Self {
        Self {
            max_agents: 100_000,
            max_skills: 256,
            max_languages: 64,
            max_name_characters: 128,
            max_attributes: 64,
            max_attribute_characters: 256,
        }
    }
}

impl RoutingLimits {
    /// What is wrong with these values, as pairs of key and problem.
    #[must_use]
    pub fn validate(&self) -> Vec<(String, String)> {
        let checks = [
            ("max_agents", self.max_agents, 1_000_000),
            ("max_skills", self.max_skills, 4_096),
            ("max_languages", self.max_languages, 1_024),
            ("max_name_characters", self.max_name_characters, 4_096),
            ("max_attributes", self.max_attributes, 1_024),
            ("max_attribute_characters", self.max_attribute_characters, 4_096),
        ];
        checks
            .into_iter()
            .filter(|(_, value, highest)| *value == 0 || value > highest)
            .map(|(key, value, highest)| (key.to_owned(), format!("{value} is not within 1 to {highest}")))
            .collect()
    }
}

/// Reads a list of agents: a JSON array, or an object whose only member is `agents`.
///
/// # Errors
/// [`RoutingError::Unreadable`], [`RoutingError::TooManyAgents`], [`RoutingError::NoAgents`], or
/// [`RoutingError::Agents`] with every fault.
pub fn parse_agents(json: &[u8], limits: &RoutingLimits) -> Result<Vec<Agent>, RoutingError> {
    let value = serde_json::from_slice(json).map_err(|error| RoutingError::Unreadable(error.to_string()))?;
    read_agents(value, limits)
}

/// As [`parse_agents`], of JSON that was parsed already.
///
/// # Errors
/// As [`parse_agents`], except [`RoutingError::Unreadable`] for what is no JSON.
pub fn read_agents(value: Value, limits: &RoutingLimits) -> Result<Vec<Agent>, RoutingError> {
    let list = match value {
        Value::Array(list) => list,
        Value::Object(mut object) if object.len() == 1 => match object.remove("agents") {
            Some(Value::Array(list)) => list,
            _ => return Err(not_a_list()),
        },
        _ => return Err(not_a_list()),
    };
    check_count(list.len(), limits)?;
    let mut agents = Vec::with_capacity(list.len());
    let mut faults = Vec::new();
    for (index, value) in list.into_iter().enumerate() {
        match Agent::deserialize(value) {
            Ok(agent) => agents.push(agent),
            Err(error) => faults.push(AgentFault { index, field: String::new(), problem: error.to_string() }),
        }
    }
    if faults.is_empty() {
        check_agents(&agents, limits).map(|()| agents)
    } else {
        Err(RoutingError::Agents(faults))
    }
}

fn not_a_list() -> RoutingError {
    RoutingError::Unreadable(
        "expected an array of agents, or an object with the one member \"agents\"".to_owned(),
    )
}

fn check_count(found: usize, limits: &RoutingLimits) -> Result<(), RoutingError> {
    match found {
        0 => Err(RoutingError::NoAgents),
        _ if found > limits.max_agents => {
            Err(RoutingError::TooManyAgents { limit: limits.max_agents, found })
        }
        _ => Ok(()),
    }
}

/// Checks agents that were read elsewhere, for example as part of a larger request.
///
/// # Errors
/// As [`parse_agents`].
pub fn check_agents(agents: &[Agent], limits: &RoutingLimits) -> Result<(), RoutingError> {
    check_count(agents.len(), limits)?;
    let mut faults = Vec::new();
    let mut seen = HashSet::with_capacity(agents.len());
    let mut kinds = HashMap::new();
    for (index, agent) in agents.iter().enumerate() {
        let mut fault = |field: String, problem: String| faults.push(AgentFault { index, field, problem });
        if !seen.insert(agent.id.as_str()) {
            fault("id".to_owned(), format!("\"{}\" is there twice", agent.id));
        }
        check_agent(agent, limits, &mut fault);
        check_attributes(agent, limits, &mut kinds, &mut fault);
    }
    if faults.is_empty() { Ok(()) } else { Err(RoutingError::Agents(faults)) }
}

fn check_agent(agent: &Agent, limits: &RoutingLimits, fault: &mut impl FnMut(String, String)) {
    check_name("id", &agent.id, limits, fault);
    if let Some(name) = &agent.name {
        check_name("name", name, limits, fault);
    }
    if agent.skills.len() > limits.max_skills {
        fault(
            "skills".to_owned(),
            format!("{} are more than the limit of {}", agent.skills.len(), limits.max_skills),
        );
    }
    for (skill, level) in &agent.skills {
        check_name("skills", skill, limits, fault);
        if !(1.0..=5.0).contains(level) {
            fault(format!("skills.{skill}"), format!("level {level} is not within 1 to 5"));
        }
    }
    if agent.languages.len() > limits.max_languages {
        let count = agent.languages.len();
        fault("languages".to_owned(), format!("{count} are more than the limit of {}", limits.max_languages));
    }
    for tag in agent.languages.keys() {
        check_name("languages", tag, limits, fault);
        if let Err(error) = oxilangtag::LanguageTag::parse(tag.as_str()) {
            fault(format!("languages.{tag}"), format!("not a BCP 47 tag: {error}"));
        }
    }
    for (name, value) in agent.attitude.traits() {
        if let Some(value) = value.filter(|value| !(0.0..=1.0).contains(value)) {
            fault(format!("attitude.{name}"), format!("{value} is not within 0 to 1"));
        }
    }
    let outcomes = agent.outcomes;
    if outcomes.upset_resolved > outcomes.resolved || outcomes.upset_unresolved > outcomes.unresolved {
        fault("outcomes".to_owned(), "more calls of upset customers than calls".to_owned());
    }
    if agent.capacity == 0 {
        fault(
            "capacity".to_owned(),
            "0 tasks at once; an agent who takes no calls has the activity offline".to_owned(),
        );
    }
}

/// Checks attributes; `kinds` remembers what each of them is, because a column for the matchers has one kind.
fn check_attributes<'agents>(
    agent: &'agents Agent,
    limits: &RoutingLimits,
    kinds: &mut HashMap<&'agents str, &'static str>,
    fault: &mut impl FnMut(String, String),
) {
    if agent.attributes.len() > limits.max_attributes {
        let (found, limit) = (agent.attributes.len(), limits.max_attributes);
        fault("attributes".to_owned(), format!("{found} are more than the limit of {limit}"));
        return;
    }
    for (name, value) in &agent.attributes {
        check_name("attributes", name, limits, fault);
        let field = || format!("attributes.{name}");
        if !kinds.contains_key(name.as_str()) && kinds.len() >= limits.max_attributes {
            let limit = limits.max_attributes;
            fault(field(), format!("all agents together have more than {limit} different attributes"));
            continue;
        }
        let kind = kinds.entry(name).or_insert_with(|| value.kind());
        if *kind != value.kind() {
            fault(field(), format!("is {}, and {kind} of another agent", value.kind()));
        }
        match value {
            // What JSON can write is finite; agents that were not read from JSON are checked all the same.
            Attribute::Number(number) if !number.is_finite() => fault(field(), "is not finite".to_owned()),
            Attribute::Text(text) if text.chars().count() > limits.max_attribute_characters => {
                let (found, limit) = (text.chars().count(), limits.max_attribute_characters);
                fault(field(), format!("{found} characters are more than the limit of {limit}"));
            }
            _ => {}
        }
    }
}

fn check_name(field: &str, text: &str, limits: &RoutingLimits, fault: &mut impl FnMut(String, String)) {
    let characters = text.chars().count();
    if characters == 0 {
        fault(field.to_owned(), "is empty".to_owned());
    } else if characters > limits.max_name_characters {
        let limit = limits.max_name_characters;
        fault(field.to_owned(), format!("{characters} characters are more than the limit of {limit}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Vec<Agent>, RoutingError> {
        parse_agents(json.as_bytes(), &RoutingLimits::default())
    }

    #[test]
    fn a_list_and_an_object_are_read() {
        assert_eq!(parse(r#"[{"id": "a"}]"#).unwrap().len(), 1);
        assert_eq!(parse(r#"{"agents": [{"id": "a"}, {"id": "b"}]}"#).unwrap().len(), 2);
    }

    #[test]
    fn unknown_fields_are_named_with_the_expected_ones() {
        let message = parse(r#"[{"id": "a"}, {"id": "b", "skils": {}}]"#).unwrap_err().to_string();
        assert!(
            message.contains("agents[1]") && message.contains("skils") && message.contains("`skills`"),
            "{message}"
        );
    }

    #[test]
    fn every_fault_is_reported() {
        let json = r#"[
            {"id": "a", "skills": {"refund": 9}, "attitude": {"calm": 1.5}},
            {"id": "a", "languages": {"not a tag": "B2"}, "capacity": 0}
        ]"#;
        let Err(RoutingError::Agents(faults)) = parse(json) else { panic!("faults were expected") };
        let fields: Vec<_> = faults.iter().map(|fault| (fault.index, fault.field.as_str())).collect();
        let expected = [
            (0, "skills.refund"),
            (0, "attitude.calm"),
            (1, "id"),
            (1, "languages.not a tag"),
            (1, "capacity"),
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn limits_hold() {
        let limits = RoutingLimits {
            max_agents: 1,
            max_skills: 1,
            max_name_characters: 3,
            ..RoutingLimits::default()
        };
        let read = |json: &str| parse_agents(json.as_bytes(), &limits);
        assert!(matches!(read("[]"), Err(RoutingError::NoAgents)));
        assert!(matches!(
            read(r#"[{"id": "a"}, {"id": "b"}]"#),
            Err(RoutingError::TooManyAgents { found: 2, .. })
        ));
        assert!(matches!(read(r#"[{"id": "abcd"}]"#), Err(RoutingError::Agents(_))));
        assert!(matches!(read(r#"[{"id": "a", "skills": {"x": 1, "y": 1}}]"#), Err(RoutingError::Agents(_))));
    }

    #[test]
    fn attributes_have_one_kind_and_limits() {
        let agents = parse(
            r#"[{"id": "a", "attributes": {"vip": true, "site": "Lisbon", "years": 4}},
                {"id": "b", "attributes": {"vip": false}}]"#,
        )
        .unwrap();
        assert_eq!(agents[0].attributes["site"], Attribute::Text("Lisbon".to_owned()));
        let faults = |json: &str, limits: &RoutingLimits| match parse_agents(json.as_bytes(), limits) {
            Err(RoutingError::Agents(faults)) => faults,
            other => panic!("{other:?}"),
        };
        let mixed =
            r#"[{"id": "a", "attributes": {"vip": true}}, {"id": "b", "attributes": {"vip": "yes"}}]"#;
        let found = faults(mixed, &RoutingLimits::default());
        assert_eq!((found[0].index, found[0].field.as_str()), (1, "attributes.vip"));
        assert!(found[0].problem.contains("a text") && found[0].problem.contains("a flag"), "{}", found[0]);
        let limits =
            RoutingLimits { max_attributes: 1, max_attribute_characters: 2, ..RoutingLimits::default() };
        assert_eq!(faults(r#"[{"id": "a", "attributes": {"x": 1, "y": 1}}]"#, &limits).len(), 1);
        assert_eq!(faults(r#"[{"id": "a", "attributes": {"x": "abc"}}]"#, &limits).len(), 1);
        let spread = r#"[{"id": "a", "attributes": {"x": 1}}, {"id": "b", "attributes": {"y": 1}}]"#;
        assert_eq!(faults(spread, &limits)[0].field, "attributes.y");
        assert!(parse(r#"[{"id": "a", "attributes": {"x": [1]}}]"#).is_err());
        assert!(parse(r#"[{"id": "a", "attributes": {"": 1}}]"#).is_err());
    }

    #[test]
    fn other_json_is_refused() {
        for json in ["", "3", "{}", r#"{"agents": 1}"#, r#"{"agents": [], "more": 1}"#, "[3]"] {
            assert!(parse(json).is_err(), "{json}");
        }
    }

    #[test]
    fn limits_have_limits() {
        assert!(RoutingLimits::default().validate().is_empty());
        let limits = RoutingLimits { max_agents: 0, max_skills: 5_000, ..RoutingLimits::default() };
        assert_eq!(limits.validate().len(), 2);
    }
}
