//! From a publication to a session: whose tracks they are, and the task that carries the media over.

use std::sync::Arc;
use std::time::Duration;

use super::super::{ApiError, ErrorCode};
use crate::app::{App, AppError, Role};
use crate::live::{
    AudioEncoding, CloseReason, Input, LiveError, Origin, Session, SessionOptions, TrackKind, TrackOptions,
};
use crate::webrtc::{Accepted, Ending, Publication, Published as Piece, Terms, WebRtc};

/// How often a publication that is silent looks whether its session still goes on.
const LOOK: Duration = Duration::from_secs(1);

/// What the browser is told.
pub(super) struct Published {
    pub(super) id: String,
    pub(super) answer: String,
    pub(super) fragment: String,
    pub(super) session: String,
}

/// A session and the tracks that a browser's media go to.
pub(super) struct Call {
    session: Session,
    audio: Option<u8>,
    video: Option<u8>,
    /// Whether the session was opened for this publication, and ends with it.
    is_own: bool,
}

impl Call {
    /// Answers an offer with a session of its own, which has the tracks that the answer accepts; all are the customer's.
    pub(super) async fn open(
        app: &App,
        server: &WebRtc,
        origin: Origin,
        offer: String,
    ) -> Result<Published, ApiError> {
        let rate = app.live().config().speaking_frames_per_second;
        let terms = Terms { audio: true, video: true, picture_interval: interval(rate), seat: None };
        let accepted = accept(app, server, offer, terms).await?;
        let options = options(accepted.has_audio, accepted.has_video);
        // Where no session can be opened the publication is dropped here, which ends it.
        let session = app.live().open(options, origin)?;
        server.seat(&accepted.id, session.id().into());
        let call = Self { is_own: true, ..Self::of(session) };
        Ok(call.begin(accepted))
    }

    /// Answers an offer with what the session takes: its first Opus track and its first video track.
    pub(super) async fn join(
        app: &App,
        server: &WebRtc,
        session: Session,
        offer: String,
    ) -> Result<Published, ApiError> {
        let call = Self::of(session);
        if call.audio.is_none() && call.video.is_none() {
            let message = "the session has neither an audio track in Opus nor a video track";
            return Err(ApiError::new(ErrorCode::MediaUnsupported, message));
        }
        let terms = Terms {
            audio: call.audio.is_some(),
            video: call.video.is_some(),
            picture_interval: call.session.frame_interval(),
            seat: Some(Arc::from(call.session.id())),
        };
        let accepted = accept(app, server, offer, terms).await?;
        Ok(call.begin(accepted))
    }

    fn of(session: Session) -> Self {
        let tracks = session.tracks();
        let find = |fits: fn(&TrackOptions) -> bool| {
            tracks.iter().position(fits).and_then(|track| u8::try_from(track).ok())
        };
        let audio = find(|track| matches!(track.format, Some(AudioEncoding::Opus { .. })));
        let video = find(|track| track.kind == TrackKind::Video);
        Self { session, audio, video, is_own: false }
    }

    fn begin(self, accepted: Accepted) -> Published {
        let published = Published {
            id: accepted.id,
            answer: accepted.answer,
            fragment: accepted.fragment,
            session: self.session.id().to_owned(),
        };
        tokio::spawn(self.carry(accepted.publication));
        published
    }

    /// Hands the media over until the publication or the session ends.
    async fn carry(self, mut publication: Publication) {
        let attachment = self.session.attach();
        loop {
            let piece = tokio::time::timeout(LOOK, publication.next()).await;
            publication.set_picture_interval(self.session.frame_interval());
            match piece {
                Ok(Some(piece)) => match self.hand_over(piece).await {
                    Ok(()) => {}
                    Err(LiveError::NotFound | LiveError::Stopping) => return,
                    // The session counts what it skips; a picture that is too large is a matter of the browser's.
                    Err(error) => tracing::debug!(%error, "a piece of a browser's media was left out"),
                },
                Ok(None) => break,
                Err(_) if self.session.is_ended() => return,
                Err(_) => {}
            }
        }
        if self.is_own && publication.ending() == Ending::Closed {
            // A session that has ended already needs no end.
            let _ = self.session.close(CloseReason::Requested).await;
        }
        // Without this the session waits for its client to come back, for as long as it is told to.
        drop(attachment);
    }

    async fn hand_over(&self, piece: Piece) -> Result<(), LiveError> {
        let input = match piece {
            Piece::Audio { at_ms, packet } => {
                let Some(track) = self.audio else { return Ok(()) };
                Input::Audio { track, at_ms: Some(at_ms), bytes: packet }
            }
            Piece::Picture { at_ms, webp } => {
                let Some(track) = self.video else { return Ok(()) };
                Input::Frame { track, at_ms: Some(at_ms), bytes: webp }
            }
        };
        self.session.send(input).await
    }
}

/// Answers an offer on a worker, where computing does not keep others waiting.
async fn accept(app: &App, server: &WebRtc, offer: String, terms: Terms) -> Result<Accepted, ApiError> {
    let worker = server.clone();
    let answered =
        app.run_blocking(move || worker.negotiate(&offer, terms)).await.map_err(AppError::from)??;
    Ok(server.begin(answered).await?)
}

fn interval(rate: f32) -> Duration {
    Duration::try_from_secs_f32(rate.recip()).unwrap_or(LOOK)
}

/// The streams of a call that nobody has described: the customer's voice and face.
fn options(has_audio: bool, has_video: bool) -> SessionOptions {
    let track =
        |name: &str, kind, format| TrackOptions { name: name.to_owned(), kind, role: Role::Customer, format };
    let mut tracks = Vec::new();
    if has_audio {
        tracks.push(track("microphone", TrackKind::Audio, Some(AudioEncoding::Opus { channels: 1 })));
    }
    if has_video {
        tracks.push(track("camera", TrackKind::Video, None));
    }
    SessionOptions { tracks, ..SessionOptions::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_of_its_own_has_the_tracks_that_are_sent() {
        let names = |has_audio, has_video| {
            let tracks = options(has_audio, has_video).tracks;
            assert!(tracks.iter().all(|track| track.role == Role::Customer));
            tracks.into_iter().map(|track| track.name).collect::<Vec<_>>()
        };
        assert_eq!(names(true, true), ["microphone", "camera"]);
        assert_eq!(names(false, true), ["camera"]);
        assert_eq!(names(true, false), ["microphone"]);
    }

    #[test]
    fn a_rate_becomes_an_interval() {
        assert_eq!(interval(2.0), Duration::from_millis(500));
        assert_eq!(interval(0.0), LOOK);
    }
}
