//! The parameters of a request and of what it asks for, on both wires the same.
//!
//! A parameter that nobody here knows is ignored, as the protocol's extension has it: clients use them for other
//! servers' needs. Reserved names that ask for something else than what is served are refused, because ignoring them
//! would promise it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::fault::{invalid, shown};
use super::limits::{CLASS_LIMIT, NAME_LIMIT};
use crate::app::Role;
use crate::http::ApiError;

/// What names begin with that belong to the protocol's extensions.
const RESERVED: &str = "triton_";
/// The extension in which a stream's last answer is marked.
const FINAL: &str = "triton_enable_empty_final_response";
/// What parameters begin with that ask for shared memory.
const SHARED_MEMORY: &str = "shared_memory";

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum ParameterValue {
    /// True or false.
    Flag(bool),
    /// A whole number that is not negative.
    Whole(u64),
    /// Any other number.
    Number(f64),
    /// A text.
    Text(String),
}

/// The parameters of a request that mean something here.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallParameters {
    /// How urgent it is: 1 is the most urgent, 0 the default.
    pub priority: u64,
    /// How long the client waits.
    pub timeout: Option<Duration>,
    /// Whom it is for; requests of one session share a model evenly with those of others.
    pub session: Option<u64>,
    /// Whether outputs are sent as bytes where they do not say it themselves; HTTP only.
    pub is_binary: bool,
    /// Whether the last answer of a stream's request is marked as such; gRPC only.
    pub marks_final: bool,
    /// Whose voice or face it is.
    pub role: Role,
}

/// The parameters of an input that mean something here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputParameters {
    /// How many bytes after the JSON are its data.
    pub binary_size: Option<u64>,
    /// Whether its texts are base64.
    pub is_base64: bool,
}

/// An output that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// Whether it is sent as bytes; where it is not said, the request's own parameter counts.
    pub is_binary: Option<bool>,
    /// How many of the likeliest classes are sent instead of all scores.
    pub classes: Option<usize>,
}

impl CallParameters {
    /// Takes a parameter in.
    ///
    /// # Errors
    /// `input_invalid` for a value of the wrong kind and for reserved names.
    pub fn set(&mut self, name: &str, value: &ParameterValue) -> Result<(), ApiError> {
        check_name(name)?;
        match name {
            "priority" => self.priority = whole(name, value)?,
            "timeout" => {
                let microseconds = whole(name, value)?;
                self.timeout = (microseconds > 0).then(|| Duration::from_micros(microseconds));
            }
            "sequence_id" => self.session = session(name, value)?,
            "sequence_start" | "sequence_end" => drop(flag(name, value)?),
            "binary_data_output" => self.is_binary = flag(name, value)?,
            "role" => self.role = role(name, value)?,
            FINAL => self.marks_final = flag(name, value)?,
            "headers" => return Err(reserved(name)),
            other if other.starts_with(RESERVED) => return Err(reserved(name)),
            _ => {}
        }
        Ok(())
    }
}

impl InputParameters {
    /// Takes a parameter in.
    ///
    /// # Errors
    /// As [`CallParameters::set`].
    pub fn set(&mut self, name: &str, value: &ParameterValue) -> Result<(), ApiError> {
        check_name(name)?;
        match name {
            "binary_data_size" => self.binary_size = Some(whole(name, value)?),
            "content_type" => {
                self.is_base64 = matches!(value, ParameterValue::Text(text) if text == "base64");
            }
            other if other.starts_with(SHARED_MEMORY) => return Err(unshared()),
            other if other.starts_with(RESERVED) => return Err(reserved(name)),
            _ => {}
        }
        Ok(())
    }
}

