//! Who may change what the server computes with: load and unload models, reload matchers, change policies.
//!
//! A model that is unloaded answers nobody, so these calls are for whoever runs the server. Without other protection
//! the connection's address is what tells them apart: only programs on the same machine may, unless the configuration
//! says otherwise. A proxy on the same machine would lend its address to everybody, and so would a browser to every
//! page it shows; both leave their marks on a request, and marked requests do not count as local.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request};

use crate::config::Management;
use crate::http::{ApiError, ErrorCode};

/// Headers that proxies add.
pub(super) const PROXY_HEADERS: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
/// Headers that browsers add to what a page sends.
pub(super) const BROWSER_HEADERS: [&str; 2] = ["origin", "sec-fetch-site"];

/// Where a request comes from.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Caller {
    /// The other end of the connection; none where it is not known.
    pub(super) peer: Option<SocketAddr>,
    /// Whether a proxy or a browser passed it on.
    pub(super) is_passed_on: bool,
}

impl Caller {
    /// A caller, from a connection's other end and a look at the headers.
    pub(super) fn of(peer: Option<SocketAddr>, has_header: impl Fn(&str) -> bool) -> Self {
        let marks = PROXY_HEADERS.iter().chain(&BROWSER_HEADERS);
        Self { peer, is_passed_on: marks.into_iter().any(|header| has_header(header)) }
    }

    /// The caller of an HTTP request.
    pub(super) fn of_request(request: &Request) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
        Self::of(peer, |name| request.headers().contains_key(name))
    }

    /// Whether the caller may change what is loaded.
    ///
    /// # Errors
    /// `management_refused`, with what to do.
    pub(super) fn check(&self, management: Management) -> Result<(), ApiError> {
        let is_local =
            self.peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback()) && !self.is_passed_on;
        let message = match management {
            Management::Anyone => return Ok(()),
            Management::Loopback if is_local => return Ok(()),
            Management::Loopback => {
                "models, matchers and policies are changed from this machine only, without a proxy or a browser between; \
                 inference.management says who may"
            }
            Management::Off => {
                "models, matchers and policies are not changed by request; inference.management says who may"
            }
        };
        Err(ApiError::new(ErrorCode::ManagementRefused, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(peer: Option<&str>, header: &str) -> Caller {
        Caller::of(peer.map(|peer| peer.parse().unwrap()), |name| name == header)
    }

    #[test]
    fn only_this_machine_is_local() {
        for (peer, header, is_allowed) in [
            (Some("127.0.0.1:9"), "", true),
            (Some("[::1]:9"), "", true),
            (Some("[::ffff:127.0.0.1]:9"), "", true),
            (Some("192.168.0.2:9"), "", false),
            (None, "", false),
            (Some("127.0.0.1:9"), "x-forwarded-for", false),
            (Some("127.0.0.1:9"), "origin", false),
        ] {
            let found = caller(peer, header).check(Management::Loopback);
            assert_eq!(found.is_ok(), is_allowed, "{peer:?} {header}");
        }
    }

    #[test]
    fn anyone_and_nobody_do_not_depend_on_the_address() {
        caller(None, "via").check(Management::Anyone).unwrap();
        let error = caller(Some("127.0.0.1:9"), "").check(Management::Off).unwrap_err();
        assert_eq!(error.code, ErrorCode::ManagementRefused);
        assert!(error.message.contains("inference.management"));
    }
}
