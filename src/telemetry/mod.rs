//! Logs, traces and metrics; every metric is named here.
