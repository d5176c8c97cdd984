//! From gRPC's messages to the core's calls.

use std::collections::HashMap;

use axum::body::Bytes;

use super::super::body::check_name;
use super::super::fault::{invalid, shown};
use super::super::limits::{ID_LIMIT, INPUT_LIMIT, OUTPUT_LIMIT, PARAMETER_LIMIT};
use super::super::tensor::{datatype_of, element_count, untaken};
use super::super::{Call, CallParameters, Datatype, InputParameters, ParameterValue, Tensor, Values, Wanted};
use super::proto::infer_parameter::ParameterChoice;
use super::proto::model_infer_request::{InferInputTensor, InferRequestedOutputTensor};
use super::proto::model_repository_parameter::ParameterChoice as RepositoryChoice;
use super::proto::{InferParameter, InferTensorContents, ModelInferRequest, ModelRepositoryParameter};
use crate::http::ApiError;

/// A request's call, and whether its tensors came as bytes.
pub(super) fn call_of(request: ModelInferRequest) -> Result<(Call, bool), ApiError> {
    let ModelInferRequest { id, parameters, inputs, outputs, raw_input_contents: raw, .. } = request;
    if id.len() > ID_LIMIT {
        return Err(invalid(format!("an id of {} bytes is longer than {ID_LIMIT}", id.len())));
    }
    if inputs.len() > INPUT_LIMIT || outputs.len() > OUTPUT_LIMIT {
        return Err(invalid(format!("more than {INPUT_LIMIT} inputs or {OUTPUT_LIMIT} outputs")));
    }
    let is_raw = !raw.is_empty();
    if is_raw && raw.len() != inputs.len() {
        return Err(invalid(format!("{} raw contents for {} inputs", raw.len(), inputs.len())));
    }
    let mut own = CallParameters::default();
    for (name, value) in values_of(parameters)? {
        own.set(&name, &value)?;
    }
    let mut raw = raw.into_iter();
    let inputs = inputs.into_iter().map(|input| tensor(input, raw.next())).collect::<Result<_, _>>()?;
    let outputs = outputs.into_iter().map(wanted).collect::<Result<_, _>>()?;
    Ok((Call { id, parameters: own, inputs, outputs }, is_raw))
}

fn tensor(input: InferInputTensor, raw: Option<Bytes>) -> Result<Tensor, ApiError> {
    let InferInputTensor { name, datatype, shape, parameters, contents } = input;
    check_name(&name)?;
    let about = |error: ApiError| ApiError { message: format!("input {name}: {}", error.message), ..error };
    let sizes = shape.iter().map(|size| usize::try_from(*size)).collect::<Result<Vec<_>, _>>();
    let shape = sizes.map_err(|_| about(invalid(format!("a size of the shape {shape:?} is negative"))))?;
    let datatype = datatype_of(&datatype).map_err(about)?;
    let count = element_count(&shape).map_err(about)?;
    let mut own = InputParameters::default();
    for (parameter, value) in values_of(parameters).map_err(about)? {
        own.set(&parameter, &value).map_err(about)?;
    }
    let values = match (raw, contents) {
        (Some(_), Some(_)) => Err(invalid("it has both contents and raw contents")),
        (Some(raw), None) => Values::from_raw(datatype, count, raw),
        (None, Some(contents)) => typed(datatype, contents),
        (None, None) => Err(invalid("it has neither contents nor raw contents")),
    };
    let values = values.map_err(about)?;
    if values.len() != count {
        return Err(about(invalid(format!("{} elements are not the shape {shape:?}", values.len()))));
    }
    Ok(Tensor { name, shape, values })
}

/// Typed contents; only the list of the datatype may be filled, which the count of elements shows.
fn typed(datatype: Datatype, contents: InferTensorContents) -> Result<Values, ApiError> {
    match datatype {
        Datatype::Fp32 => Ok(Values::Floats(contents.fp32_contents)),
        Datatype::Bytes => Ok(Values::Elements(contents.bytes_contents)),
        Datatype::Uint8 => {
            let octets: Result<Vec<u8>, _> =
                contents.uint_contents.iter().map(|value| u8::try_from(*value)).collect();
            let octets = octets.map_err(|_| invalid("the contents of UINT8 are from 0 to 255"))?;
            Ok(Values::Octets(Bytes::from(octets)))
        }
        other => Err(untaken(other)),
    }
}

fn wanted(output: InferRequestedOutputTensor) -> Result<Wanted, ApiError> {
    check_name(&output.name)?;
    let mut wanted = Wanted { name: output.name, ..Wanted::default() };
    for (name, value) in values_of(output.parameters)? {
        wanted.set(&name, &value)?;
    }
    Ok(wanted)
}

fn values_of(parameters: HashMap<String, InferParameter>) -> Result<Vec<(String, ParameterValue)>, ApiError> {
    if parameters.len() > PARAMETER_LIMIT {
        return Err(invalid(format!("more than {PARAMETER_LIMIT} parameters")));
    }
    let value = |(name, parameter): (String, InferParameter)| {
        let empty = || invalid(format!("the parameter {} has no value", shown(&name)));
        let value = match parameter.parameter_choice.ok_or_else(empty)? {
            ParameterChoice::BoolParam(flag) => ParameterValue::Flag(flag),
            ParameterChoice::Int64Param(number) => whole(number),
            ParameterChoice::Uint64Param(number) => ParameterValue::Whole(number),
            ParameterChoice::StringParam(text) => ParameterValue::Text(text),
            ParameterChoice::DoubleParam(number) => ParameterValue::Number(number),
        };
        Ok((name, value))
    };
    parameters.into_iter().map(value).collect()
}

