//! What a child takes from itself before it opens the library: memory, core dumps, a life after its parent, and the
//! standard streams, through which it speaks to the parent.

use std::fs::File;
use std::io::Result;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

use rustix::process::{Resource, Rlimit, setrlimit};

/// The pipes to the parent. Whatever a matcher prints goes to the standard error instead, and it has nothing to read.
pub(super) fn take_streams() -> Result<(File, File)> {
    let input = std::io::stdin().as_fd().try_clone_to_owned()?;
    let output = std::io::stdout().as_fd().try_clone_to_owned()?;
    redirect(&File::open("/dev/null")?, 0)?;
    redirect(&std::io::stderr(), 1)?;
    Ok((File::from(input), File::from(output)))
}

fn redirect(source: &impl AsFd, target: i32) -> Result<()> {
    // SAFETY: the standard streams are open for as long as the process, and this owner is never dropped.
    let mut target = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(target) });
    Ok(rustix::io::dup2(source, &mut target)?)
}

/// Ends with the parent, and leaves no core dump: it would have the customers' data in it.
pub(super) fn tie_to_parent() -> Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(())
}

/// Takes no more memory than this on top of what there is now.
pub(super) fn limit_memory(bytes: u64) -> Result<()> {
    let limit = Some(address_space().saturating_add(bytes));
    setrlimit(Resource::As, Rlimit { current: limit, maximum: limit })?;
    Ok(())
}

/// How much address space the process has, in bytes; 0 where the system does not say.
fn address_space() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kibibytes.unwrap_or(0).saturating_mul(1024)
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn the_address_space_is_known() {
        assert!(super::address_space() > 1 << 20);
    }
}
