//! A telephone line: the call on one connection and the live session that it feeds.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::call::{Call, CallLimits, Opening, Side, Sound};
use super::calls::{Calls, Ticket};
use super::encoding::{Encoding, Format};
use super::message::MessageLimits;
use crate::app::{App, Role};
use crate::http::{Access, sessions};
use crate::live::{
    Attachment, AudioEncoding, CloseReason, Delivery, EventReader, Input, LiveError, Origin, Session,
    SessionOptions, Summary, TrackKind, TrackOptions, Transport,
};

/// The number of the customer's track in the session.
const CUSTOMER_TRACK: u8 = 0;
/// The number of the agent's.
const AGENT_TRACK: u8 = 1;
/// The longest label that a session takes, in characters.
const MAX_LABEL_CHARACTERS: usize = 200;
/// The most labels that a session takes.
const MAX_LABELS: usize = 32;

/// One connection's call and its session.
pub(super) struct Line {
    app: App,
    calls: Calls,
    origin: Origin,
    /// The call.
    pub(super) call: Call,
    held: Option<Held>,
    /// Who knows the keys, where the start has to bring one.
    asks: Option<Access>,
    /// Whether the session was told that the agent's voice is left out.
    is_agent_told: bool,
}

/// Why a call got no session.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Its key is missing or wrong.
    Key,
    /// There is no room for it.
    Session(LiveError),
}

/// The session of a line.
struct Held {
    session: Session,
    /// While it lives the session waits for media.
    _attachment: Attachment,
    events: EventReader,
    ticket: Ticket,
}

impl Line {
    /// A line on which nothing was said. Where somebody `asks`, the start must bring a key.
    pub(super) fn new(app: &App, calls: &Calls, origin: Origin, asks: Option<Access>) -> Self {
        let config = &app.config().telephony;
        let limits = CallLimits {
            message: MessageLimits {
                max_bytes: config.max_message_bytes,
                max_parameters: config.max_parameters,
                max_parameter_bytes: config.max_parameter_bytes,
            },
            window: config.reorder_chunks,
            max_faults: config.max_faults,
            reads_agents: app.config().privacy.agent_biometrics_basis.is_some(),
        };
        let call = Call::new(limits);
        Self { app: app.clone(), calls: calls.clone(), origin, call, held: None, asks, is_agent_told: false }
    }

    /// Whether there is a session.
    pub(super) const fn is_open(&self) -> bool {
        self.held.is_some()
    }

    /// The session's identifier, for the log.
    pub(super) fn session(&self) -> Option<&str> {
        self.held.as_ref().map(|held| held.session.id())
    }

    /// Opens the call's session, or takes up the one that it had.
    ///
    /// # Errors
    /// [`Refusal`] where its key is wrong or there is no room for it.
    pub(super) fn open(&mut self, opening: &Opening) -> Result<(), Refusal> {
        if let Some(access) = self.asks.take() {
            let key = opening.parameters.api_key.as_ref().map(|key| key.reveal());
            let name = access.verify(key).map_err(|error| {
                tracing::debug!(code = error.code.name(), "a telephone call brought no valid key");
                Refusal::Key
            })?;
            self.origin = sessions::origin(&self.app, name.as_ref(), Transport::Twilio);
        }
        let hub = self.app.live();
        let key = self.origin.key.clone();
        if let Some(found) = self.calls.find(key.as_ref(), opening) {
            match hub.find(&found.session).filter(|session| !session.is_ended()) {
                Some(session) => {
                    let away_ms = u64::try_from(found.away.as_millis()).unwrap_or(u64::MAX);
                    // What the session has not heard yet lies before what comes now, too.
                    self.call.resume(session.info().media_ms.max(found.end_ms), away_ms);
                    self.hold(session, found.ticket);
                    return Ok(());
                }
                None => self.calls.forget(found.ticket),
            }
        }
        let reads_agents = self.app.config().privacy.agent_biometrics_basis.is_some();
        let session =
            hub.open(options(opening, reads_agents), self.origin.clone()).map_err(Refusal::Session)?;
        let is_open = |id: &str| hub.find(id).is_some();
        let ticket = self.calls.enter(key, opening, session.id(), is_open);
        self.hold(session, ticket);
        Ok(())
    }

    fn hold(&mut self, session: Session, ticket: Ticket) {
        let attachment = session.attach();
        let events = session.events(None);
        self.held = Some(Held { session, _attachment: attachment, events, ticket });
    }

    /// Hands sound to the session; false where the session has ended.
    pub(super) async fn pass(&self, sounds: Vec<Sound>) -> bool {
        let Some(held) = &self.held else { return true };
        for Sound { side, at_ms, bytes } in sounds {
            let track = match side {
                Side::Customer => CUSTOMER_TRACK,
                Side::Agent => AGENT_TRACK,
            };
            match held.session.send(Input::Audio { track, at_ms, bytes }).await {
                Err(LiveError::NotFound) => return false,
                // The session counts what it could not take; the telephone has nobody to tell.
                Ok(()) | Err(LiveError::AudioSkipped { .. }) => {}
                Err(error) => held.session.report(error).await,
            }
        }
        true
    }

