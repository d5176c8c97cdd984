//! A request's body that must keep coming.
//!
//! A client has a fixed time for its body, and more for each byte that it has sent: so a large body on a thin line is
//! read, and one that trickles is not. Only the time in which the server waits for bytes counts. The answer is chosen
//! by the envelope, to which the body leaves word.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// How fast bodies must come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The time that every body has.
    pub(super) base: Duration,
    /// A second more for each so many bytes.
    pub(super) bytes_per_second: usize,
}

/// Whether a body came too slowly.
#[derive(Debug, Clone, Default)]
pub(super) struct Lateness(Arc<AtomicBool>);

impl Lateness {
    pub(super) fn is_late(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Puts a clock on a request's body.
pub(super) fn watch(request: Request, pace: Pace) -> (Request, Lateness) {
    let lateness = Lateness::default();
    // A stream of remote calls may rest for as long as it likes; the connection's own pings find out dead clients.
    let is_stream = request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    if is_stream || request.body().is_end_stream() {
        return (request, lateness);
    }
    let watched = lateness.clone();
    let request = request.map(|body| {
        Body::new(TimedBody {
            body,
            pace,
            received_bytes: 0,
            waited: Duration::ZERO,
            waiting: None,
            lateness: watched,
        })
    });
    (request, lateness)
}

/// What a handler is told when it reads on.
#[derive(Debug, thiserror::Error)]
#[error("the body came too slowly")]
struct TooSlow;

struct TimedBody {
    body: Body,
    pace: Pace,
    received_bytes: usize,
    /// The time waited for bytes that have come.
    waited: Duration,
    /// Since when the next bytes are waited for, and the end of patience.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    lateness: Lateness,
}

impl TimedBody {
    fn allowance(&self) -> Duration {
        let earned_ms = self.received_bytes.saturating_mul(1_000) / self.pace.bytes_per_second.max(1);
        self.pace.base + Duration::from_millis(earned_ms as u64)
    }
}

impl HttpBody for TimedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => {
                if let Some((since, _)) = self.waiting.take() {
                    self.waited += since.elapsed();
                }
                if let Some(Ok(data)) = frame.as_ref().map(|frame| frame.as_ref().map(Frame::data_ref)) {
                    self.received_bytes += data.map_or(0, Bytes::len);
                }
                Poll::Ready(frame)
            }
            Poll::Pending => {
                let left = self.allowance().saturating_sub(self.waited);
                let (_, patience) = self.waiting.get_or_insert_with(|| {
                    let now = Instant::now();
                    (now, Box::pin(tokio::time::sleep_until(now + left)))
                });
                if patience.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.lateness.0.store(true, Ordering::Relaxed);
                Poll::Ready(Some(Err(axum::Error::new(TooSlow))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { base: Duration::from_secs(2), bytes_per_second: 10 };

    /// A body of what comes through a channel.
    struct Pieces(tokio::sync::mpsc::Receiver<Vec<u8>>);

    impl HttpBody for Pieces {
        type Data = Bytes;
        type Error = axum::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
            self.0.poll_recv(context).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes.into()))))
        }
    }

    /// A body of pieces, each after a time.
    fn pieces(count: usize, length: usize, interval: Duration) -> Body {
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        tokio::spawn(async move {
            for _ in 0..count {
                tokio::time::sleep(interval).await;
                if sender.send(vec![b'x'; length]).await.is_err() {
                    break;
                }
            }
        });
        Body::new(Pieces(receiver))
    }

    async fn read(body: Body, content_type: &str) -> (Option<usize>, bool) {
        let request = Request::builder().header(CONTENT_TYPE, content_type).body(body).unwrap();
        let (request, lateness) = watch(request, PACE);
        let bytes = axum::body::to_bytes(request.into_body(), usize::MAX).await;
        (bytes.ok().map(|bytes| bytes.len()), lateness.is_late())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_comes_at_once_or_steadily_is_read() {
        assert_eq!(read(Body::from("quick"), "text/plain").await, (Some(5), false));
        // Ten seconds in all, which is far beyond the base, at exactly the pace that is asked for.
        let steady = pieces(10, 10, Duration::from_secs(1));
        assert_eq!(read(steady, "text/plain").await, (Some(100), false));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_stalls_or_trickles_is_given_up() {
        assert_eq!(read(pieces(2, 10, Duration::from_secs(4)), "text/plain").await, (None, true));
        assert_eq!(read(pieces(1_000, 1, Duration::from_millis(500)), "text/plain").await, (None, true));
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_in_which_nobody_reads_is_not_the_clients() {
        let (request, lateness) = watch(Request::new(pieces(2, 1, Duration::from_secs(1))), PACE);
        tokio::time::sleep(Duration::from_secs(60)).await;
        let bytes = axum::body::to_bytes(request.into_body(), 10).await.unwrap();
        assert_eq!((bytes.len(), lateness.is_late()), (2, false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_of_remote_calls_may_rest() {
        let resting = pieces(2, 1, Duration::from_secs(3_600));
        assert_eq!(read(resting, "application/grpc+proto").await, (Some(2), false));
    }
}
