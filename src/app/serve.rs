//! Listens, serves, and drains when it is told to stop.

use tokio::net::TcpListener;

use super::connections::Connections;
use super::{App, StartError};
use crate::config::Config;
use crate::http;

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Every accepted request was answered.
    Drained,
    /// Requests were still in work when the drain time was over.
    CutOff,
}

impl App {
    /// Takes the configured address. A port of 0 stands for any free one.
    ///
    /// # Errors
    /// [`StartError::Bind`] where the address is taken or not this machine's.
    pub async fn bind(config: &Config) -> Result<TcpListener, StartError> {
        let address = config.server.bind;
        TcpListener::bind(address).await.map_err(|source| StartError::Bind { address, source })
    }

    /// Serves until `stop` completes, then answers what was accepted, for as long as the drain time allows.
    ///
    /// # Errors
    /// None today: a listener that fails is tried again. The type leaves room for one that cannot be.
    pub async fn serve(
        &self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Ending, StartError> {
        let config = &self.config().server;
        let connections = Connections::new(config, http::router(self));
        tokio::select! {
            () = stop => {}
            () = connections.accept(&listener) => {}
        }
        self.begin_drain();
        // Whoever knocks from now on is refused by the operating system and can go elsewhere at once.
        drop(listener);
        tracing::info!("stopping: answering what was accepted");
        self.live().drain().await;
        let ending = match connections.drain(config.drain_timeout).await {
            true => Ending::Drained,
            false => Ending::CutOff,
        };
        self.stop().await;
        Ok(ending)
    }
}

/// Completes when the operating system or the person at the keyboard asks the program to stop.
///
/// # Errors
/// [`StartError::System`] where signals cannot be listened to.
pub fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, StartError> {
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(|source| StartError::System { action: "listen to the terminate signal", source })?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    })
}
