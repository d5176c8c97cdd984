//! Lists and tables that end before they grow large, and the values in them.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::super::ParameterValue;
use super::super::limits::PARAMETER_LIMIT;

/// A list of at most this many entries.
#[derive(Debug)]
pub(super) struct Bounded<T, const LIMIT: usize>(pub(super) Vec<T>);

impl<T, const LIMIT: usize> Default for Bounded<T, LIMIT> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const LIMIT: usize> Deserialize<'de> for Bounded<T, LIMIT> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<T, const LIMIT: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const LIMIT: usize> Visitor<'de> for List<T, LIMIT> {
            type Value = Bounded<T, LIMIT>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "a list of at most {LIMIT} entries")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(entry) = entries.next_element()? {
                    if list.len() == LIMIT {
                        return Err(A::Error::custom(format_args!("more than {LIMIT} entries")));
                    }
                    list.push(entry);
                }
                Ok(Bounded(list))
            }
        }
        deserializer.deserialize_seq(List(PhantomData))
    }
}

/// Parameters in the order in which they came.
#[derive(Debug, Default)]
pub(in super::super) struct Parameters(pub(in super::super) Vec<(String, ParameterValue)>);

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = Parameters;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "an object of at most {PARAMETER_LIMIT} parameters")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut found: Vec<(String, ParameterValue)> = Vec::new();
                while let Some((name, value)) = entries.next_entry::<String, Value>()? {
                    if found.len() == PARAMETER_LIMIT {
                        return Err(A::Error::custom(format_args!("more than {PARAMETER_LIMIT} parameters")));
                    }
                    if found.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom("a parameter is there twice"));
                    }
                    found.push((name, value.0));
                }
                Ok(Parameters(found))
            }
        }
        deserializer.deserialize_map(Table)
    }
}

struct Value(ParameterValue);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Single;
        impl Visitor<'_> for Single {
            type Value = Value;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number, a text, true or false")
            }

            fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
                Ok(Value(ParameterValue::Flag(flag)))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
                Ok(Value(ParameterValue::Whole(number)))
            }

            #[expect(
                clippy::cast_precision_loss,
                reason = "what is negative is only looked at, not counted with"
            )]
            fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
                Ok(Value(ParameterValue::Number(number as f64)))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
                Ok(Value(ParameterValue::Number(number)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
                Ok(Value(ParameterValue::Text(text.to_owned())))
            }
        }
        deserializer.deserialize_any(Single)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_end_at_their_limit() {
        assert_eq!(serde_json::from_str::<Bounded<u8, 2>>("[1, 2]").unwrap().0, [1, 2]);
        let error = serde_json::from_str::<Bounded<u8, 2>>("[1, 2, 3]").unwrap_err().to_string();
        assert!(error.contains("more than 2 entries"), "{error}");
    }

    #[test]
    fn parameters_are_plain_values() {
        let text = r#"{"a": 1, "b": -1, "c": 0.5, "d": "x", "e": true}"#;
        let found = serde_json::from_str::<Parameters>(text).unwrap().0;
        assert_eq!(found[0], ("a".to_owned(), ParameterValue::Whole(1)));
        assert_eq!(found[1].1, ParameterValue::Number(-1.0));
        assert_eq!(found[4].1, ParameterValue::Flag(true));
        for text in [r#"{"a": {}}"#, r#"{"a": [1]}"#, r#"{"a": null}"#, r#"{"a": 1, "a": 1}"#, "[]"] {
            serde_json::from_str::<Parameters>(text).unwrap_err();
        }
        let names: Vec<String> = (0..=PARAMETER_LIMIT).map(|index| format!("\"p{index}\": 1")).collect();
        let error = serde_json::from_str::<Parameters>(&format!("{{{}}}", names.join(","))).unwrap_err();
        assert!(error.to_string().contains("more than 64"), "{error}");
    }
}
