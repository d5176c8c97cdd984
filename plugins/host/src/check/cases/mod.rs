//! The cases themselves, by what they look at. Each runs in a process of its own.

pub(crate) mod config;
pub(crate) mod explaining;
pub(crate) mod inputs;
pub(crate) mod leaks;
pub(crate) mod learning;
pub(crate) mod loading;
pub(crate) mod repeating;
pub(crate) mod scoring;
pub(crate) mod texts;
pub(crate) mod threads;
pub(crate) mod timing;

/// A duration for people.
pub(crate) fn shown(duration: std::time::Duration) -> String {
    let microseconds = duration.as_secs_f64() * 1e6;
    match microseconds {
        us if us < 1_000.0 => format!("{us:.1} µs"),
        us if us < 1e6 => format!("{:.2} ms", us / 1e3),
        us => format!("{:.2} s", us / 1e6),
    }
}

/// `1 agent`, `2 agents`.
pub(crate) fn agents(count: usize) -> String {
    if count == 1 { "1 agent".to_owned() } else { format!("{count} agents") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn durations_and_numbers_are_for_people() {
        assert_eq!(shown(Duration::from_nanos(1_500)), "1.5 µs");
        assert_eq!(shown(Duration::from_micros(2_340)), "2.34 ms");
        assert_eq!(shown(Duration::from_millis(1_500)), "1.50 s");
        assert_eq!((agents(1).as_str(), agents(2).as_str()), ("1 agent", "2 agents"));
    }
}
