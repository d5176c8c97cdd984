//! Whatever bytes come, the parsers of both wires answer: they do not panic, and they take no more memory than a
//! small multiple of the bytes.
//!
//! Memory is counted for the whole program, so everything here is one test.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::body::Bytes;
use heartline::http::inference::grpc::proto::model_infer_request::InferInputTensor;
use heartline::http::inference::grpc::proto::{InferTensorContents, ModelInferRequest};
use heartline::http::inference::{body, grpc};
use peak_alloc::PeakAlloc;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use prost::Message;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Cases for each property.
const CASES: u32 = 2_000;
/// Bytes of memory that each byte of a request may cost, and what any request may.
const FACTOR: usize = 40;
const ALLOWANCE: usize = 512 << 10;

/// Runs a parser and holds its memory against the length of its input.
fn bounded<T>(length: usize, parse: impl FnOnce() -> T) -> T {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let parsed = parse();
    let taken = ALLOCATOR.peak_usage().saturating_sub(before);
    assert!(taken <= ALLOWANCE + FACTOR * length, "{taken} bytes of memory for {length} bytes");
    parsed
}

fn read(bytes: Vec<u8>, header_length: Option<usize>) -> bool {
    let length = bytes.len();
    let bytes = Bytes::from(bytes);
    bounded(length, || body::read(&bytes, header_length)).is_ok()
}

fn read_message(bytes: Vec<u8>) -> bool {
    let length = bytes.len();
    let bytes = Bytes::from(bytes);
    bounded(length, || grpc::read(&bytes)).is_ok()
}

/// Values that JSON may have where something else is expected.
fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        Just("1e400".to_owned()),
        Just("-0.0".to_owned()),
        "[a-z\\\\\"\u{0}é]{0,8}".prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|list| format!("[{}]", list.join(","))),
            prop::collection::vec(("[a-z_]{0,12}", inner), 0..6).prop_map(|pairs| {
                let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", pairs.join(","))
            }),
        ]
    })
}

/// Requests that are nearly right.
fn nearly() -> impl Strategy<Value = String> {
    let datatype = prop::sample::select(vec!["FP32", "UINT8", "BYTES", "INT64", "BOOL", "x"]);
    let field = (any_json(), any_json(), any_json(), datatype, 0_u64..40, prop::bool::ANY);
    prop::collection::vec(field, 0..4).prop_map(|inputs| {
        let input = |(name, shape, data, datatype, size, is_binary): &(_, _, _, &str, u64, bool)| {
            let name: &String = name;
            let name = if name.starts_with('"') { name.clone() } else { "\"a\"".to_owned() };
            let tail = if *is_binary {
                format!("\"parameters\":{{\"binary_data_size\":{size}}}")
            } else {
                format!("\"data\":{data}")
            };
            let shape: &String = shape;
            let shape = if shape.starts_with('[') { shape.clone() } else { format!("[{size}]") };
            format!("{{\"name\":{name},\"datatype\":\"{datatype}\",\"shape\":{shape},{tail}}}")
        };
        let inputs: Vec<_> = inputs.iter().map(input).collect();
        format!("{{\"inputs\":[{}]}}", inputs.join(","))
    })
}

fn run<S: Strategy>(strategy: &S, check: impl Fn(S::Value)) {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(strategy, |value| {
        check(value);
        Ok(())
    });
    outcome.unwrap_or_else(|error| std::panic::resume_unwind(Box::new(error.to_string())));
}

fn valid_message() -> Vec<u8> {
    let contents = InferTensorContents { fp32_contents: vec![0.5; 12], ..Default::default() };
    let input = |name: &str, datatype: &str, contents: Option<InferTensorContents>| InferInputTensor {
        name: name.to_owned(),
        datatype: datatype.to_owned(),
        shape: vec![3, 4],
        contents,
        ..Default::default()
    };
    let inputs = vec![input("a", "FP32", Some(contents)), input("b", "UINT8", None)];
    ModelInferRequest { model_name: "text".to_owned(), id: "7".to_owned(), inputs, ..Default::default() }
        .encode_to_vec()
}

/// Bodies that cost little to send and much to keep.
fn swollen() -> Vec<(&'static str, Vec<u8>)> {
    const COUNT: usize = 200_000;
    let input = |data: String| {
        format!(r#"{{"inputs":[{{"name":"a","datatype":"BYTES","shape":[1],"data":{data}}}]}}"#)
    };
    vec![
        ("empty inputs", format!(r#"{{"inputs":[{}]}}"#, vec!["{}"; COUNT].join(",")).into_bytes()),
        ("empty texts", input(format!("[{}]", vec!["\"\""; COUNT].join(","))).into_bytes()),
        ("numbers", input(format!("[{}]", vec!["0"; COUNT].join(","))).into_bytes()),
        ("empty lists", input(format!("[{}]", vec!["[]"; COUNT].join(","))).into_bytes()),
        ("nesting", input("[".repeat(COUNT)).into_bytes()),
        (
            "parameters",
            format!(
                r#"{{"parameters":{{{}}}}}"#,
                (0..COUNT).map(|at| format!("\"{at}\":1")).collect::<Vec<_>>().join(",")
            )
            .into_bytes(),
        ),
        (
            "sizes",
            input("[]".to_owned()).replace("[1]", &format!("[{}]", vec!["1"; COUNT].join(","))).into_bytes(),
        ),
        ("unknown fields", format!(r#"{{"x":[{}],"inputs":[]}}"#, vec!["{}"; COUNT].join(",")).into_bytes()),
    ]
}

#[test]
fn whatever_comes_is_answered_within_its_memory() {
    for (what, bytes) in swollen() {
        // Only what is passed over is no fault.
        assert_eq!(read(bytes, None), what == "unknown fields", "{what}");
    }
    let empty =
        ModelInferRequest { inputs: vec![InferInputTensor::default(); 200_000], ..Default::default() };
    assert!(!read_message(empty.encode_to_vec()));

    let bytes = prop::collection::vec(any::<u8>(), 0..512);
    let length = prop::option::of(0_usize..600);
    run(&(bytes.clone(), length.clone()), |(bytes, length)| {
        read(bytes, length);
    });
    run(&(any_json(), length), |(text, length)| {
        read(text.into_bytes(), length);
    });
    run(&(nearly(), bytes.clone()), |(text, tail)| {
        let length = text.len();
        read([text.into_bytes(), tail].concat(), Some(length));
    });
    run(&bytes, |bytes| {
        read_message(bytes);
    });
    let valid = valid_message();
    let change = prop::collection::vec((0..valid.len(), any::<u8>()), 1..6);
    run(&(change, 0..=valid.len()), |(changes, length)| {
        let mut bytes = valid.clone();
        for (place, value) in changes {
            bytes[place] = value;
        }
        bytes.truncate(length);
        read_message(bytes);
    });
}
