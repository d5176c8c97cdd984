//! Every limit on what a request may be, beside those of the configuration: body, rows and media have theirs there.

/// The most inputs of one request.
pub(super) const INPUT_LIMIT: usize = 16;
/// The most outputs that one request may name.
pub(super) const OUTPUT_LIMIT: usize = 64;
/// The most parameters of one request, one input or one output.
pub(super) const PARAMETER_LIMIT: usize = 64;
/// The most dimensions of a tensor.
pub(super) const DIMENSION_LIMIT: usize = 8;
/// The longest name of a model, a tensor or a parameter, in bytes.
pub(super) const NAME_LIMIT: usize = 128;
/// The longest identifier of a request, in bytes.
pub(super) const ID_LIMIT: usize = 1_024;
/// The most elements of a tensor of BYTES; the largest queue takes no more rows.
pub(super) const ELEMENT_LIMIT: usize = 100_000;
/// How deep the data of a tensor may be nested in JSON.
pub(super) const NESTING_LIMIT: usize = DIMENSION_LIMIT;
/// The most classes that one output may be reduced to.
pub(super) const CLASS_LIMIT: u64 = 64;
/// The largest body or message of a request that carries no tensors, in bytes.
pub(super) const SMALL_REQUEST: usize = 64 << 10;
/// Bodies up to this size, in bytes, are read where they arrive; larger ones on a worker.
pub(super) const SMALL_BODY: usize = 16 << 10;
/// Answers up to this many elements are written where they are made; larger ones on a worker.
pub(super) const SMALL_ANSWER: usize = 4_096;
