//! Listens, serves, and drains when it is told to stop.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::watch;

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
    /// [`StartError::System`] where the listener fails.
    pub async fn serve(
        &self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Ending, StartError> {
        let (tell, mut told) = watch::channel(false);
        let app = self.clone();
        let stopping = async move {
            stop.await;
            app.begin_drain();
            tracing::info!("stopping: answering what was accepted");
            tell.send_replace(true);
        };
        // Some calls are for this machine only, so the other end of a connection goes along with its requests.
        let router = http::router(self).into_make_service_with_connect_info::<SocketAddr>();
        let serving = axum::serve(listener, router).with_graceful_shutdown(stopping).into_future();
        let drain_timeout = self.config().server.drain_timeout;
        let cut_off = async move {
            // The sender is dropped only when serving is over, and then the other branch has won.
            let _ = told.wait_for(|stopping| *stopping).await;
            tokio::time::sleep(drain_timeout).await;
        };
        let ending = tokio::select! {
            result = serving => result
                .map(|()| Ending::Drained)
                .map_err(|source| StartError::System { action: "serve connections", source }),
            () = cut_off => Ok(Ending::CutOff),
        };
        self.stop().await;
        ending
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
