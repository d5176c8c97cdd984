//! One function for each thing that is measured, so that names and labels are written once.
//!
//! Nothing here fails or costs more than a few atomic operations; before [`super::Metrics::install`] it does nothing.

use std::sync::Arc;
use std::time::Duration;

use ::metrics::{counter, gauge, histogram};
use heartline_plugin_host::MatcherHealth;

use super::{Fault, names};
use crate::emotion::Modality;

/// The program's version and the device of the models.
pub fn build(version: &'static str, device: &str) {
    gauge!(names::BUILD_INFO.name, "version" => version, "device" => device.to_owned()).set(1.0);
}

/// A request that was answered. The route is its pattern, never the path that a client made up.
pub fn request(route: &str, status: u16, elapsed: Duration) {
    counter!(names::REQUESTS.name, "route" => route.to_owned(), "status" => status.to_string()).increment(1);
    histogram!(names::REQUEST_SECONDS.name, "route" => route.to_owned()).record(elapsed);
}

/// A request whose work begins, counted until the answer is dropped.
#[must_use]
pub fn request_begins() -> InFlight {
    gauge!(names::REQUESTS_IN_FLIGHT.name).increment(1.0);
    InFlight(())
}

/// A request that is being worked on.
#[derive(Debug)]
pub struct InFlight(());

impl Drop for InFlight {
    fn drop(&mut self) {
        gauge!(names::REQUESTS_IN_FLIGHT.name).decrement(1.0);
    }
}

/// A failure, by whose fault it was and its stable code.
pub fn failure(fault: Fault, code: &'static str) {
    counter!(names::FAILURES.name, "fault" => fault.name(), "code" => code).increment(1);
}

/// The decoding of one file; the kind is `audio` or `image`.
pub fn decode(kind: &'static str, elapsed: Duration) {
    histogram!(names::DECODE_SECONDS.name, "kind" => kind).record(elapsed);
}

/// The fusion of one call's readings.
pub fn fuse(elapsed: Duration) {
    histogram!(names::FUSE_SECONDS.name).record(elapsed);
}

/// One ranking.
pub fn rank(elapsed: Duration) {
    histogram!(names::RANK_SECONDS.name).record(elapsed);
}

/// A live call that begins, by how it comes in.
pub fn live_opened(transport: &'static str) {
    counter!(names::LIVE_SESSIONS.name, "transport" => transport).increment(1);
    gauge!(names::LIVE_SESSIONS_OPEN.name).increment(1.0);
}

/// A live call that has ended, by why.
pub fn live_ended(reason: &'static str, open: Duration) {
    counter!(names::LIVE_ENDINGS.name, "reason" => reason).increment(1);
    gauge!(names::LIVE_SESSIONS_OPEN.name).decrement(1.0);
    histogram!(names::LIVE_SESSION_SECONDS.name).record(open);
}

/// A frame of a live call that got its answer: `read`, or why it was skipped.
pub fn live_frame(outcome: &'static str) {
    counter!(names::LIVE_FRAMES.name, "outcome" => outcome).increment(1);
}

/// A reading of a live call, from the moment when its material was there.
pub fn live_reading(modality: Modality, elapsed: Duration) {
    histogram!(names::LIVE_READING_SECONDS.name, "modality" => modality.name()).record(elapsed);
}

/// Something of a live call that was left out, by the notice's code.
pub fn live_notice(code: &'static str) {
    counter!(names::LIVE_NOTICES.name, "code" => code).increment(1);
}

/// One call of a matcher, and the code of its failure, if it failed.
pub fn matcher(matcher: &str, elapsed: Duration, failure: Option<&'static str>) {
    histogram!(names::MATCHER_SECONDS.name, "matcher" => matcher.to_owned()).record(elapsed);
    if let Some(code) = failure {
        counter!(names::MATCHER_FAILURES.name, "matcher" => matcher.to_owned(), "code" => code).increment(1);
    }
}

/// A ranking that was made; the outcome is `ranked`, `fallback` or `empty`.
pub(crate) fn ranking(policy: &str, outcome: &'static str) {
    counter!(names::RANKINGS.name, "policy" => policy.to_owned(), "outcome" => outcome).increment(1);
}

/// What would differ in a ranking if a shadow counted.
pub(crate) fn shadow(matcher: &str, first_differs: bool, displacement: f32, excluded_share: f32) {
    let first = if first_differs { "other" } else { "same" };
    counter!(names::SHADOW_RANKINGS.name, "matcher" => matcher.to_owned(), "first" => first).increment(1);
    histogram!(names::SHADOW_DISPLACEMENT.name, "matcher" => matcher.to_owned()).record(displacement);
    histogram!(names::SHADOW_EXCLUDED.name, "matcher" => matcher.to_owned()).record(excluded_share);
}

/// What became of a ranking's record; the outcome is `written`, `dropped` or `failed`.
pub(crate) fn ranking_record(outcome: &'static str) {
    counter!(names::RANKING_RECORDS.name, "outcome" => outcome).increment(1);
}

/// What came of a reported outcome; the result is `taken`, `repeated` or `refused`.
pub(crate) fn ranking_outcome(result: &'static str) {
    counter!(names::RANKING_OUTCOMES.name, "result" => result).increment(1);
}

/// How a matcher fares now.
pub(crate) fn matcher_health(matcher: &str, health: &MatcherHealth) {
    let set = |name, value: u64| gauge!(name, "matcher" => matcher.to_owned()).set(value as f64);
    set(names::MATCHER_QUARANTINED.name, u64::from(health.is_quarantined()));
    set(names::MATCHER_GENERATION.name, health.generation);
    set(names::MATCHER_RESTARTS.name, health.restarts);
}

