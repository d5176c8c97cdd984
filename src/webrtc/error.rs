//! What can keep a browser from publishing.

use std::net::SocketAddr;

use str0m::error::{RtcError, SdpError};

/// An error of the WebRTC room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebRtcError {
    /// The UDP address cannot be used.
    #[error("cannot receive on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The operating system refused to let the socket be read.
    #[error("the UDP socket cannot be read")]
    Socket(#[source] std::io::Error),
    /// The library offers no certificate.
    #[error("no certificate could be made")]
    Certificate,
    /// As many browsers publish as the server takes.
    #[error("{limit} browsers publish already")]
    Full {
        /// The limit.
        limit: usize,
    },
    /// The offer is too large.
    #[error("an offer of {found} bytes is larger than the limit of {limit}")]
    OfferTooLarge {
        /// The limit, in bytes.
        limit: usize,
        /// What was sent, in bytes.
        found: usize,
    },
    /// The offer is not SDP, or not one that can be answered.
    #[error("the offer is not SDP that can be answered: {0}")]
    OfferUnreadable(#[source] SdpError),
    /// The offer is well-formed, but contradicts itself or lacks what a connection needs.
    #[error("the offer cannot be answered: {0}")]
    OfferRefused(#[source] RtcError),
    /// Nothing that the offer would send can be used.
    #[error("the offer sends neither Opus audio nor VP8 video, or nothing that the session takes")]
    NothingToReceive,
}
