//! Untrusted bytes become bounded PCM or RGB.
