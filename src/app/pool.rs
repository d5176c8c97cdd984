//! A sized pool for work that would stall the async threads: decoding, parsing, ranking.

use std::sync::Arc;

use tokio::sync::{Semaphore, TryAcquireError};

/// What kept a piece of work from being done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// As much work is waiting as may wait.
    #[error("no worker is free and the waiting line is full")]
    Full,
    /// The program is ending.
    #[error("the workers have stopped")]
    Stopped,
    /// The work panicked, or was cancelled by the end of the program.
    #[error("a worker failed")]
    Failed(#[source] tokio::task::JoinError),
}

/// Workers on blocking threads, with a bounded waiting line.
///
/// The runtime's own pool of blocking threads has neither a useful size nor a limit on what waits for it, so both are
/// kept here.
#[derive(Debug, Clone)]
pub struct WorkPool {
    seats: Arc<Semaphore>,
    workers: Arc<Semaphore>,
}

impl WorkPool {
    /// A pool with this many workers (at least one) and this many places to wait for one.
    #[must_use]
    pub fn new(workers: usize, waiting: usize) -> Self {
        let workers = workers.clamp(1, Semaphore::MAX_PERMITS / 2);
        let seats = workers + waiting.min(Semaphore::MAX_PERMITS / 2);
        Self { seats: Arc::new(Semaphore::new(seats)), workers: Arc::new(Semaphore::new(workers)) }
    }

    /// Does a piece of work on a worker and gives its result.
    ///
    /// # Errors
    /// [`PoolError::Full`] at once where nobody may wait any more; otherwise [`PoolError::Failed`] or
    /// [`PoolError::Stopped`].
    pub async fn run<T, F>(&self, work: F) -> Result<T, PoolError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let seat = match Arc::clone(&self.seats).try_acquire_owned() {
            Ok(seat) => seat,
            Err(TryAcquireError::NoPermits) => return Err(PoolError::Full),
            Err(TryAcquireError::Closed) => return Err(PoolError::Stopped),
        };
        let worker = Arc::clone(&self.workers).acquire_owned().await.map_err(|_| PoolError::Stopped)?;
        // The permits travel with the work: a caller who has gone does not free a worker that is still busy.
        tokio::task::spawn_blocking(move || {
            let _permits = (seat, worker);
            work()
        })
        .await
        .map_err(PoolError::Failed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_full_pool_refuses_at_once_and_recovers() {
        let pool = WorkPool::new(1, 0);
        let (release, held) = mpsc::channel::<()>();
        let (started_tell, started) = tokio::sync::oneshot::channel();
        let busy = tokio::spawn({
            let pool = pool.clone();
            async move {
                pool.run(move || {
                    let _ = started_tell.send(());
                    held.recv().is_ok()
                })
                .await
            }
        });
        started.await.unwrap();
        assert!(matches!(pool.run(|| ()).await, Err(PoolError::Full)));
        release.send(()).unwrap();
        assert!(busy.await.unwrap().unwrap());
        assert_eq!(pool.run(|| 7).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_frees_the_worker() {
        let pool = WorkPool::new(1, 0);
        assert!(matches!(pool.run(|| panic!("on purpose")).await, Err(PoolError::Failed(_))));
        assert_eq!(pool.run(|| 1).await.unwrap(), 1);
    }
}