    /// Tells the session's readers, once, that the agent's voice came and was left out.
    pub(super) async fn tell_of_agent(&mut self) {
        let Some(held) = &self.held else { return };
        if !self.is_agent_told && self.call.counts().contains_key("agent_voice") {
            self.is_agent_told = true;
            held.session.report(LiveError::AgentBiometricsRefused { track: usize::from(AGENT_TRACK) }).await;
        }
    }

    /// Completes when the session has ended; never where there is none.
    pub(super) async fn ended(&mut self) {
        let Some(held) = &mut self.held else { return std::future::pending().await };
        while let Some(Delivery::Event(_) | Delivery::Missed { .. }) = held.events.next().await {}
    }

    /// Leaves the session to a connection that may come back.
    pub(super) fn leave(&mut self) {
        if let Some(held) = self.held.take() {
            self.calls.leave(held.ticket, self.call.end_ms());
        }
    }

    /// Ends the session.
    pub(super) async fn close(&mut self, reason: CloseReason) -> Option<Arc<Summary>> {
        let held = self.held.take()?;
        self.calls.forget(held.ticket);
        held.session.close(reason).await.ok()
    }
}

/// How a call is read: what the application said of it, and the tracks that the telephone company sends.
fn options(opening: &Opening, reads_agents: bool) -> SessionOptions {
    let parameters = opening.parameters.clone();
    let track = |name: &str, role| TrackOptions {
        name: name.to_owned(),
        kind: TrackKind::Audio,
        role,
        format: Some(audio_encoding(opening.format)),
    };
    let mut tracks = vec![track("customer", Role::Customer)];
    if reads_agents {
        tracks.push(track("agent", Role::Agent));
    }
    let short =
        |name: &Option<String>| name.clone().filter(|name| name.chars().count() <= MAX_LABEL_CHARACTERS);
    let own = [("stream_id", &opening.stream), ("telephone_call_id", &opening.call)];
    let own = own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), short(value)?)));
    let labels: BTreeMap<String, String> =
        own.chain(parameters.labels.into_iter().take(MAX_LABELS - 2)).collect();
    SessionOptions {
        call_id: parameters.call_id.or_else(|| short(&opening.call)),
        customer_id: parameters.customer_id,
        labels,
        consent: parameters.consent.unwrap_or_default(),
        consent_reference: parameters.consent_reference,
        tracks,
        language: parameters.language,
        language_level: parameters.language_level,
        needed_skills: parameters.needed_skills,
        complexity: parameters.complexity,
        waiting_ms: parameters.waiting_ms,
        ..SessionOptions::default()
    }
}

/// A format as a session names it; A-law comes to it expanded.
const fn audio_encoding(format: Format) -> AudioEncoding {
    let Format { encoding, sample_rate_hz, channels } = format;
    match encoding {
        Encoding::MuLaw => AudioEncoding::MuLaw { sample_rate_hz, channels },
        Encoding::ALaw | Encoding::LittleEndian => AudioEncoding::PcmS16le { sample_rate_hz, channels },
        Encoding::BigEndian => AudioEncoding::PcmS16be { sample_rate_hz, channels },
    }
}

#[cfg(test)]
mod tests {
    use super::super::parameters::Parameters;
    use super::*;
    use crate::live::LiveConfig;
    use crate::routing::RoutingLimits;

    fn opening(pairs: &[(String, String)]) -> Opening {
        Opening {
            stream: Some("MZ1".to_owned()),
            call: Some("CA1".to_owned()),
            account: None,
            format: Format { encoding: Encoding::ALaw, sample_rate_hz: 8_000, channels: 1 },
            parameters: Parameters::of(pairs),
        }
    }

    #[test]
    fn what_is_said_of_a_call_reaches_its_session() {
        let pairs =
            [("customer_id", "c-7"), ("queue", "gold")].map(|(name, value)| (name.into(), value.into()));
        let options = options(&opening(&pairs), false);
        assert_eq!((options.call_id.as_deref(), options.customer_id.as_deref()), (Some("CA1"), Some("c-7")));
        let labels = [("queue", "gold"), ("stream_id", "MZ1"), ("telephone_call_id", "CA1")];
        assert_eq!(options.labels, labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        let format = AudioEncoding::PcmS16le { sample_rate_hz: 8_000, channels: 1 };
        assert_eq!((options.tracks.len(), options.tracks[0].format), (1, Some(format)));
    }

    #[test]
    fn no_parameter_can_make_options_that_a_session_refuses() {
        let pairs: Vec<_> = (0..100).map(|index| (format!("name-{index}"), "x".repeat(200))).collect();
        let mut opening = opening(&pairs);
        opening.stream = Some("x".repeat(256));
        opening.call = Some("x".repeat(256));
        let options = options(&opening, true);
        assert_eq!(options.faults(&LiveConfig::default(), &RoutingLimits::default()), []);
        assert_eq!(options.tracks[1].role, Role::Agent);
    }
}
