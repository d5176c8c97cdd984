//! Every metric: its name, its unit, what it says and which labels it carries. Nothing else may make up a name.

mod ranking;

use metrics::Unit;

pub use ranking::{
    RANKING_OUTCOMES, RANKING_RECORDS, RANKINGS, SHADOW_DISPLACEMENT, SHADOW_EXCLUDED, SHADOW_RANKINGS,
};

/// What kind of metric it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It is a distribution over these upper bounds.
    Histogram(&'static [f64]),
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// The name, with the unit last.
    pub name: &'static str,
    /// What kind it is.
    pub kind: Kind,
    /// The unit of its values.
    pub unit: Unit,
    /// The labels that tell its series apart.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

/// From half a millisecond to a minute: a request, a batch, a decoded file.
const SECONDS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// From ten microseconds to a second: a fusion, a matcher, a ranking.
const SHORT_SECONDS: &[f64] = &[
    0.000_01, 0.000_025, 0.000_05, 0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
    0.25, 0.5, 1.0,
];
/// From ten seconds to four hours: a call.
const CALL_SECONDS: &[f64] =
    &[10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0];
/// Powers of two: rows of a batch.
const ROWS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

const fn metric(
    name: &'static str,
    kind: Kind,
    unit: Unit,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, kind, unit, labels, help }
}

/// Always 1; its labels say which program this is and what it computes on.
pub const BUILD_INFO: Metric = metric(
    "heartline_build_info",
    Kind::Gauge,
    Unit::Count,
    &["version", "device"],
    "Always 1; the labels name the program's version and the device of the models.",
);
/// Requests that were answered.
pub const REQUESTS: Metric = metric(
    "heartline_requests_total",
    Kind::Counter,
    Unit::Count,
    &["route", "status"],
    "Requests answered, by route and status.",
);
/// How long requests took.
pub const REQUEST_SECONDS: Metric = metric(
    "heartline_request_seconds",
    Kind::Histogram(SECONDS),
    Unit::Seconds,
    &["route"],
    "Time from a request's arrival to its answer.",
);
/// Requests being worked on.
pub const REQUESTS_IN_FLIGHT: Metric = metric(
    "heartline_requests_in_flight",
    Kind::Gauge,
    Unit::Count,
    &[],
    "Requests that are being worked on.",
);
/// Failures by whose fault they were.
pub const FAILURES: Metric = metric(
    "heartline_failures_total",
    Kind::Counter,
    Unit::Count,
    &["fault", "code"],
    "Failures, by whose fault they were (client, model, plugin, overload, internal) and by code.",
);
/// Decoding of media.
pub const DECODE_SECONDS: Metric = metric(
    "heartline_decode_seconds",
    Kind::Histogram(SECONDS),
    Unit::Seconds,
    &["kind"],
    "Time to decode one audio file or one image.",
);
/// Waiting before a model.
pub const QUEUE_SECONDS: Metric = metric(
    "heartline_queue_seconds",
    Kind::Histogram(SECONDS),
    Unit::Seconds,
    &["model"],
    "Time that rows waited in a model's queue before their execution began.",
);
/// Rows that wait before a model.
pub const QUEUE_ROWS: Metric = metric(
    "heartline_queue_rows",
    Kind::Gauge,
    Unit::Count,
    &["device", "model"],
    "Rows that wait in a model's queue before a device.",
);
/// Executions of a model.
pub const COMPUTE_SECONDS: Metric = metric(
    "heartline_compute_seconds",
    Kind::Histogram(SECONDS),
    Unit::Seconds,
    &["model"],
    "Time of one execution of a model over one batch.",
);
/// Rows that went through a model.
pub const ROWS_TOTAL: Metric = metric(
    "heartline_rows_total",
    Kind::Counter,
    Unit::Count,
    &["model"],
    "Rows that a model computed; divided by the executions it is the mean batch.",
);
/// Executions of a model.
pub const EXECUTIONS: Metric = metric(
    "heartline_executions_total",
    Kind::Counter,
    Unit::Count,
    &["model"],
    "Executions of a model, each over one batch.",
);
/// How batches formed.
pub const BATCH_ROWS: Metric =
    metric("heartline_batch_rows", Kind::Histogram(ROWS), Unit::Count, &["model"], "Rows of one batch.");
