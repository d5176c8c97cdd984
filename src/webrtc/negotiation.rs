//! From a browser's offer to our answer: only Opus and VP8 are accepted, and only the header extensions that help.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::change::SdpOffer;
use str0m::config::{CryptoProvider, DtlsCert};
use str0m::media::{MediaKind, Mid};
use str0m::rtp::{Extension, ExtensionMap};
use str0m::{Candidate, IceCreds, Rtc, RtcConfig};

use super::WebRtcError;

/// The largest offer, in bytes. Those of browsers have about 6 KB.
pub const MAX_OFFER_BYTES: usize = 64 << 10;
/// How long audio waits for a packet that is missing. It is not sent again, so it is either late or lost.
const AUDIO_PATIENCE: Duration = Duration::from_millis(200);
/// How long video waits for a packet that is missing and asked for again.
const VIDEO_PATIENCE: Duration = Duration::from_millis(500);

/// What all peers share.
#[derive(Debug)]
pub(super) struct Identity {
    crypto: Arc<CryptoProvider>,
    certificate: DtlsCert,
}

/// Which media of a peer are taken.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lines {
    pub(super) audio: Option<Mid>,
    pub(super) video: Option<Mid>,
}

/// A peer whose offer has been answered.
pub(super) struct Negotiated {
    pub(super) rtc: Rtc,
    pub(super) lines: Lines,
    pub(super) answer: String,
    /// Our user fragment, by which connectivity checks ask for this peer.
    pub(super) fragment: String,
}

impl Identity {
    /// Makes the certificate of this run. Browsers learn its fingerprint from each answer, so it need not be kept.
    pub(super) fn new() -> Result<Self, WebRtcError> {
        let crypto = Arc::new(str0m::crypto::from_feature_flags());
        let certificate = crypto.dtls_provider.generate_certificate().ok_or(WebRtcError::Certificate)?;
        Ok(Self { crypto, certificate })
    }

    /// Answers an offer. This is the room's largest single piece of computing.
    ///
    /// # Errors
    /// [`WebRtcError`] where the offer is not usable.
    pub(super) fn answer(
        &self,
        offer: &str,
        candidates: &[SocketAddr],
        (takes_audio, takes_video): (bool, bool),
    ) -> Result<Negotiated, WebRtcError> {
        if offer.len() > MAX_OFFER_BYTES {
            return Err(WebRtcError::OfferTooLarge { limit: MAX_OFFER_BYTES, found: offer.len() });
        }
        let offer = SdpOffer::from_sdp_string(offer).map_err(WebRtcError::OfferUnreadable)?;
        let credentials = IceCreds::new();
        let fragment = credentials.ufrag.clone();
        let mut rtc = RtcConfig::new()
            .set_crypto_provider(Arc::clone(&self.crypto))
            .set_dtls_cert(self.certificate.clone())
            .set_local_ice_credentials(credentials)
            .set_ice_lite(true)
            .clear_codecs()
            .enable_opus(takes_audio, false)
            .enable_vp8(takes_video)
            .set_extension_map(extensions())
            .set_reordering_timeout_audio(Some(AUDIO_PATIENCE))
            .set_reordering_timeout_video(Some(VIDEO_PATIENCE))
            .build(Instant::now());
        for candidate in candidates.iter().filter_map(|&address| Candidate::host(address, "udp").ok()) {
            rtc.add_local_candidate(candidate);
        }
        let answer = rtc.sdp_api().accept_offer(offer).map_err(WebRtcError::OfferRefused)?;
        let answer = with_formats(&answer.to_sdp_string());
        let lines = lines(&rtc, &answer);
        if lines.audio.is_none() && lines.video.is_none() {
            return Err(WebRtcError::NothingToReceive);
        }
        Ok(Negotiated { rtc, lines, answer, fragment })
    }
}

/// The extensions that we take: which track a packet belongs to, and when it was sent, for the browser's estimate of
/// the bandwidth. The rotation of the picture is left out on purpose: browsers then turn the picture before they encode
/// it, and a face is always upright.
fn extensions() -> ExtensionMap {
    let mut extensions = ExtensionMap::empty();
    extensions.set(2, Extension::AbsoluteSendTime);
    extensions.set(3, Extension::TransportSequenceNumber);
    extensions.set(4, Extension::RtpMid);
    extensions.set(10, Extension::RtpStreamId);
    extensions.set(11, Extension::RepairedRtpStreamId);
    extensions
}

/// Gives rejected media a format. The grammar demands one, browsers insist on it, and the library writes none where no
/// codec fits.
fn with_formats(answer: &str) -> String {
    let complete = |line: &str| match line.trim_end() {
        bare if bare.starts_with("m=") && bare.ends_with("/SAVPF") => format!("{bare} 0\r\n"),
        _ => line.to_owned(),
    };
    answer.split_inclusive('\n').map(complete).collect()
}

/// The first audio and the first video that the answer accepts.
fn lines(rtc: &Rtc, answer: &str) -> Lines {
    let mut lines = Lines::default();
    for name in answer.lines().filter_map(|line| line.strip_prefix("a=mid:")) {
        let mid = Mid::from(name);
        let Some(media) = rtc.media(mid).filter(|media| !media.disabled()) else { continue };
        let line = match media.kind() {
            MediaKind::Audio => &mut lines.audio,
            MediaKind::Video => &mut lines.video,
        };
        if media.direction().is_receiving() && line.is_none() {
            *line = Some(mid);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejected_media_get_a_format_and_nothing_else_changes() {
        let answer =
            "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=x\r\nm=video 0 UDP/TLS/RTP/SAVPF \r\na=y\r\n";
        assert_eq!(with_formats(answer), answer.replace("SAVPF \r", "SAVPF 0\r"));
    }
}
