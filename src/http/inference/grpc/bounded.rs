//! Looks at a message's outline before memory is taken for it.
//!
//! An empty part of a message takes two bytes on the wire and a hundred times that in memory, so a limit on the bytes
//! alone bounds nothing. The outline is counted first: it costs no memory, and what is beyond a limit is refused
//! before it is decoded.

use std::any::TypeId;
use std::marker::PhantomData;

use axum::body::Bytes;
use prost::Message;
use prost::bytes::Buf;
use prost::encoding::{WireType, decode_key, decode_varint};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic_prost::{ProstCodec, ProstEncoder};

use super::super::limits::{DIMENSION_LIMIT, ELEMENT_LIMIT};
use super::proto::ModelInferRequest;

/// The most fields of a message, or of one input.
const FIELD_LIMIT: usize = 1_024;
/// The most bytes of a shape: a size takes at most ten.
const SHAPE_BYTES: usize = DIMENSION_LIMIT * 10;

/// Field numbers of a request for inference.
const INPUTS: u32 = 5;
const INPUT_SHAPE: u32 = 3;
const INPUT_CONTENTS: u32 = 5;
const CONTENTS_UINT: u32 = 4;
const CONTENTS_FP32: u32 = 6;
const CONTENTS_BYTES: u32 = 8;

/// The codec of all messages.
#[derive(Debug)]
pub(crate) struct BoundedCodec<Out, In>(PhantomData<(Out, In)>);

impl<Out, In> Default for BoundedCodec<Out, In> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<Out, In> Codec for BoundedCodec<Out, In>
where
    Out: Message + Send + 'static,
    In: Message + Default + Send + 'static,
{
    type Encode = Out;
    type Decode = In;
    type Encoder = ProstEncoder<Out>;
    type Decoder = BoundedDecoder<In>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<Out, In>::raw_encoder(tonic::codec::BufferSettings::default())
    }

    fn decoder(&mut self) -> Self::Decoder {
        BoundedDecoder(PhantomData)
    }
}

/// Decodes messages whose outline is within the limits.
#[derive(Debug)]
pub(crate) struct BoundedDecoder<In>(PhantomData<In>);

impl<In: Message + Default + 'static> Decoder for BoundedDecoder<In> {
    type Item = In;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<In>, Status> {
        let message = source.copy_to_bytes(source.remaining());
        if TypeId::of::<In>() == TypeId::of::<ModelInferRequest>() {
            check_request(&message).map_err(Status::invalid_argument)?;
        }
        let damaged = |error| Status::invalid_argument(format!("the message is damaged: {error}"));
        In::decode(message).map(Some).map_err(damaged)
    }
}

/// Checks the outline of a request for inference.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_request(message: &Bytes) -> Result<(), String> {
    each_field(message, FIELD_LIMIT, |number, input| match (number, input) {
        (INPUTS, Some(input)) => each_field(&input, FIELD_LIMIT, check_input_field),
        _ => Ok(()),
    })
}

fn check_input_field(number: u32, content: Option<Bytes>) -> Result<(), String> {
    match (number, content) {
        (INPUT_SHAPE, Some(shape)) if shape.len() > SHAPE_BYTES => {
            Err(format!("a shape has more than {DIMENSION_LIMIT} dimensions"))
        }
        (INPUT_CONTENTS, Some(contents)) => each_field(&contents, ELEMENT_LIMIT, |number, _| match number {
            CONTENTS_UINT | CONTENTS_FP32 | CONTENTS_BYTES => Ok(()),
            other => Err(format!("no model here takes the contents of field {other}")),
        }),
        _ => Ok(()),
    }
}

/// Looks at every field of a message: its number, and its bytes where it has a length.
fn each_field(
    message: &Bytes,
    limit: usize,
    mut look: impl FnMut(u32, Option<Bytes>) -> Result<(), String>,
) -> Result<(), String> {
    let damaged = |_| "the message is damaged".to_owned();
    let mut rest = message.clone();
    let mut count = 0;
    while rest.has_remaining() {
        count += 1;
        if count > limit {
            return Err(format!("a part of the message has more than {limit} fields"));
        }
        let (number, kind) = decode_key(&mut rest).map_err(damaged)?;
        let length = match kind {
            WireType::Varint => {
                decode_varint(&mut rest).map_err(damaged)?;
                look(number, None)?;
                continue;
            }
            WireType::ThirtyTwoBit => 4,
            WireType::SixtyFourBit => 8,
            WireType::LengthDelimited => decode_varint(&mut rest).map_err(damaged)?,
            WireType::StartGroup | WireType::EndGroup => return Err("groups are not taken".to_owned()),
        };
        let length = usize::try_from(length).ok().filter(|length| *length <= rest.len());
        let content = rest.split_to(length.ok_or_else(|| "the message is cut off".to_owned())?);
        look(number, (kind == WireType::LengthDelimited).then_some(content))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::proto::model_infer_request::InferInputTensor;
    use super::super::proto::{InferParameter, InferTensorContents};
    use super::*;

    fn input() -> InferInputTensor {
        let contents = InferTensorContents { fp32_contents: vec![0.5; 100_000], ..Default::default() };
        InferInputTensor {
            name: "waveform".to_owned(),
            datatype: "FP32".to_owned(),
            shape: vec![i64::MAX; DIMENSION_LIMIT],
            contents: Some(contents),
            ..Default::default()
        }
    }

    fn check(request: &ModelInferRequest) -> Result<(), String> {
        check_request(&Bytes::from(request.encode_to_vec()))
    }

    #[test]
    fn ordinary_requests_pass() {
        let parameters = [("priority".to_owned(), InferParameter::default())].into();
        let raw_input_contents = vec![Bytes::from(vec![0; 1_000])];
        check(&ModelInferRequest {
            inputs: vec![input()],
            parameters,
            raw_input_contents,
            ..Default::default()
        })
        .unwrap();
        check(&ModelInferRequest::default()).unwrap();
    }

    #[test]
    fn what_would_grow_in_memory_is_refused() {
        let empty = vec![InferInputTensor::default(); FIELD_LIMIT + 1];
        let wide = InferInputTensor { shape: vec![1; SHAPE_BYTES + 1], ..input() };
        let many = InferTensorContents {
            bytes_contents: vec![Bytes::new(); ELEMENT_LIMIT + 1],
            ..Default::default()
        };
        let long = InferTensorContents { int64_contents: vec![1], ..Default::default() };
        let with = |contents| vec![InferInputTensor { contents: Some(contents), ..input() }];
        for inputs in [empty, vec![wide], with(many), with(long)] {
            check(&ModelInferRequest { inputs, ..Default::default() }).unwrap_err();
        }
    }

    #[test]
    fn damage_is_no_panic() {
        let whole = ModelInferRequest { inputs: vec![input()], ..Default::default() }.encode_to_vec();
        for length in 0..200 {
            let _ = check_request(&Bytes::copy_from_slice(&whole[..length]));
        }
        for bytes in [&[0x0b][..], &[0xff; 12], &[0x2a, 0xff, 0xff, 0xff, 0xff, 0x7f]] {
            check_request(&Bytes::copy_from_slice(bytes)).unwrap_err();
        }
    }
}
