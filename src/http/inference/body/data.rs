//! The data of a tensor in JSON: numbers or texts, flat or nested, read in one pass without a tree.

use std::fmt;

use axum::body::Bytes;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::de::{DeserializeSeed, Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::super::fault::invalid;
use super::super::limits::{ELEMENT_LIMIT, NESTING_LIMIT};
use super::super::tensor::untaken;
use super::super::{Datatype, Values};
use crate::http::ApiError;

/// The elements of a tensor in their order, whatever their nesting.
#[derive(Debug, Default)]
pub(super) struct Data {
    numbers: Vec<f32>,
    texts: Vec<Bytes>,
    /// Whether a number is no whole one from 0 to 255.
    has_others_than_octets: bool,
    /// Whether a number is beyond what FP32 holds.
    has_infinite: bool,
}

impl Data {
    /// The elements as those of a datatype.
    ///
    /// # Errors
    /// `input_invalid`
    pub(super) fn into_values(self, datatype: Datatype, is_base64: bool) -> Result<Values, ApiError> {
        let only_texts = self.numbers.is_empty();
        let only_numbers = self.texts.is_empty();
        match datatype {
            Datatype::Bytes if !only_texts => Err(invalid("the data of BYTES are texts, not numbers")),
            Datatype::Bytes if is_base64 => {
                let decode = |text: &Bytes| {
                    let decoded = BASE64_STANDARD.decode(text);
                    decoded.map(Bytes::from).map_err(|error| invalid(format!("not base64: {error}")))
                };
                self.texts.iter().map(decode).collect::<Result<_, _>>().map(Values::Elements)
            }
            Datatype::Bytes => Ok(Values::Elements(self.texts)),
            Datatype::Fp32 | Datatype::Uint8 if !only_numbers => {
                Err(invalid(format!("the data of {} are numbers, not texts", datatype.name())))
            }
            Datatype::Fp32 if self.has_infinite => Err(invalid("a number is beyond what FP32 holds")),
            Datatype::Fp32 => Ok(Values::Floats(self.numbers)),
            Datatype::Uint8 if self.has_others_than_octets => {
                Err(invalid("the data of UINT8 are whole numbers from 0 to 255"))
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
            Datatype::Uint8 => Ok(Values::Octets(self.numbers.iter().map(|number| *number as u8).collect())),
            other => Err(untaken(other)),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "FP32 is what models here take")]
    fn push(&mut self, number: f64) {
        self.has_others_than_octets |= number.fract() != 0.0 || !(0.0..=255.0).contains(&number);
        let single = number as f32;
        self.has_infinite |= !single.is_finite();
        self.numbers.push(single);
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut data = Self::default();
        Level { data: &mut data, depth: 0 }.deserialize(deserializer)?;
        Ok(data)
    }
}

/// One level of nesting.
struct Level<'a> {
    data: &'a mut Data,
    depth: usize,
}

impl Level<'_> {
    /// Refuses an element that stands where the list should.
    fn inside<E: Error>(&self) -> Result<(), E> {
        if self.depth == 0 { Err(E::custom("the data of a tensor are a list")) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("numbers or texts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        if self.depth == NESTING_LIMIT {
            return Err(A::Error::custom(format_args!("lists are nested deeper than {NESTING_LIMIT}")));
        }
        let Self { data, depth } = self;
        while elements.next_element_seed(Level { data: &mut *data, depth: depth + 1 })?.is_some() {}
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "FP32 is what models here take")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.visit_f64(number as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "FP32 is what models here take")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.visit_f64(number as f64)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.inside()?;
        self.data.push(number);
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.inside()?;
        if self.data.texts.len() == ELEMENT_LIMIT {
            return Err(E::custom(format_args!("more than {ELEMENT_LIMIT} texts")));
        }
        self.data.texts.push(Bytes::copy_from_slice(text.as_bytes()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str, datatype: Datatype) -> Result<Values, String> {
        let data: Data = serde_json::from_str(text).map_err(|error| error.to_string())?;
        data.into_values(datatype, false).map_err(|error| error.message)
    }

    #[test]
    fn nested_and_flat_are_the_same() {
        let expected = Values::Floats(vec![1.0, 2.5, -3.0, 4.0]);
        for text in ["[1, 2.5, -3, 4]", "[[1, 2.5], [-3, 4]]", "[[[1]], [[2.5]], [[-3]], [[4]]]"] {
            assert_eq!(values(text, Datatype::Fp32).unwrap(), expected);
        }
        let octets = values("[[0, 255]]", Datatype::Uint8).unwrap();
        assert_eq!(octets, Values::Octets(Bytes::from_static(&[0, 255])));
        assert_eq!(values("[\"é\"]", Datatype::Bytes).unwrap().to_raw().unwrap()[4..], *"é".as_bytes());
        assert_eq!(values("[]", Datatype::Fp32).unwrap(), Values::Floats(Vec::new()));
    }

    #[test]
    fn what_does_not_fit_the_datatype_is_refused() {
        for (text, datatype) in [
            ("[256]", Datatype::Uint8),
            ("[-1]", Datatype::Uint8),
            ("[0.5]", Datatype::Uint8),
            ("[1e39]", Datatype::Fp32),
            ("[\"a\"]", Datatype::Fp32),
            ("[1]", Datatype::Bytes),
            ("[1]", Datatype::Int64),
            ("[true]", Datatype::Bool),
            ("[null]", Datatype::Fp32),
            ("[{}]", Datatype::Fp32),
            ("5", Datatype::Fp32),
            ("\"a\"", Datatype::Bytes),
            ("[[[[[[[[[1]]]]]]]]]", Datatype::Fp32),
        ] {
            values(text, datatype).unwrap_err();
        }
        let many = format!("[{}\"\"]", "\"\",".repeat(ELEMENT_LIMIT));
        assert!(values(&many, Datatype::Bytes).unwrap_err().contains("100000"));
    }

    #[test]
    fn base64_is_undone_where_it_is_said() {
        let data: Data = serde_json::from_str(r#"["AAH/", ""]"#).unwrap();
        let expected = Values::Elements(vec![Bytes::from_static(&[0, 1, 255]), Bytes::new()]);
        assert_eq!(data.into_values(Datatype::Bytes, true).unwrap(), expected);
        let data: Data = serde_json::from_str(r#"["***"]"#).unwrap();
        data.into_values(Datatype::Bytes, true).unwrap_err();
    }
}
