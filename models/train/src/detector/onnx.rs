//! The few fields of an ONNX file that hold weights: the graph's initializers, read from its protocol buffer.
//!
//! A protocol buffer is a row of fields: a key (number times 8 plus kind) and a value. ModelProto.graph is field 7,
//! GraphProto.initializer field 5, and of a TensorProto the dimensions are field 1, the type field 2 (1 is f32), the
//! name field 8 and the raw bytes field 9. Everything else is skipped.

use std::collections::BTreeMap;

const GRAPH: u64 = 7;
const INITIALIZER: u64 = 5;
const DIMENSION: u64 = 1;
const TYPE: u64 = 2;
const NAME: u64 = 8;
const RAW: u64 = 9;
const FLOAT: u64 = 1;

/// A tensor of the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// The f32 tensors of a file by name. Fails with a reason where the bytes are no such file.
pub(super) fn read(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>, String> {
    let mut tensors = BTreeMap::new();
    for graph in Fields(bytes) {
        let Value::Bytes(graph) = pick(graph?, GRAPH) else { continue };
        for field in Fields(graph) {
            let Value::Bytes(initializer) = pick(field?, INITIALIZER) else { continue };
            if let Some((name, tensor)) = tensor(initializer)? {
                tensors.insert(name, tensor);
            }
        }
    }
    Ok(tensors)
}

fn tensor(bytes: &[u8]) -> Result<Option<(String, Tensor)>, String> {
    let (mut shape, mut kind, mut name, mut raw) = (Vec::new(), 0, String::new(), &[][..]);
    for field in Fields(bytes) {
        match field? {
            (DIMENSION, Value::Number(size)) => {
                shape.push(usize::try_from(size).map_err(|error| error.to_string())?);
            }
            (TYPE, Value::Number(value)) => kind = value,
            (NAME, Value::Bytes(value)) => name = String::from_utf8_lossy(value).into_owned(),
            (RAW, Value::Bytes(value)) => raw = value,
            _ => {}
        }
    }
    if kind != FLOAT {
        return Ok(None);
    }
    let values: Vec<f32> = raw.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let count = shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size));
    if count != Some(values.len()) {
        return Err(format!("tensor {name} of shape {shape:?} has {} values", values.len()));
    }
    Ok(Some((name, Tensor { shape, values })))
}

/// A field's value as far as it is needed here.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Other,
}

fn pick<'a>((number, value): (u64, Value<'a>), wanted: u64) -> Value<'a> {
    if number == wanted { value } else { Value::Other }
}

/// The fields of a message.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("the file ends within a field")?;
        self.0 = rest;
        Ok(taken)
    }

    /// A number in groups of seven bits, the lowest first.
    fn number(&mut self) -> Result<u64, String> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err("a number is longer than 64 bits".to_owned())
    }

    fn field(&mut self) -> Result<(u64, Value<'a>), String> {
        let key = self.number()?;
        let value = match key & 7 {
            0 => Value::Number(self.number()?),
            1 => self.take(8).map(|_| Value::Other)?,
            2 => {
                let length = usize::try_from(self.number()?).map_err(|error| error.to_string())?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Other)?,
            kind => return Err(format!("a field is of unknown kind {kind}")),
        };
        Ok((key >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut field = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
        field.extend_from_slice(bytes);
        field
    }

    fn file(dimensions: &[u8], kind: u8) -> Vec<u8> {
        let mut tensor: Vec<u8> = dimensions.iter().flat_map(|size| [1 << 3, *size]).collect();
        tensor.extend([2 << 3, kind]);
        tensor.extend(field(8, b"w"));
        tensor.extend(field(9, &[1.5_f32.to_le_bytes(), (-2.0_f32).to_le_bytes()].concat()));
        let mut graph = field(1, b"a node");
        graph.extend(field(5, &tensor));
        let mut file = vec![1 << 3, 0x80, 0x01];
        file.extend(field(7, &graph));
        file
    }

    #[test]
    fn a_tensor_is_read() {
        let tensors = read(&file(&[2, 1], 1)).unwrap();
        assert_eq!(tensors["w"], Tensor { shape: vec![2, 1], values: vec![1.5, -2.0] });
        assert!(read(&file(&[2], 7)).unwrap().is_empty());
    }

    #[test]
    fn damaged_files_are_refused() {
        let whole = file(&[2], 1);
        assert!(read(&whole[..whole.len() - 3]).unwrap_err().contains("ends within"));
        assert!(read(&file(&[3], 1)).unwrap_err().contains("has 2 values"));
        assert!(read(&[0x0f]).unwrap_err().contains("unknown kind"));
        assert!(read(&[0x80; 12]).is_err());
    }
}
