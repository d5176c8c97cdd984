//! The last part of the road alone: agents are ranked for an emotion vector that the caller has already.

use std::time::Instant;

use super::{AgentList, App, AppError, Place};
use crate::routing::record::{KeptRanking, OutcomeReport, ReportedOutcome};
use crate::routing::{Policies, Policy, Ranking, RankingRequest, Records, Roster, RoutingError};
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
            let roster = Roster::new(agents).map_err(AppError::Matchers)?;
            let ranking = router.rank(&request, &roster).map_err(AppError::of_ranking)?;
            record::rank(started.elapsed());
            Ok(ranking)
        });
        ranked.await?
    }

    /// What is remembered of a ranking.
    ///
    /// # Errors
    /// [`AppError::Routing`] where there is no such ranking, or it is too long ago; [`AppError::Overloaded`].
    pub async fn kept_ranking(&self, id: String) -> Result<KeptRanking, AppError> {
        let router = self.router();
        let find = move || {
            let kept = router.records().and_then(|records: &Records| records.find(&id));
            kept.ok_or(AppError::Routing(RoutingError::UnknownRanking(id)))
        };
        // Whoever looks at it while its outcome is taken in waits for that.
        self.run_blocking(find).await?
    }

    /// Takes in how the call of a ranking ended, and tells the matchers that learn.
    ///
    /// # Errors
    /// [`AppError::Routing`] or [`AppError::Overloaded`].
    pub async fn conclude(&self, id: String, outcome: ReportedOutcome) -> Result<OutcomeReport, AppError> {
        let router = self.router();
        self.run_blocking(move || router.conclude(&id, outcome)).await?.map_err(AppError::Routing)
    }

    /// Runs something with the policies.
    pub fn with_policies<T>(&self, look: impl FnOnce(&Policies) -> T) -> T {
        look(self.router().policies())
    }

    /// Adds a policy or replaces the one of its name, at once and until the next start; true where there was none.
    ///
    /// # Errors
    /// [`AppError::Routing`] with every fault.
    pub fn put_policy(&self, policy: Policy) -> Result<bool, AppError> {
        self.router().put_policy(policy).map_err(AppError::Routing)
    }
}
