//! The server under load: its address, looked up once.

use std::net::SocketAddr;
use std::time::Duration;

use hyper::Uri;
use hyper::header::HeaderValue;
use tokio::net::TcpStream;

use super::LoadError;

/// How long the first look at the server may take.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);

/// A server that was reached.
#[derive(Debug, Clone)]
pub struct Target {
    pub(super) url: String,
    pub(super) address: SocketAddr,
    pub(super) authority: HeaderValue,
    /// The path before that of each request; without a slash at its end.
    pub(super) prefix: String,
}

impl Target {
    /// Looks a server up and checks that it can be reached.
    ///
    /// # Errors
    /// [`LoadError::Url`] or [`LoadError::Unreachable`]
    pub async fn find(url: &str) -> Result<Self, LoadError> {
        let fault = |reason| LoadError::Url { url: url.to_owned(), reason };
        let uri: Uri = url.parse().map_err(|_| fault("it is no address"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(fault("the generator speaks plain HTTP only")),
            _ => return Err(fault("it names no protocol")),
        }
        if uri.query().is_some() {
            return Err(fault("it has a query"));
        }
        let authority = uri.authority().ok_or_else(|| fault("it names no host"))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let unreachable = |source| LoadError::Unreachable { url: url.to_owned(), source };
        let found = tokio::net::lookup_host((host, authority.port_u16().unwrap_or(80)));
        let addresses: Vec<SocketAddr> = found.await.map_err(unreachable)?.collect();
        let connecting = tokio::time::timeout(LOOK_TIMEOUT, TcpStream::connect(addresses.as_slice()));
        let stream = connecting.await.map_err(|elapsed| unreachable(elapsed.into()))?.map_err(unreachable)?;
        Ok(Self {
            url: url.to_owned(),
            address: stream.peer_addr().map_err(unreachable)?,
            authority: HeaderValue::from_str(authority.as_str()).map_err(|_| fault("its host is no name"))?,
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_is_found_and_its_prefix_kept() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let target = Target::find(&format!("http://{address}/behind/proxy/")).await.unwrap();
        assert_eq!((target.address, target.prefix.as_str()), (address, "/behind/proxy"));
        assert_eq!(target.authority, address.to_string());
    }

    #[tokio::test]
    async fn what_is_no_server_is_refused() {
        for (url, part) in [
            ("https://127.0.0.1:1", "plain HTTP"),
            ("127.0.0.1:1", "protocol"),
            ("http://", "http://"),
            ("http://127.0.0.1:1/?a=b", "query"),
        ] {
            let error = Target::find(url).await.unwrap_err();
            assert!(matches!(error, LoadError::Url { .. }), "{url}: {error}");
            assert!(error.to_string().contains(part), "{error}");
        }
        // The port is free for an instant only, but nobody else on this machine wants it.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = Target::find(&format!("http://{free}")).await.unwrap_err();
        assert!(matches!(error, LoadError::Unreachable { .. }), "{error}");
    }
}
