//! The Open Inference Protocol, version 2: clients of other inference servers work with this one unchanged.
//!
//! One core behind two thin wires. The core knows which models there are (`catalogue`), what tensors are
//! ([`Tensor`]), and how a [`Call`] becomes an [`Answer`] (`execute`); HTTP below `/v2` (`routes`, [`body`]) and gRPC
//! ([`grpc`]) only translate. Every fault is one of the house's errors, so that its status is chosen where all
//! others are.

pub mod body;
mod call;
mod catalogue;
mod classification;
mod compute;
mod datatype;
mod describe;
mod execute;
mod fault;
mod files;
pub mod grpc;
mod limits;
mod parameters;
mod readings;
mod repository;
mod routes;
mod statistics;
mod tally;
mod tensor;

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::ApiError;
use crate::app::{App, AppError};

pub use call::{Answer, Call, Output};
pub use datatype::Datatype;
pub use parameters::{CallParameters, InputParameters, ParameterValue, Wanted};
pub(super) use routes::{Described, router, routes};
pub use tensor::{Tensor, Values, element_count};

/// The protocol's core. Clones are handles to the same one.
#[derive(Clone)]
pub(super) struct Inference {
    inner: Arc<Inner>,
}

struct Inner {
    app: App,
    tally: tally::Tally,
    /// One permit for each open stream.
    streams: Arc<Semaphore>,
}

impl Inference {
    /// The core of an app.
    pub(super) fn new(app: &App) -> Self {
        let streams = Arc::new(Semaphore::new(app.config().inference.max_streams));
        Self { inner: Arc::new(Inner { app: app.clone(), tally: tally::Tally::default(), streams }) }
    }

    fn app(&self) -> &App {
        &self.inner.app
    }

    fn tally(&self) -> &tally::Tally {
        &self.inner.tally
    }

    fn streams(&self) -> &Arc<Semaphore> {
        &self.inner.streams
    }

    /// Does work on a worker where it is large, and here where handing it over would take longer.
    async fn where_it_fits<T: Send + 'static>(
        &self,
        is_small: bool,
        work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        if is_small {
            return work();
        }
        self.app().run_blocking(work).await.map_err(AppError::from)?
    }
}
