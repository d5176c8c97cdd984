//! From an answer to a body.

use axum::body::Bytes;
use axum::http::HeaderName;
use serde::{Serialize, Serializer};

use super::super::{Answer, Output, Values};
use crate::http::{ApiError, ErrorCode};

/// The header that says how many bytes of a body are JSON, in both directions.
pub const HEADER: HeaderName = HeaderName::from_static("inference-header-content-length");

/// A written answer.
#[derive(Debug)]
pub struct Written {
    /// The body.
    pub body: Bytes,
    /// How many of its bytes are JSON, where tensors follow as bytes.
    pub header_length: Option<usize>,
}

#[derive(Serialize)]
struct Response<'a> {
    model_name: &'a str,
    model_version: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    outputs: Vec<OutputTensor<'a>>,
}

#[derive(Serialize)]
struct OutputTensor<'a> {
    name: &'a str,
    datatype: &'static str,
    shape: &'a [usize],
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Sent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data<'a>>,
}

#[derive(Serialize)]
struct Sent {
    binary_data_size: usize,
}

struct Data<'a>(&'a Values);

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Values::Floats(values) => serializer.collect_seq(values),
            Values::Integers(values) => serializer.collect_seq(values),
            Values::Octets(values) => serializer.collect_seq(values.iter()),
            Values::Elements(values) => {
                serializer.collect_seq(values.iter().map(|value| String::from_utf8_lossy(value)))
            }
        }
    }
}

/// Writes an answer: JSON, and after it the outputs that are wanted as bytes.
///
/// # Errors
/// `internal` where JSON cannot be written.
pub fn write(answer: &Answer) -> Result<Written, ApiError> {
    let mut tail: Vec<Bytes> = Vec::new();
    let mut outputs = Vec::with_capacity(answer.outputs.len());
    for Output { tensor, is_binary } in &answer.outputs {
        let raw = if *is_binary { Some(tensor.values.to_raw()?) } else { None };
        outputs.push(OutputTensor {
            name: &tensor.name,
            datatype: tensor.values.datatype().name(),
            shape: &tensor.shape,
            parameters: raw.as_ref().map(|raw| Sent { binary_data_size: raw.len() }),
            data: raw.is_none().then_some(Data(&tensor.values)),
        });
        tail.extend(raw);
    }
    let has_bytes = !tail.is_empty();
    let response = Response {
        model_name: answer.model,
        model_version: answer.version.to_string(),
        id: &answer.id,
        outputs,
    };
    let mut body = serde_json::to_vec(&response).map_err(|error| {
        ApiError::new(ErrorCode::Internal, format!("the answer cannot be written: {error}"))
    })?;
    let header_length = has_bytes.then_some(body.len());
    tail.iter().for_each(|raw| body.extend_from_slice(raw));
    Ok(Written { body: Bytes::from(body), header_length })
}

#[cfg(test)]
mod tests {
    use super::super::super::Tensor;
    use super::*;

    fn output(name: &str, values: Values, is_binary: bool) -> Output {
        let shape = vec![values.len()];
        Output { tensor: Tensor { name: name.to_owned(), shape, values }, is_binary }
    }

    fn answer(outputs: Vec<Output>) -> Answer {
        Answer { model: "text", version: 2, id: "a".to_owned(), outputs }
    }

    #[test]
    fn json_alone_has_no_header() {
        let words = vec![Bytes::from_static(b"unsure"), Bytes::new()];
        let outputs = vec![
            output("scores", Values::Floats(vec![0.1, 2.0]), false),
            output("words", Values::Elements(words), false),
        ];
        let written = write(&answer(outputs)).unwrap();
        assert_eq!(written.header_length, None);
        let json: serde_json::Value = serde_json::from_slice(&written.body).unwrap();
        assert_eq!(json["model_version"], "2");
        assert_eq!(json["id"], "a");
        assert_eq!(json["outputs"][0]["data"].to_string(), "[0.1,2.0]");
        assert_eq!(json["outputs"][1]["data"][0], "unsure");
        assert!(json["outputs"][0].get("parameters").is_none());
    }

    #[test]
    fn bytes_follow_the_json_in_the_order_of_the_outputs() {
        let outputs = vec![
            output("a", Values::Integers(vec![1]), true),
            output("b", Values::Floats(vec![0.5]), false),
            output("c", Values::Elements(vec![Bytes::from_static(b"x")]), true),
        ];
        let written = write(&answer(outputs)).unwrap();
        let (json, tail) = written.body.split_at(written.header_length.unwrap());
        let json: serde_json::Value = serde_json::from_slice(json).unwrap();
        assert_eq!(json["outputs"][0]["parameters"]["binary_data_size"], 4);
        assert!(json["outputs"][0].get("data").is_none());
        assert_eq!(json["outputs"][2]["parameters"]["binary_data_size"], 5);
        assert_eq!(tail, [1, 0, 0, 0, 1, 0, 0, 0, b'x']);
    }
}