/// Why batches began when they did.
pub const BATCHES: Metric = metric(
    "heartline_batches_total",
    Kind::Counter,
    Unit::Count,
    &["model", "cut"],
    "Batches, by why they began when they did (rows, tokens, delay, deadline, closing).",
);
/// Whether the device computes.
pub const DEVICE_HEALTHY: Metric = metric(
    "heartline_device_healthy",
    Kind::Gauge,
    Unit::Count,
    &["device"],
    "1 while the device's thread computes, 0 while it is being replaced.",
);
/// What a device has reserved of its own memory.
pub const DEVICE_MEMORY: Metric = metric(
    "heartline_device_memory_bytes",
    Kind::Gauge,
    Unit::Bytes,
    &["device"],
    "Memory that a GPU had reserved when its models were ready; absent on the CPU.",
);
/// Replaced threads of a device.
pub const DEVICE_RESTARTS: Metric = metric(
    "heartline_device_restarts_total",
    Kind::Counter,
    Unit::Count,
    &["device", "reason"],
    "Times that the device's thread was replaced, by reason (lost, stall).",
);
/// Loaded and unloaded models.
pub const MODEL_CHANGES: Metric = metric(
    "heartline_model_changes_total",
    Kind::Counter,
    Unit::Count,
    &["model", "outcome"],
    "Models asked to be loaded or unloaded while serving, by outcome (loaded, unloaded, refused).",
);
/// Rows that were never computed.
pub const SKIPPED_ROWS: Metric = metric(
    "heartline_skipped_rows_total",
    Kind::Counter,
    Unit::Count,
    &["model", "reason"],
    "Rows taken out of a queue uncomputed, because their deadline had passed or their client had gone.",
);
/// Requests that found a full queue.
pub const REJECTED_ROWS: Metric = metric(
    "heartline_rejected_rows_total",
    Kind::Counter,
    Unit::Count,
    &["model"],
    "Rows refused because a model's queue was full or could not have been computed in time.",
);
/// Executions that failed.
pub const EXECUTION_FAILURES: Metric = metric(
    "heartline_execution_failures_total",
    Kind::Counter,
    Unit::Count,
    &["model", "reason"],
    "Executions of a model that failed, by reason (error, panic).",
);
/// Fusion of readings.
pub const FUSE_SECONDS: Metric = metric(
    "heartline_fuse_seconds",
    Kind::Histogram(SHORT_SECONDS),
    Unit::Seconds,
    &[],
    "Time to fuse the readings of one call into its emotion vector.",
);
/// Ranking of agents.
pub const RANK_SECONDS: Metric = metric(
    "heartline_rank_seconds",
    Kind::Histogram(SHORT_SECONDS),
    Unit::Seconds,
    &[],
    "Time of one ranking with all its matchers.",
);
/// Calls of a matcher.
pub const MATCHER_SECONDS: Metric = metric(
    "heartline_matcher_seconds",
    Kind::Histogram(SHORT_SECONDS),
    Unit::Seconds,
    &["matcher"],
    "Time of one call of a matcher.",
);
/// Failed calls of a matcher.
pub const MATCHER_FAILURES: Metric = metric(
    "heartline_matcher_failures_total",
    Kind::Counter,
    Unit::Count,
    &["matcher", "code"],
    "Calls of a matcher that failed, by code.",
);
/// How matchers fare.
pub const MATCHER_QUARANTINED: Metric = metric(
    "heartline_matcher_quarantined",
    Kind::Gauge,
    Unit::Count,
    &["matcher"],
    "1 while a matcher is not asked because it failed too often, otherwise 0.",
);
/// How often a matcher was loaded.
pub const MATCHER_GENERATION: Metric = metric(
    "heartline_matcher_generation",
    Kind::Gauge,
    Unit::Count,
    &["matcher"],
    "The generation of a matcher: how often it was loaded since the program began.",
);
/// How often a matcher was started again.
pub const MATCHER_RESTARTS: Metric = metric(
    "heartline_matcher_restarts",
    Kind::Gauge,
    Unit::Count,
    &["matcher"],
    "How often a matcher was started again after a crash, a hang or a panic.",
);
/// What matchers measure themselves.
pub const MATCHER_OWN: Metric = metric(
    "heartline_matcher_own",
    Kind::Gauge,
    Unit::Count,
    &["matcher", "name"],
    "Metrics that matchers set themselves, by their name.",
);

/// Browsers that publish.
pub const WEBRTC_PEERS: Metric = metric(
    "heartline_webrtc_peers",
    Kind::Gauge,
    Unit::Count,
    &[],
    "WebRTC peers that are connected or may still connect.",
);
/// Publications that ended.
pub const WEBRTC_ENDINGS: Metric = metric(
    "heartline_webrtc_endings_total",
    Kind::Counter,
    Unit::Count,
    &["ending"],
    "WebRTC publications that ended, by how (closed, replaced, never_connected, lost, failed, abandoned).",
);
/// Datagrams of browsers.
pub const WEBRTC_DATAGRAMS: Metric = metric(
    "heartline_webrtc_datagrams_total",
    Kind::Counter,
    Unit::Count,
    &["outcome"],
    "Datagrams on the WebRTC socket, by outcome (taken, stranger, full, too_long).",
);
/// Media of browsers.
pub const WEBRTC_MEDIA: Metric = metric(
    "heartline_webrtc_media_total",
    Kind::Counter,
    Unit::Count,
    &["kind", "outcome"],
    "Media of WebRTC peers by kind (audio, picture, video_between) and outcome (taken, dropped, skipped).",
);
/// Messages and pieces of sound of telephone calls that were not taken as they came.
pub const TELEPHONY_TROUBLE: Metric = metric(
    "heartline_telephony_trouble_total",
    Kind::Counter,
    Unit::Count,
    &["reason"],
    "What telephone streams brought that was refused, mended or left out, by reason; docs/telephony.md lists them.",
);
/// Live calls that were opened.
pub const LIVE_SESSIONS: Metric = metric(
    "heartline_live_sessions_total",
    Kind::Counter,
    Unit::Count,
    &["transport"],
    "Live calls opened, by how they came in.",
);
/// Live calls that are open.
pub const LIVE_SESSIONS_OPEN: Metric =
    metric("heartline_live_sessions_open", Kind::Gauge, Unit::Count, &[], "Live calls that are open now.");
