//! The section `[webrtc]` of the configuration: where browsers send their media, and how many may.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::Section;

/// The most addresses in an answer; a browser tries each of them.
const MAX_ADDRESSES: usize = 8;
const PEERS: std::ops::RangeInclusive<usize> = 1..=10_000;
const CONNECT_TIMEOUT_MS: std::ops::RangeInclusive<u64> = 100..=600_000;

/// `[webrtc]`: media from browsers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebRtcConfig {
    /// Whether browsers may publish; the UDP port is only taken then.
    pub enabled: bool,
    /// The UDP address that all media comes to. A port of 0 stands for any free one.
    pub bind: SocketAddr,
    /// The IP addresses that browsers are told to send to; where there are none, the one of `bind`.
    pub advertise: Vec<IpAddr>,
    /// How many browsers may publish at the same time.
    pub max_peers: usize,
    /// How long a browser may take from its offer to the first encrypted packet, in milliseconds.
    pub connect_timeout_ms: u64,
}

impl Default for WebRtcConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            advertise: Vec::new(),
            max_peers: 64,
            connect_timeout_ms: 15_000,
        }
    }
}

impl WebRtcConfig {
    /// How long a browser may take to connect.
    #[must_use]
    pub const fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    /// The addresses for answers, with the port that the socket really has.
    pub(super) fn candidates(&self, port: u16) -> Vec<SocketAddr> {
        let own = [self.bind.ip()];
        let addresses = if self.advertise.is_empty() { &own[..] } else { &self.advertise };
        addresses.iter().map(|&address| SocketAddr::new(address, port)).collect()
    }
}

impl Section for WebRtcConfig {
    fn validate(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let mut refuse = |key: &str, problem: String| faults.push((key.to_owned(), problem));
        if self.advertise.len() > MAX_ADDRESSES {
            refuse("advertise", format!("{} addresses are more than {MAX_ADDRESSES}", self.advertise.len()));
        }
        for address in self.advertise.iter().filter(|address| address.is_unspecified()) {
            refuse("advertise", format!("{address} is no address that a browser can send to"));
        }
        let (v4, v6) = (self.bind.ip().is_ipv4(), self.bind.ip() == std::net::Ipv6Addr::UNSPECIFIED);
        for address in self.advertise.iter().filter(|address| address.is_ipv4() != v4 && !v6) {
            refuse("advertise", format!("{address} is of another IP version than bind, {}", self.bind.ip()));
        }
        if self.enabled && self.advertise.is_empty() && self.bind.ip().is_unspecified() {
            let all = self.bind.ip();
            refuse(
                "advertise",
                format!("is empty, and bind, {all}, does not say what browsers should send to"),
            );
        }
        if !PEERS.contains(&self.max_peers) {
            refuse(
                "max_peers",
                format!("{} is not from {} to {}", self.max_peers, PEERS.start(), PEERS.end()),
            );
        }
        if !CONNECT_TIMEOUT_MS.contains(&self.connect_timeout_ms) {
            let (least, most) = (CONNECT_TIMEOUT_MS.start(), CONNECT_TIMEOUT_MS.end());
            refuse(
                "connect_timeout_ms",
                format!("{} is not from {least} to {most}", self.connect_timeout_ms),
            );
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        let config: WebRtcConfig = toml::from_str(text).unwrap();
        config.validate().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn the_defaults_have_no_fault_and_take_no_port() {
        assert!(WebRtcConfig::default().validate().is_empty());
        assert!(!WebRtcConfig::default().enabled);
    }

    #[test]
    fn browsers_must_be_told_an_address_that_they_can_send_to() {
        assert_eq!(keys("enabled = true\nbind = '0.0.0.0:5000'"), ["advertise"]);
        assert!(keys("bind = '0.0.0.0:5000'").is_empty(), "what is off needs no address");
        assert!(keys("enabled = true\nbind = '0.0.0.0:5000'\nadvertise = ['203.0.113.7']").is_empty());
        assert!(
            keys("enabled = true\nbind = '[::]:5000'\nadvertise = ['203.0.113.7', '2001:db8::1']").is_empty()
        );
        assert_eq!(keys("advertise = ['0.0.0.0']"), ["advertise"]);
        assert_eq!(keys("advertise = ['2001:db8::1']"), ["advertise"]);
    }

    #[test]
    fn numbers_have_bounds() {
        assert_eq!(keys("max_peers = 0\nconnect_timeout_ms = 1"), ["max_peers", "connect_timeout_ms"]);
    }

    #[test]
    fn answers_name_the_advertised_addresses_with_the_real_port() {
        let config: WebRtcConfig =
            toml::from_str("bind = '0.0.0.0:0'\nadvertise = ['203.0.113.7', '192.0.2.1']").unwrap();
        let candidates: Vec<_> = config.candidates(4000).iter().map(ToString::to_string).collect();
        assert_eq!(candidates, ["203.0.113.7:4000", "192.0.2.1:4000"]);
        assert_eq!(WebRtcConfig::default().candidates(9)[0].to_string(), "127.0.0.1:9");
    }
}
