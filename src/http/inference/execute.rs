//! From a call to its answer: the model is found, the tensors are held against what it takes, it computes, and the
//! outputs that were asked for are picked out.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::catalogue::{InputSpec, ModelSpec, OutputSpec, Served};
use super::classification::classify;
use super::fault::{invalid, not_loaded, shown, too_many_rows, unknown_model, unknown_version};
use super::{Answer, Call, CallParameters, Inference, Output, Tensor, Wanted};
use crate::app::{AppError, Role};
use crate::engine::{Priority, Terms};
use crate::http::{ApiError, ErrorCode};

/// A priority up to this one is computed as live, like the default; what is less urgent as batch work.
const LEAST_LIVE_PRIORITY: u64 = 1;

/// What a model computed.
#[derive(Debug, Default)]
pub(super) struct Computed {
    /// All of its outputs.
    pub(super) tensors: Vec<Tensor>,
    /// The names of its labels, where it has any and computed a row.
    pub(super) labels: Vec<String>,
    /// How long it took to make rows of what came.
    pub(super) reading: Duration,
}

impl Inference {
    /// Finds a listed model and the version of it that is loaded. An empty version stands for that one.
    pub(super) fn find(&self, name: &str, version: &str) -> Result<(&'static ModelSpec, u32), ApiError> {
        let spec = ModelSpec::find(name).ok_or_else(|| unknown_model(name))?;
        let loaded = self.app().engine().models();
        let version_of =
            |part: &str| loaded.iter().find(|model| model.name == part).map(|model| model.version);
        if let Some(missing) = spec.parts.iter().find(|part| version_of(part).is_none()) {
            return Err(not_loaded(missing));
        }
        let found = version_of(spec.reader()).ok_or_else(|| not_loaded(name))?;
        if !version.is_empty() && version.parse() != Ok(found) {
            return Err(unknown_version(spec.name, version, found));
        }
        Ok((spec, found))
    }

    /// Answers a call within the client's patience and the server's own.
    pub(super) async fn infer(
        &self,
        name: &str,
        version: &str,
        call: Call,
        patience: Option<Duration>,
    ) -> Result<Answer, ApiError> {
        let (spec, version) = self.find(name, version)?;
        self.check_role(spec, &call.parameters)?;
        let terms = self.terms(&call.parameters, patience);
        let Call { id, parameters, inputs, outputs } = call;
        check_wanted(spec, &outputs)?;
        let input = self.only_input(spec, inputs)?;
        let rows = input.shape.first().copied().unwrap_or_default();
        let started = Instant::now();
        let outcome = self.compute_in_time(spec.served, input, terms).await;
        let elapsed = started.elapsed();
        let computed = match outcome {
            Ok(computed) => {
                self.tally().succeeded(spec.served, rows, elapsed, computed.reading);
                computed
            }
            Err(error) => {
                self.tally().failed(spec.served, elapsed);
                return Err(error);
            }
        };
        let outputs = pick(spec, computed, &outputs, parameters.is_binary)?;
        Ok(Answer { model: spec.name, version, id, outputs })
    }

    /// Computes until the terms' deadline: work that does not wait for a model has to end by it as well.
    async fn compute_in_time(
        &self,
        served: Served,
        input: Tensor,
        terms: Terms,
    ) -> Result<Computed, ApiError> {
        let computing = self.compute(served, input, terms);
        match terms.deadline {
            Some(deadline) => tokio::time::timeout_at(deadline.into(), computing)
                .await
                .unwrap_or_else(|_| Err(AppError::Deadline.into())),
            None => computing.await,
        }
    }

    fn terms(&self, parameters: &CallParameters, patience: Option<Duration>) -> Terms {
        let own = self.app().request_timeout();
        let patience = [parameters.timeout, patience].into_iter().flatten().fold(own, Duration::min);
        let is_live = parameters.priority <= LEAST_LIVE_PRIORITY;
        Terms {
            deadline: Some(Instant::now() + patience),
            priority: if is_live { Priority::Live } else { Priority::Batch },
            session: parameters.session,
        }
    }

    /// The privacy policy holds on this wire as on every other.
    fn check_role(&self, spec: &ModelSpec, parameters: &CallParameters) -> Result<(), ApiError> {
        let has_basis = self.app().config().privacy.agent_biometrics_basis.is_some();
        if parameters.role == Role::Agent && spec.is_biometric() && !has_basis {
            return Err(AppError::AgentBiometricsRefused { part: "the input" }.into());
        }
        Ok(())
    }

    /// The input of a model, which all models here have one of.
    fn only_input(&self, spec: &ModelSpec, inputs: Vec<Tensor>) -> Result<Tensor, ApiError> {
        let mut found = None;
        for input in inputs {
            let known = spec.inputs.iter().find(|known| known.name == input.name);
            let Some(known) = known else {
                let names: Vec<_> = spec.inputs.iter().map(|input| input.name).collect();
                let message = format!(
                    "model {} has no input {}; it takes {}",
                    spec.name,
                    shown(&input.name),
                    names.join(", ")
                );
                return Err(invalid(message));
            };
            if found.is_some() {
                return Err(invalid(format!("the input {} is there twice", known.name)));
            }
            check_input(known, &input)?;
            found = Some(input);
        }
        let names: Vec<_> = spec.inputs.iter().map(|input| input.name).collect();
        let input = found
            .ok_or_else(|| invalid(format!("model {} needs the input {}", spec.name, names.join(", "))))?;
        let rows = input.shape.first().copied().unwrap_or_default();
        let limit = self.app().config().engine.queue_rows;
        if rows > limit {
            return Err(too_many_rows(rows, limit));
        }
        Ok(input)
    }
}