/// Live calls that have ended.
pub const LIVE_ENDINGS: Metric = metric(
    "heartline_live_endings_total",
    Kind::Counter,
    Unit::Count,
    &["reason"],
    "Live calls that have ended, by why.",
);
/// How long live calls were open.
pub const LIVE_SESSION_SECONDS: Metric = metric(
    "heartline_live_session_seconds",
    Kind::Histogram(CALL_SECONDS),
    Unit::Seconds,
    &[],
    "Time from a live call's beginning to its end.",
);
/// Frames of live calls.
pub const LIVE_FRAMES: Metric = metric(
    "heartline_live_frames_total",
    Kind::Counter,
    Unit::Count,
    &["outcome"],
    "Frames of live calls, read or skipped and why.",
);
/// How long readings of live calls took.
pub const LIVE_READING_SECONDS: Metric = metric(
    "heartline_live_reading_seconds",
    Kind::Histogram(SECONDS),
    Unit::Seconds,
    &["modality"],
    "Time from the moment when a reading's material was there to the reading, by modality.",
);
/// What was left out of live calls.
pub const LIVE_NOTICES: Metric = metric(
    "heartline_live_notices_total",
    Kind::Counter,
    Unit::Count,
    &["code"],
    "What was left out of live calls, by the notice's code.",
);

/// Webhooks.
pub const WEBHOOKS: Metric = metric(
    "heartline_webhooks_total",
    Kind::Counter,
    Unit::Count,
    &["endpoint", "outcome"],
    "Webhooks by endpoint and outcome (delivered, retried, given_up, dropped).",
);
/// Webhooks that wait.
pub const WEBHOOK_BACKLOG: Metric = metric(
    "heartline_webhook_backlog",
    Kind::Gauge,
    Unit::Count,
    &["endpoint"],
    "Webhooks that wait for their endpoint.",
);

/// All metrics.
pub const ALL: &[Metric] = &[
    WEBHOOKS,
    WEBHOOK_BACKLOG,
    BUILD_INFO,
    REQUESTS,
    REQUEST_SECONDS,
    REQUESTS_IN_FLIGHT,
    FAILURES,
    DECODE_SECONDS,
    QUEUE_SECONDS,
    QUEUE_ROWS,
    COMPUTE_SECONDS,
    ROWS_TOTAL,
    EXECUTIONS,
    BATCH_ROWS,
    BATCHES,
    DEVICE_HEALTHY,
    DEVICE_MEMORY,
    DEVICE_RESTARTS,
    MODEL_CHANGES,
    SKIPPED_ROWS,
    REJECTED_ROWS,
    EXECUTION_FAILURES,
    FUSE_SECONDS,
    RANK_SECONDS,
    MATCHER_SECONDS,
    MATCHER_FAILURES,
    RANKINGS,
    SHADOW_RANKINGS,
    SHADOW_DISPLACEMENT,
    SHADOW_EXCLUDED,
    RANKING_RECORDS,
    RANKING_OUTCOMES,
    MATCHER_QUARANTINED,
    MATCHER_GENERATION,
    MATCHER_RESTARTS,
    MATCHER_OWN,
    WEBRTC_PEERS,
    WEBRTC_ENDINGS,
    WEBRTC_DATAGRAMS,
    WEBRTC_MEDIA,
    TELEPHONY_TROUBLE,
    LIVE_SESSIONS,
    LIVE_SESSIONS_OPEN,
    LIVE_ENDINGS,
    LIVE_SESSION_SECONDS,
    LIVE_FRAMES,
    LIVE_READING_SECONDS,
    LIVE_NOTICES,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_say_their_unit() {
        let names: BTreeSet<_> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len());
        for metric in ALL {
            assert!(metric.name.starts_with("heartline_"), "{}", metric.name);
            assert_eq!(metric.kind == Kind::Counter, metric.name.ends_with("_total"), "{}", metric.name);
            assert_eq!(metric.unit == Unit::Seconds, metric.name.ends_with("_seconds"), "{}", metric.name);
            assert!(metric.help.ends_with('.'), "{}", metric.name);
        }
    }

    #[test]
    fn bounds_of_histograms_rise() {
        for metric in ALL {
            if let Kind::Histogram(bounds) = metric.kind {
                assert!(bounds.windows(2).all(|pair| pair[0] < pair[1]), "{}", metric.name);
            }
        }
    }
}