impl Wanted {
    /// Takes a parameter in.
    ///
    /// # Errors
    /// As [`CallParameters::set`].
    pub fn set(&mut self, name: &str, value: &ParameterValue) -> Result<(), ApiError> {
        check_name(name)?;
        match name {
            "binary_data" => self.is_binary = Some(flag(name, value)?),
            "classification" => {
                let classes = whole(name, value)?;
                if !(1..=CLASS_LIMIT).contains(&classes) {
                    return Err(invalid(format!("classification takes 1 to {CLASS_LIMIT}, not {classes}")));
                }
                self.classes = usize::try_from(classes).ok();
            }
            other if other.starts_with(SHARED_MEMORY) => return Err(unshared()),
            other if other.starts_with(RESERVED) => return Err(reserved(name)),
            _ => {}
        }
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), ApiError> {
    if name.is_empty() || name.len() > NAME_LIMIT {
        let message = format!("a parameter's name has 1 to {NAME_LIMIT} bytes, not {}", name.len());
        return Err(invalid(message));
    }
    Ok(())
}

fn whole(name: &str, value: &ParameterValue) -> Result<u64, ApiError> {
    match value {
        ParameterValue::Whole(number) => Ok(*number),
        _ => Err(wrong(name, "a whole number that is not negative")),
    }
}

fn flag(name: &str, value: &ParameterValue) -> Result<bool, ApiError> {
    match value {
        ParameterValue::Flag(flag) => Ok(*flag),
        _ => Err(wrong(name, "true or false")),
    }
}

/// A sequence is a number or a text; 0 and the empty text stand for none.
fn session(name: &str, value: &ParameterValue) -> Result<Option<u64>, ApiError> {
    match value {
        ParameterValue::Whole(0) => Ok(None),
        ParameterValue::Whole(number) => Ok(Some(*number)),
        ParameterValue::Text(text) if text.is_empty() => Ok(None),
        ParameterValue::Text(text) => {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            Ok(Some(hasher.finish()))
        }
        _ => Err(wrong(name, "a whole number or a text")),
    }
}

fn role(name: &str, value: &ParameterValue) -> Result<Role, ApiError> {
    match value {
        ParameterValue::Text(text) if text == "customer" => Ok(Role::Customer),
        ParameterValue::Text(text) if text == "agent" => Ok(Role::Agent),
        _ => Err(wrong(name, "\"customer\" or \"agent\"")),
    }
}

fn wrong(name: &str, expected: &str) -> ApiError {
    invalid(format!("the parameter {} takes {expected}", shown(name)))
}

fn reserved(name: &str) -> ApiError {
    invalid(format!("the parameter {} is reserved and means nothing here", shown(name)))
}

fn unshared() -> ApiError {
    invalid("shared memory is not served here; send the tensors in the request")
}

#[cfg(test)]
mod tests {
    use super::*;

    use ParameterValue::{Flag, Number, Text, Whole};

    #[test]
    fn what_is_known_is_taken_and_what_is_not_is_ignored() {
        let mut parameters = CallParameters::default();
        for (name, value) in [
            ("priority", Whole(2)),
            ("timeout", Whole(1_500)),
            ("sequence_id", Text("call-7".to_owned())),
            ("sequence_start", Flag(true)),
            ("binary_data_output", Flag(true)),
            ("role", Text("agent".to_owned())),
            (FINAL, Flag(true)),
            ("colour", Number(0.5)),
        ] {
            parameters.set(name, &value).unwrap();
        }
        assert_eq!((parameters.priority, parameters.timeout), (2, Some(Duration::from_micros(1_500))));
        assert!(parameters.session.is_some() && parameters.is_binary && parameters.marks_final);
        assert_eq!(parameters.role, Role::Agent);
        parameters.set("timeout", &Whole(0)).unwrap();
        parameters.set("sequence_id", &Whole(0)).unwrap();
        assert_eq!((parameters.timeout, parameters.session), (None, None));
    }

    #[test]
    fn wrong_kinds_and_reserved_names_are_refused() {
        let long = "x".repeat(NAME_LIMIT + 1);
        for (name, value) in [
            ("priority", Number(1.5)),
            ("timeout", Text("soon".to_owned())),
            ("sequence_id", Flag(true)),
            ("binary_data_output", Whole(1)),
            ("role", Text("cat".to_owned())),
            ("triton_final_response", Flag(true)),
            ("headers", Text(String::new())),
            ("", Flag(true)),
            (&long, Flag(true)),
        ] {
            CallParameters::default().set(name, &value).unwrap_err();
        }
        InputParameters::default().set("shared_memory_region", &Text("a".to_owned())).unwrap_err();
        InputParameters::default().set("triton_x", &Flag(true)).unwrap_err();
        for classes in [Whole(0), Whole(CLASS_LIMIT + 1), Flag(true)] {
            Wanted::default().set("classification", &classes).unwrap_err();
        }
        let mut wanted = Wanted::default();
        wanted.set("classification", &Whole(3)).unwrap();
        assert_eq!(wanted.classes, Some(3));
    }
}