/// Holds a tensor against what the model takes.
fn check_input(known: &InputSpec, input: &Tensor) -> Result<(), ApiError> {
    let datatype = input.values.datatype();
    if datatype != known.datatype {
        let (found, expected) = (datatype.name(), known.datatype.name());
        return Err(invalid(format!("input {} has the datatype {found}; it takes {expected}", known.name)));
    }
    let fits = |(known, found): (&i64, &usize)| *known < 0 || usize::try_from(*known) == Ok(*found);
    if input.shape.len() != known.shape.len() || !known.shape.iter().zip(&input.shape).all(fits) {
        let (found, expected) = (&input.shape, known.shape);
        return Err(invalid(format!("input {} has the shape {found:?}; it takes {expected:?}", known.name)));
    }
    if input.values.is_empty() {
        return Err(invalid(format!("input {} is empty", known.name)));
    }
    Ok(())
}

/// Checks the outputs that are asked for, before anything is computed.
fn check_wanted(spec: &ModelSpec, wanted: &[Wanted]) -> Result<(), ApiError> {
    let mut seen = HashSet::new();
    for one in wanted {
        if !spec.outputs.iter().any(|output| output.name == one.name) {
            let names: Vec<_> = spec.outputs.iter().map(|output| output.name).collect();
            let found = shown(&one.name);
            let message = format!("model {} has no output {found}; it gives {}", spec.name, names.join(", "));
            return Err(invalid(message));
        }
        if !seen.insert(one.name.as_str()) {
            return Err(invalid(format!("the output {} is asked for twice", one.name)));
        }
    }
    Ok(())
}

/// The outputs that were asked for, in that order; all of them where none were named.
fn pick(
    spec: &ModelSpec,
    computed: Computed,
    wanted: &[Wanted],
    is_binary: bool,
) -> Result<Vec<Output>, ApiError> {
    let Computed { tensors, labels, .. } = computed;
    if wanted.is_empty() {
        return Ok(tensors.into_iter().map(|tensor| Output { tensor, is_binary }).collect());
    }
    let pick_one = |wanted: &Wanted| {
        let of_name = |spec: &&OutputSpec| spec.name == wanted.name;
        let columns = spec.outputs.iter().find(of_name).map(|spec| spec.columns);
        let tensor = tensors.iter().find(|tensor| tensor.name == wanted.name).cloned();
        let (Some(columns), Some(tensor)) = (columns, tensor) else {
            let message = format!("model {} gave no {}", spec.name, wanted.name);
            return Err(ApiError::new(ErrorCode::Internal, message));
        };
        let tensor = match wanted.classes {
            Some(classes) => classify(tensor, columns, &labels, classes)?,
            None => tensor,
        };
        Ok(Output { tensor, is_binary: wanted.is_binary.unwrap_or(is_binary) })
    };
    wanted.iter().map(pick_one).collect()
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::super::Values;
    use super::*;

    fn tensor(shape: &[usize], values: Values) -> Tensor {
        Tensor { name: "text".to_owned(), shape: shape.to_vec(), values }
    }

    #[test]
    fn inputs_are_held_against_the_catalogue() {
        let text = &ModelSpec::find("text").unwrap().inputs[0];
        let words = |count: usize| Values::Elements(vec![Bytes::from_static(b"a"); count]);
        check_input(text, &tensor(&[2], words(2))).unwrap();
        for (input, expected) in [
            (tensor(&[1], Values::Floats(vec![1.0])), "FP32"),
            (tensor(&[1, 2], words(2)), "[1, 2]"),
            (tensor(&[0], words(0)), "empty"),
        ] {
            let message = check_input(text, &input).unwrap_err().message;
            assert!(message.contains(expected), "{message}");
        }
        let face = &ModelSpec::find("face").unwrap().inputs[0];
        let crop =
            |shape: &[usize]| tensor(shape, Values::Octets(Bytes::from(vec![0; shape.iter().product()])));
        check_input(face, &crop(&[2, 48, 48])).unwrap();
        check_input(face, &crop(&[2, 48, 47])).unwrap_err();
    }

    #[test]
    fn outputs_are_picked_in_the_order_asked_for() {
        let spec = ModelSpec::find("text").unwrap();
        let wanted = |name: &str| Wanted { name: name.to_owned(), ..Wanted::default() };
        check_wanted(spec, &[wanted("quality"), wanted("abstain")]).unwrap();
        let message = check_wanted(spec, &[wanted("colour")]).unwrap_err().message;
        assert!(message.contains("categories, labels"), "{message}");
        check_wanted(spec, &[wanted("quality"), wanted("quality")]).unwrap_err();
        let named = |name: &str| Tensor { name: name.to_owned(), ..tensor(&[1], Values::Floats(vec![0.5])) };
        let computed =
            || Computed { tensors: vec![named("categories"), named("quality")], ..Computed::default() };
        let asked = [Wanted { is_binary: Some(true), ..wanted("quality") }, wanted("categories")];
        let picked = pick(spec, computed(), &asked, false).unwrap();
        let names: Vec<_> =
            picked.iter().map(|output| (output.tensor.name.as_str(), output.is_binary)).collect();
        assert_eq!(names, [("quality", true), ("categories", false)]);
        assert!(pick(spec, computed(), &[], true).unwrap().iter().all(|output| output.is_binary));
        let missing = pick(spec, computed(), &[wanted("abstain")], false).unwrap_err();
        assert_eq!(missing.code, ErrorCode::Internal);
    }
}
