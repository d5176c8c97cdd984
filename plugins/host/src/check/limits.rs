//! What a child may take of the machine, and what it has taken.

/// Limits this process's memory, turns core dumps off, and ends it with its parent. Where the system cannot do that,
/// the parent still watches.
#[cfg(unix)]
pub(crate) fn apply(memory_bytes: u64) {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let limit = |bytes: u64| Rlimit { current: Some(bytes), maximum: Some(bytes) };
    let _ = setrlimit(Resource::Core, limit(0));
    // What the process itself has taken before the matcher comes does not count.
    let taken = status_bytes("VmData:").unwrap_or(0);
    let _ = setrlimit(Resource::Data, limit(taken.saturating_add(memory_bytes)));
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
}

/// Limits nothing: this system has no such limits.
#[cfg(not(unix))]
pub(crate) fn apply(_memory_bytes: u64) {}

/// A figure of this process's status, in bytes; `None` where the system does not tell.
pub(crate) fn status_bytes(name: &str) -> Option<u64> {
    status_number("self", name).map(|kilobytes| kilobytes * 1024)
}

/// A number of a process's status as it stands there.
pub(crate) fn status_number(process: &str, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// How many files this process has open; `None` where the system does not tell.
pub(crate) fn open_files() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_tells_what_a_process_has_taken() {
        assert!(status_bytes("VmRSS:").unwrap() > 1 << 20);
        assert!(status_number("self", "Threads:").unwrap() >= 1);
        assert!(status_number("self", "Nothing:").is_none());
        assert!(open_files().unwrap() >= 3);
    }
}