/// A metric that a matcher sets itself. The host bounds how many there are.
pub(crate) fn matcher_metric(matcher: &str, name: String, value: f64) {
    gauge!(names::MATCHER_OWN.name, "matcher" => matcher.to_owned(), "name" => name).set(value);
}

/// Something that a telephone stream brought and that was not taken as it came.
pub(crate) fn telephony_trouble(reason: &'static str) {
    counter!(names::TELEPHONY_TROUBLE.name, "reason" => reason).increment(1);
}

/// The rows that wait in a model's queue before a device now.
pub(crate) fn queue_rows(device: &Arc<str>, model: &'static str, rows: usize) {
    gauge!(names::QUEUE_ROWS.name, "device" => Arc::clone(device), "model" => model).set(as_f64(rows));
}

/// How long rows waited before their execution began.
pub(crate) fn queue_wait(model: &'static str, elapsed: Duration) {
    histogram!(names::QUEUE_SECONDS.name, "model" => model).record(elapsed);
}

/// One execution.
pub(crate) fn execution(model: &'static str, rows: usize, elapsed: Duration) {
    histogram!(names::COMPUTE_SECONDS.name, "model" => model).record(elapsed);
    histogram!(names::BATCH_ROWS.name, "model" => model).record(as_f64(rows));
    counter!(names::EXECUTIONS.name, "model" => model).increment(1);
    counter!(names::ROWS_TOTAL.name, "model" => model).increment(rows as u64);
}

/// A batch, and why it began when it did.
pub(crate) fn batch(model: &'static str, cut: &'static str) {
    counter!(names::BATCHES.name, "model" => model, "cut" => cut).increment(1);
}

/// A device's thread that was replaced; the reason is `lost` or `stall`.
pub(crate) fn device_restart(device: &Arc<str>, reason: &'static str) {
    counter!(names::DEVICE_RESTARTS.name, "device" => Arc::clone(device), "reason" => reason).increment(1);
}

/// What a device has reserved of its own memory, where it has such.
pub(crate) fn device_memory(device: &Arc<str>, bytes: Option<u64>) {
    if let Some(bytes) = bytes {
        #[expect(clippy::cast_precision_loss, reason = "no device has 2^53 bytes")]
        gauge!(names::DEVICE_MEMORY.name, "device" => Arc::clone(device)).set(bytes as f64);
    }
}

/// Whether a device computes.
pub(crate) fn device_health(device: &Arc<str>, is_healthy: bool) {
    gauge!(names::DEVICE_HEALTHY.name, "device" => Arc::clone(device)).set(if is_healthy {
        1.0
    } else {
        0.0
    });
}

/// A model that was loaded, unloaded or could not be loaded; the outcome is `loaded`, `unloaded` or `refused`.
pub(crate) fn model_change(model: &'static str, outcome: &'static str) {
    counter!(names::MODEL_CHANGES.name, "model" => model, "outcome" => outcome).increment(1);
}

/// An execution that failed; the reason is `error` or `panic`.
pub(crate) fn execution_failure(model: &'static str, reason: &'static str) {
    counter!(names::EXECUTION_FAILURES.name, "model" => model, "reason" => reason).increment(1);
}

/// Rows that were taken out of a queue uncomputed; the reason is `deadline` or `gone`.
pub(crate) fn skipped(model: &'static str, reason: &'static str, rows: usize) {
    counter!(names::SKIPPED_ROWS.name, "model" => model, "reason" => reason).increment(rows as u64);
}

/// Rows that found a full queue.
pub(crate) fn rejected(model: &'static str, rows: usize) {
    counter!(names::REJECTED_ROWS.name, "model" => model).increment(rows as u64);
}

/// What became of a webhook; the outcome is `delivered`, `retried`, `given_up` or `dropped`.
pub(crate) fn webhook(endpoint: &str, outcome: &'static str) {
    counter!(names::WEBHOOKS.name, "endpoint" => endpoint.to_owned(), "outcome" => outcome).increment(1);
}

/// How many webhooks wait for an endpoint now.
pub(crate) fn webhook_backlog(endpoint: &str, waiting: usize) {
    gauge!(names::WEBHOOK_BACKLOG.name, "endpoint" => endpoint.to_owned()).set(as_f64(waiting));
}

/// A WebRTC peer that may connect, counted until this is dropped.
#[must_use]
pub(crate) fn webrtc_peer_begins() -> WebRtcPeer {
    gauge!(names::WEBRTC_PEERS.name).increment(1.0);
    WebRtcPeer(())
}

/// A WebRTC peer.
#[derive(Debug)]
pub(crate) struct WebRtcPeer(());

impl Drop for WebRtcPeer {
    fn drop(&mut self) {
        gauge!(names::WEBRTC_PEERS.name).decrement(1.0);
    }
}

/// A WebRTC publication that ended.
pub(crate) fn webrtc_ending(ending: &'static str) {
    counter!(names::WEBRTC_ENDINGS.name, "ending" => ending).increment(1);
}

/// A datagram on the WebRTC socket.
pub(crate) fn webrtc_datagram(outcome: &'static str) {
    counter!(names::WEBRTC_DATAGRAMS.name, "outcome" => outcome).increment(1);
}

/// A piece of media of a WebRTC peer.
pub(crate) fn webrtc_media(kind: &'static str, outcome: &'static str) {
    counter!(names::WEBRTC_MEDIA.name, "kind" => kind, "outcome" => outcome).increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
const fn as_f64(rows: usize) -> f64 {
    rows as f64
}
