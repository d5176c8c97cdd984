//! The protocol's datatypes by name.

/// A datatype of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Datatype {
    /// True or false.
    Bool,
    /// An unsigned byte.
    Uint8,
    /// Two unsigned bytes.
    Uint16,
    /// Four unsigned bytes.
    Uint32,
    /// Eight unsigned bytes.
    Uint64,
    /// A signed byte.
    Int8,
    /// Two signed bytes.
    Int16,
    /// Four signed bytes.
    Int32,
    /// Eight signed bytes.
    Int64,
    /// A number of half precision.
    Fp16,
    /// A number of single precision.
    Fp32,
    /// A number of double precision.
    Fp64,
    /// A piece of text, or any bytes.
    Bytes,
}

impl Datatype {
    /// Every datatype.
    pub const ALL: [Self; 13] = [
        Self::Bool,
        Self::Uint8,
        Self::Uint16,
        Self::Uint32,
        Self::Uint64,
        Self::Int8,
        Self::Int16,
        Self::Int32,
        Self::Int64,
        Self::Fp16,
        Self::Fp32,
        Self::Fp64,
        Self::Bytes,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::Uint8 => "UINT8",
            Self::Uint16 => "UINT16",
            Self::Uint32 => "UINT32",
            Self::Uint64 => "UINT64",
            Self::Int8 => "INT8",
            Self::Int16 => "INT16",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::Fp16 => "FP16",
            Self::Fp32 => "FP32",
            Self::Fp64 => "FP64",
            Self::Bytes => "BYTES",
        }
    }

    /// The datatype of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|datatype| datatype.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for datatype in Datatype::ALL {
            assert_eq!(Datatype::of(datatype.name()), Some(datatype));
        }
        assert_eq!(Datatype::of("fp32"), None);
        assert_eq!(Datatype::of(""), None);
    }
}