/// The parameters of a request to the repository.
pub(super) fn repository_values(
    parameters: HashMap<String, ModelRepositoryParameter>,
) -> Result<Vec<(String, ParameterValue)>, ApiError> {
    if parameters.len() > PARAMETER_LIMIT {
        return Err(invalid(format!("more than {PARAMETER_LIMIT} parameters")));
    }
    let value = |(name, parameter): (String, ModelRepositoryParameter)| {
        let value = match parameter.parameter_choice {
            Some(RepositoryChoice::BoolParam(flag)) => ParameterValue::Flag(flag),
            Some(RepositoryChoice::Int64Param(number)) => whole(number),
            Some(RepositoryChoice::StringParam(text)) => ParameterValue::Text(text),
            // Files come as bytes; which parameters carry them is known by name.
            Some(RepositoryChoice::BytesParam(_)) | None => ParameterValue::Text(String::new()),
        };
        (name, value)
    };
    Ok(parameters.into_iter().map(value).collect())
}

#[expect(clippy::cast_precision_loss, reason = "what is negative is only looked at, not counted with")]
fn whole(number: i64) -> ParameterValue {
    u64::try_from(number).map_or(ParameterValue::Number(number as f64), ParameterValue::Whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(datatype: &str, shape: &[i64], contents: Option<InferTensorContents>) -> InferInputTensor {
        InferInputTensor {
            name: "a".to_owned(),
            datatype: datatype.to_owned(),
            shape: shape.to_vec(),
            contents,
            ..Default::default()
        }
    }

    fn request(inputs: Vec<InferInputTensor>, raw: &[&'static [u8]]) -> ModelInferRequest {
        let raw_input_contents = raw.iter().map(|bytes| Bytes::from_static(bytes)).collect();
        ModelInferRequest { inputs, raw_input_contents, ..Default::default() }
    }

    #[test]
    fn typed_and_raw_contents_are_the_same() {
        let texts =
            InferTensorContents { bytes_contents: vec![Bytes::from_static(b"hi")], ..Default::default() };
        let (typed, is_raw) = call_of(request(vec![input("BYTES", &[1], Some(texts))], &[])).unwrap();
        assert!(!is_raw);
        let (raw, is_raw) = call_of(request(vec![input("BYTES", &[1], None)], &[b"\x02\0\0\0hi"])).unwrap();
        assert!(is_raw);
        assert_eq!(typed, raw);
        let octets = InferTensorContents { uint_contents: vec![0, 255], ..Default::default() };
        let (call, _) = call_of(request(vec![input("UINT8", &[2], Some(octets))], &[])).unwrap();
        assert_eq!(call.inputs[0].values, Values::Octets(Bytes::from_static(&[0, 255])));
    }

    #[test]
    fn parameters_come_through() {
        let parameter = |choice| InferParameter { parameter_choice: Some(choice) };
        let mut asked = request(Vec::new(), &[]);
        asked.id = "7".to_owned();
        asked.parameters = HashMap::from([
            ("priority".to_owned(), parameter(ParameterChoice::Uint64Param(3))),
            ("timeout".to_owned(), parameter(ParameterChoice::Int64Param(5))),
        ]);
        let classes =
            HashMap::from([("classification".to_owned(), parameter(ParameterChoice::Int64Param(2)))]);
        asked.outputs = vec![InferRequestedOutputTensor { name: "labels".to_owned(), parameters: classes }];
        let (call, _) = call_of(asked).unwrap();
        assert_eq!((call.id.as_str(), call.parameters.priority), ("7", 3));
        assert_eq!(call.outputs[0].classes, Some(2));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let one = |value| Some(InferTensorContents { fp32_contents: vec![value], ..Default::default() });
        let large = Some(InferTensorContents { uint_contents: vec![256], ..Default::default() });
        for asked in [
            request(vec![input("FP32", &[1], None)], &[]),
            request(vec![input("FP32", &[2], one(0.5))], &[]),
            request(vec![input("FP32", &[-1], one(0.5))], &[]),
            request(vec![input("FP32", &[i64::MAX, i64::MAX], one(0.5))], &[]),
            request(vec![input("FP32", &[1], one(0.5))], &[b"\0\0\0\0"]),
            request(vec![input("FP32", &[1], None)], &[b"\0\0\0\0", b""]),
            request(vec![input("UINT8", &[1], large)], &[]),
            request(vec![input("INT64", &[1], one(0.5))], &[]),
            request(vec![input("TEXT", &[1], one(0.5))], &[]),
            request(vec![input("FP32", &[0], one(0.5)); INPUT_LIMIT + 1], &[]),
            ModelInferRequest { id: "x".repeat(ID_LIMIT + 1), ..Default::default() },
        ] {
            call_of(asked).unwrap_err();
        }
        let mut asked = request(Vec::new(), &[]);
        asked.parameters = HashMap::from([("colour".to_owned(), InferParameter::default())]);
        assert!(call_of(asked).unwrap_err().message.contains("no value"));
    }
}
