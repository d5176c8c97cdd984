//! The last part of the road alone: agents are ranked for an emotion vector that the caller has already.

use std::time::Instant;

use super::{AgentList, App, AppError, Place};
use crate::routing::{Ranking, RankingRequest, RoutingError};
use crate::telemetry::record;

impl App {
    /// Ranks agents for a customer whose state is known.
    ///
    /// # Errors
    /// [`AppError::RankingRequest`], [`AppError::Agents`], [`AppError::Matchers`] or [`AppError::Overloaded`].
    pub async fn rank(&self, request: RankingRequest, agents: AgentList) -> Result<Ranking, AppError> {
        let place = self.admit()?;
        self.rank_admitted(place, request, agents).await
    }

    /// [`App::rank`] for a request that has its place already.
    ///
    /// # Errors
    /// As [`App::rank`].
    pub async fn rank_admitted(
        &self,
        place: Place,
        request: RankingRequest,
        agents: AgentList,
    ) -> Result<Ranking, AppError> {
        let _place = place;
        let router = self.router();
        let limits = self.config().routing.limits.clone();
        let ranked = self.run_blocking(move || {
            let started = Instant::now();
            let vector = request.emotion.validate();
            vector.map_err(|error| AppError::RankingRequest(RoutingError::Request(error.to_string())))?;
            request.validate(&limits).map_err(AppError::RankingRequest)?;
            let agents = agents.into_agents(&limits).map_err(AppError::Agents)?;
            let ranking = router.rank(&request, &agents).map_err(AppError::Matchers)?;
            record::rank(started.elapsed());
            Ok(ranking)
        });
        ranked.await?
    }
}
