//! The model repository extension: what is there, load and unload.

use serde::Serialize;

use super::catalogue::{MODELS, ModelSpec};
use super::fault::{invalid, shown, unknown_model};
use super::{Inference, ParameterValue};
use crate::app::AppError;
use crate::engine::{EngineError, ModelState, NOT_LOADED};
use crate::http::guard::Caller;
use crate::http::{ApiError, ErrorCode};
use crate::telemetry::with_causes;

/// Why a model does not take work, for those whom the reason itself is none of their business.
const HIDDEN: &str = "not usable; whoever may load models is told why";
/// What the names of parameters begin with that carry a model's files.
const FILE: &str = "file:";

/// One version of one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct IndexEntry {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) state: String,
    pub(super) reason: String,
}

impl Inference {
    /// Every version of every model, and the pipelines that are made of them. Reasons may name folders of the
    /// server, so they are for those who may load models.
    pub(super) async fn index(&self, caller: Caller, only_ready: bool) -> Result<Vec<IndexEntry>, ApiError> {
        let sees_all = caller.check(self.app().config().inference.management).is_ok();
        let engine = self.app().engine().clone();
        // The engine looks at the folders for this.
        let found = self.app().run_blocking(move || engine.repository()).await.map_err(AppError::from)?;
        let mut entries: Vec<IndexEntry> = found
            .into_iter()
            .map(|entry| IndexEntry {
                name: entry.name,
                version: entry.version.to_string(),
                state: entry.state.code().to_owned(),
                reason: if sees_all { entry.reason } else { hidden(entry.reason) },
            })
            .collect();
        entries.extend(MODELS.iter().filter(|model| model.is_pipeline()).map(|model| self.pipeline(model)));
        if only_ready {
            entries.retain(|entry| entry.state == ModelState::Ready.code());
        }
        Ok(entries)
    }

    fn pipeline(&self, spec: &ModelSpec) -> IndexEntry {
        let found = self.find(spec.name, "");
        let reason = found.as_ref().err().map(|error| error.message.clone()).unwrap_or_default();
        IndexEntry {
            name: spec.name.to_owned(),
            version: found.as_ref().map(|(_, version)| version.to_string()).unwrap_or_default(),
            state: if found.is_ok() { ModelState::Ready } else { ModelState::Unavailable }.code().to_owned(),
            reason,
        }
    }

    /// Loads a model, in the newest version or the one that the parameters name.
    pub(super) async fn load(
        &self,
        caller: Caller,
        name: &str,
        parameters: &[(String, ParameterValue)],
    ) -> Result<(), ApiError> {
        caller.check(self.app().config().inference.management)?;
        let name = own_model(name)?;
        let version = version_in(parameters)?;
        let loaded = self.app().engine().load_model(name, version).await.map_err(refusal)?;
        tracing::info!(model = name, version = loaded, peer = ?caller.peer, "a model was loaded on request");
        Ok(())
    }

    /// Unloads a model; the pipelines that are made of it answer nothing then.
    pub(super) async fn unload(&self, caller: Caller, name: &str) -> Result<(), ApiError> {
        caller.check(self.app().config().inference.management)?;
        let name = own_model(name)?;
        self.app().engine().unload_model(name).await.map_err(AppError::from)?;
        tracing::info!(model = name, peer = ?caller.peer, "a model was unloaded on request");
        Ok(())
    }
}

/// Why a model was not loaded. Whoever may load models may read what is wrong with their files.
fn refusal(error: EngineError) -> ApiError {
    match error {
        EngineError::NoWeights { .. }
        | EngineError::Load { .. }
        | EngineError::Model(_)
        | EngineError::Panicked { .. } => ApiError::new(ErrorCode::ModelFailed, with_causes(&error)),
        error => AppError::from(error).into(),
    }
}

/// A reason that says no more than everybody may know.
fn hidden(reason: String) -> String {
    if reason.is_empty() || reason == NOT_LOADED { reason } else { HIDDEN.to_owned() }
}

/// The engine's model of a name.
fn own_model(name: &str) -> Result<&'static str, ApiError> {
    let spec = ModelSpec::find(name).ok_or_else(|| unknown_model(name))?;
    if spec.is_pipeline() {
        let parts = spec.parts.join(" and ");
        return Err(invalid(format!("{} is made of {parts}, which can be loaded and unloaded", spec.name)));
    }
    Ok(spec.name)
}

/// The version that a request to load names. Weights and configurations come from the repository's folders and never
/// from a request, so parameters that carry them are refused.
fn version_in(parameters: &[(String, ParameterValue)]) -> Result<Option<u32>, ApiError> {
    let mut version = None;
    for (name, value) in parameters {
        if name == "config" || name.starts_with(FILE) {
            let message = format!("{} is not taken: models are loaded from their folders", shown(name));
            return Err(invalid(message));
        }
        if name == "version" {
            let number = match value {
                ParameterValue::Whole(number) => u32::try_from(*number).ok(),
                ParameterValue::Text(text) => text.parse().ok(),
                ParameterValue::Flag(_) | ParameterValue::Number(_) => None,
            };
            version = Some(number.ok_or_else(|| invalid("a version is a whole number"))?);
        }
    }
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(name: &str, value: ParameterValue) -> Result<Option<u32>, ApiError> {
        version_in(&[(name.to_owned(), value)])
    }

    #[test]
    fn a_version_is_a_number_in_either_dress() {
        assert_eq!(versions("version", ParameterValue::Whole(2)).unwrap(), Some(2));
        assert_eq!(versions("version", ParameterValue::Text("3".to_owned())).unwrap(), Some(3));
        assert_eq!(versions("unload_dependents", ParameterValue::Flag(false)).unwrap(), None);
        versions("version", ParameterValue::Whole(1 << 40)).unwrap_err();
        versions("version", ParameterValue::Text("new".to_owned())).unwrap_err();
    }

    #[test]
    fn weights_do_not_come_with_a_request() {
        for name in ["config", "file:1/model.safetensors"] {
            versions(name, ParameterValue::Text(String::new())).unwrap_err();
        }
    }

    #[test]
    fn reasons_that_name_folders_are_for_few() {
        assert_eq!(hidden(String::new()), "");
        assert_eq!(hidden(NOT_LOADED.to_owned()), NOT_LOADED);
        assert_eq!(hidden("model text cannot be loaded from /srv/models".to_owned()), HIDDEN);
        let error = EngineError::NoWeights { model: "text", folder: "/srv/models".into() };
        assert!(refusal(error).message.contains("/srv/models"));
        let error = refusal(EngineError::UnknownModel { name: "x".to_owned() });
        assert_eq!(error.code, ErrorCode::ModelUnknown);
    }

    #[test]
    fn pipelines_are_not_loaded_and_say_what_is() {
        assert_eq!(own_model("voice").unwrap(), "voice");
        assert!(own_model("face_emotion").unwrap_err().message.contains("detector and face"));
        own_model("../text").unwrap_err();
    }
}
