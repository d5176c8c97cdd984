//! Listens, serves, and drains when it is told to stop.

use std::sync::Arc;

use tokio::net::TcpListener;

use super::connections::Connections;
use super::tls::Tls;
use super::{App, StartError};
use crate::config::Config;
use crate::http;
use crate::live::webhooks::{self, Webhooks};

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Every accepted request was answered.
    Drained,
    /// Requests were still in work, or webhooks on their way, when the drain time was over.
    CutOff,
}

impl App {
    /// Takes the configured address. A port of 0 stands for any free one. What a client would find wrong later is looked
    /// at first: who may ask, and the certificate.
    ///
    /// # Errors
    /// [`StartError::Exposed`], [`StartError::Tls`], [`StartError::Webhooks`], and [`StartError::Bind`] where the address is taken or not this
    /// machine's.
    pub async fn bind(config: &Config) -> Result<TcpListener, StartError> {
        config.check_exposure().map_err(StartError::Exposed)?;
        load_tls(config)?;
        webhooks::check(&config.webhooks).map_err(StartError::Webhooks)?;
        let address = config.server.bind;
        TcpListener::bind(address).await.map_err(|source| StartError::Bind { address, source })
    }

    /// Serves until `stop` completes, then answers what was accepted, for as long as the drain time allows.
    ///
    /// # Errors
    /// [`StartError::Tls`] and [`StartError::Webhooks`] where the certificate or a secret cannot be used; a listener that fails is tried again.
    pub async fn serve(
        &self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Ending, StartError> {
        let config = &self.config().server;
        let tls = load_tls(self.config())?;
        let webhooks = Webhooks::start(&self.config().webhooks, self.live()).map_err(StartError::Webhooks)?;
        let connections = Connections::new(config, http::router(self), tls.clone());
        let renewals = async {
            match tls {
                Some(tls) => tls.follow_hang_ups().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop => {}
            () = renewals => {}
            () = connections.accept(&listener) => {}
        }
        self.begin_drain();
        // Whoever knocks from now on is refused by the operating system and can go elsewhere at once.
        drop(listener);
        tracing::info!("stopping: answering what was accepted");
        self.live().drain().await;
        if let Some(webrtc) = self.webrtc() {
            webrtc.close_all();
        }
        let timeout = config.drain_timeout;
        let (are_answered, are_sent) = tokio::join!(connections.drain(timeout), webhooks.drain(timeout));
        let ending = if are_answered && are_sent { Ending::Drained } else { Ending::CutOff };
        self.stop().await;
        Ok(ending)
    }
}

/// The certificate, where there is one.
fn load_tls(config: &Config) -> Result<Option<Arc<Tls>>, StartError> {
    let files = config.server.tls.as_ref();
    files.map(|files| Tls::load(files).map(Arc::new)).transpose().map_err(StartError::Tls)
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
