//! From a body to a call.

use axum::body::Bytes;
use serde::Deserialize;

use super::super::catalogue::InputSpec;
use super::super::fault::{invalid, malformed, shown};
use super::super::limits::{DIMENSION_LIMIT, ID_LIMIT, INPUT_LIMIT, NAME_LIMIT, OUTPUT_LIMIT};
use super::super::tensor::{datatype_of, element_count};
use super::super::{Call, CallParameters, Datatype, InputParameters, Tensor, Values, Wanted};
use super::bounded::{Bounded, Parameters};
use super::data::Data;
use crate::http::{ApiError, ErrorCode};

/// A request in JSON. Fields that the protocol does not know are passed over: later versions may have more.
#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    id: String,
    #[serde(default)]
    parameters: Parameters,
    inputs: Bounded<Input, INPUT_LIMIT>,
    #[serde(default)]
    outputs: Bounded<Requested, OUTPUT_LIMIT>,
}

#[derive(Deserialize)]
struct Input {
    name: String,
    shape: Bounded<usize, DIMENSION_LIMIT>,
    datatype: String,
    #[serde(default)]
    parameters: Parameters,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Requested {
    name: String,
    #[serde(default)]
    parameters: Parameters,
}

/// Reads a body. `header_length` says how many of its bytes are JSON, where tensors follow as bytes.
///
/// # Errors
/// `json_malformed`, `body_unreadable` or `input_invalid`.
pub fn read(body: &Bytes, header_length: Option<usize>) -> Result<Call, ApiError> {
    let header_length = header_length.unwrap_or(body.len());
    if header_length > body.len() {
        let message = format!("the header says {header_length} bytes of JSON, the body has {}", body.len());
        return Err(malformed(message));
    }
    let request: Request = serde_json::from_slice(&body[..header_length]).map_err(|error| {
        let code = if error.is_data() { ErrorCode::InputInvalid } else { ErrorCode::JsonMalformed };
        ApiError::new(code, format!("the request is not usable: {error}"))
    })?;
    let mut parameters = CallParameters::default();
    for (name, value) in &request.parameters.0 {
        parameters.set(name, value)?;
    }
    let mut rest = body.slice(header_length..);
    let inputs =
        request.inputs.0.into_iter().map(|input| tensor(input, &mut rest)).collect::<Result<_, _>>()?;
    if !rest.is_empty() {
        return Err(malformed(format!("{} bytes after the JSON belong to no input", rest.len())));
    }
    let outputs = request.outputs.0.into_iter().map(wanted).collect::<Result<_, _>>()?;
    if request.id.len() > ID_LIMIT {
        return Err(invalid(format!("an id of {} bytes is longer than {ID_LIMIT}", request.id.len())));
    }
    Ok(Call { id: request.id, parameters, inputs, outputs })
}

/// Reads a body that is nothing but the data of a model's only input.
///
/// # Errors
/// `input_invalid` where the model has several inputs, or where the bytes do not say the shape.
pub(in super::super) fn read_raw(body: &Bytes, inputs: &[InputSpec]) -> Result<Call, ApiError> {
    let [input] = inputs else {
        return Err(invalid("a body without JSON is for models with one input"));
    };
    let (shape, values) = if input.datatype == Datatype::Bytes {
        // The whole body is one element, whose length is the body's.
        (vec![1], Values::Elements(vec![body.clone()]))
    } else {
        let shape = shape_of(input, body.len())?;
        (shape.clone(), Values::from_raw(input.datatype, element_count(&shape)?, body.clone())?)
    };
    // Whoever sends no JSON cannot ask for bytes, and gets what people can read.
    let inputs = vec![Tensor { name: input.name.to_owned(), shape, values }];
    Ok(Call { inputs, ..Call::default() })
}

/// The shape of so many bytes, where only one size is open.
fn shape_of(input: &InputSpec, bytes: usize) -> Result<Vec<usize>, ApiError> {
    let width = if input.datatype == Datatype::Uint8 { 1 } else { 4 };
    let open = input.shape.iter().filter(|size| **size < 0).count();
    let fixed: usize = input.shape.iter().filter_map(|size| usize::try_from(*size).ok()).product();
    if open != 1 || fixed == 0 || !bytes.is_multiple_of(fixed * width) {
        let message = format!("{bytes} bytes do not say the shape of {}, {:?}", input.name, input.shape);
        return Err(invalid(message));
    }
    let rows = bytes / (fixed * width);
    Ok(input.shape.iter().map(|size| usize::try_from(*size).unwrap_or(rows)).collect())
}

fn tensor(input: Input, rest: &mut Bytes) -> Result<Tensor, ApiError> {
    let Input { name, shape: Bounded(shape), datatype, parameters, data } = input;
    check_name(&name)?;
    let about = |error: ApiError| ApiError { message: format!("input {name}: {}", error.message), ..error };
    let datatype = datatype_of(&datatype).map_err(about)?;
    let count = element_count(&shape).map_err(about)?;
    let mut own = InputParameters::default();
    for (parameter, value) in &parameters.0 {
        own.set(parameter, value).map_err(about)?;
    }
    let values = match (data, own.binary_size) {
        (Some(data), None) => data.into_values(datatype, own.is_base64).map_err(about)?,
        (None, Some(size)) => {
            let size = usize::try_from(size).ok().filter(|size| *size <= rest.len());
            let size = size.ok_or_else(|| {
                malformed(format!(
                    "input {name}: {} bytes are left, less than its binary_data_size",
                    rest.len()
                ))
            })?;
            Values::from_raw(datatype, count, rest.split_to(size)).map_err(about)?
        }
        (Some(_), Some(_)) => return Err(about(invalid("it has both data and a binary_data_size"))),
        (None, None) => return Err(about(invalid("it has neither data nor a binary_data_size"))),
    };
    if values.len() != count {
        return Err(about(invalid(format!("{} elements are not the shape {shape:?}", values.len()))));
    }
    Ok(Tensor { name, shape, values })
}

fn wanted(requested: Requested) -> Result<Wanted, ApiError> {
    check_name(&requested.name)?;
    let mut wanted = Wanted { name: requested.name, ..Wanted::default() };
    for (name, value) in &requested.parameters.0 {
        wanted.set(name, value)?;
    }
    Ok(wanted)
}

/// Checks the name of a tensor.
pub(in super::super) fn check_name(name: &str) -> Result<(), ApiError> {
    if name.is_empty() || name.len() > NAME_LIMIT {
        return Err(invalid(format!("{} is no name; one has 1 to {NAME_LIMIT} bytes", shown(name))));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str, tail: &[u8]) -> Result<Call, ApiError> {
        let body = [json.as_bytes(), tail].concat();
        read(&Bytes::from(body), (!tail.is_empty()).then_some(json.len()))
    }

    fn input(fields: &str) -> String {
        format!(r#"{{"inputs": [{{"name": "a", "datatype": "FP32", {fields}}}]}}"#)
    }

    #[test]
    fn json_and_bytes_are_the_same() {
        let plain = parse(&input(r#""shape": [1, 2], "data": [[1, -2]]"#), b"").unwrap();
        let tail = [1.0_f32.to_le_bytes(), (-2.0_f32).to_le_bytes()].concat();
        let binary =
            parse(&input(r#""shape": [1, 2], "parameters": {"binary_data_size": 8}"#), &tail).unwrap();
        assert_eq!(plain, binary);
        assert_eq!(plain.inputs[0].values, Values::Floats(vec![1.0, -2.0]));
    }

    #[test]
    fn several_inputs_take_their_bytes_in_turn() {
        let json = r#"{"id": "7", "inputs": [
            {"name": "a", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": 9}},
            {"name": "b", "datatype": "UINT8", "shape": [1], "data": [9]},
            {"name": "c", "datatype": "UINT8", "shape": [2], "parameters": {"binary_data_size": 2}}],
            "outputs": [{"name": "x", "parameters": {"binary_data": true, "classification": 2}}]}"#;
        let call = parse(json, &[0, 0, 0, 0, 1, 0, 0, 0, b'z', 5, 6]).unwrap();
        assert_eq!(call.id, "7");
        assert_eq!(call.inputs[0].values, Values::Elements(vec![Bytes::new(), Bytes::from_static(b"z")]));
        assert_eq!(call.inputs[1].values, Values::Octets(Bytes::from_static(&[9])));
        assert_eq!(call.inputs[2].values, Values::Octets(Bytes::from_static(&[5, 6])));
        let wanted = Wanted { name: "x".to_owned(), is_binary: Some(true), classes: Some(2) };
        assert_eq!(call.outputs, [wanted]);
    }

    #[test]
    fn malformed_bodies_are_told_apart() {
        let code = |json: &str, tail: &[u8]| parse(json, tail).unwrap_err().code;
        assert_eq!(code("{", b""), ErrorCode::JsonMalformed);
        assert_eq!(code("", b""), ErrorCode::JsonMalformed);
        assert_eq!(code("{}", b""), ErrorCode::InputInvalid);
        assert_eq!(code(&input(r#""shape": [1], "data": [1]"#), b"x"), ErrorCode::BodyUnreadable);
        let short = input(r#""shape": [1], "parameters": {"binary_data_size": 4}"#);
        assert_eq!(code(&short, b"xyz"), ErrorCode::BodyUnreadable);
        assert_eq!(read(&Bytes::from_static(b"{}"), Some(3)).unwrap_err().code, ErrorCode::BodyUnreadable);
    }

    #[test]
    fn tensors_that_contradict_themselves_are_refused() {
        let long =
            format!(r#"{{"inputs": [{{"name": "{}", "shape": [1], "datatype": "FP32"}}]}}"#, "x".repeat(129));
        let id = format!(r#"{{"id": "{}", "inputs": []}}"#, "x".repeat(ID_LIMIT + 1));
        for json in [
            &input(r#""shape": [2], "data": [1]"#),
            &input(r#""shape": [1]"#),
            &input(r#""shape": [-1], "data": [1]"#),
            &input(r#""shape": [], "data": [1]"#),
            &input(r#""shape": [1,1,1,1,1,1,1,1,1], "data": [1]"#),
            &input(r#""shape": [18446744073709551615, 2], "data": [1]"#),
            &input(r#""shape": [1], "data": [1], "parameters": {"binary_data_size": 4}"#),
            &input(r#""shape": [1], "data": [1], "parameters": {"shared_memory_region": "a"}"#),
            &r#"{"inputs": [{"name": "a", "datatype": "FLOAT", "shape": [1], "data": [1]}]}"#.to_owned(),
            &r#"{"inputs": [{"name": "", "datatype": "FP32", "shape": [1], "data": [1]}]}"#.to_owned(),
            &r#"{"inputs": [], "parameters": {"triton_x": 1}}"#.to_owned(),
            &long,
            &id,
        ] {
            let error = parse(json, b"").unwrap_err();
            assert_eq!(error.code, ErrorCode::InputInvalid, "{json}: {}", error.message);
        }
    }

    #[test]
    fn lists_are_bounded() {
        let one = r#"{"name": "a", "datatype": "FP32", "shape": [0], "data": []}"#;
        let inputs = vec![one; INPUT_LIMIT + 1].join(",");
        let error = parse(&format!(r#"{{"inputs": [{inputs}]}}"#), b"").unwrap_err();
        assert!(error.message.contains("more than 16"), "{}", error.message);
        let outputs = vec![r#"{"name": "a"}"#; OUTPUT_LIMIT + 1].join(",");
        let error = parse(&format!(r#"{{"inputs": [], "outputs": [{outputs}]}}"#), b"").unwrap_err();
        assert!(error.message.contains("more than 64"), "{}", error.message);
    }

    #[test]
    fn a_body_alone_is_a_models_only_input() {
        let spec = |datatype, shape| InputSpec { name: "a", datatype, shape };
        let body = Bytes::from_static(&[1, 2, 3, 4, 5, 6, 7, 8]);
        let call = read_raw(&body, &[spec(Datatype::Bytes, &[-1])]).unwrap();
        assert_eq!(call.inputs[0].values, Values::Elements(vec![body.clone()]));
        let call = read_raw(&body, &[spec(Datatype::Uint8, &[-1, 2, 2])]).unwrap();
        assert_eq!(call.inputs[0].shape, [2, 2, 2]);
        for inputs in [
            &[][..],
            &[spec(Datatype::Uint8, &[-1, 3])],
            &[spec(Datatype::Fp32, &[-1, -1])],
            &[spec(Datatype::Uint8, &[2, 4])],
            &[spec(Datatype::Bytes, &[-1]), spec(Datatype::Bytes, &[-1])],
        ] {
            read_raw(&body, inputs).unwrap_err();
        }
    }
}
