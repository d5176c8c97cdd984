//! Looks for NVIDIA's driver without loading it: burn panics on the first use of a CUDA device that is not there.

use std::path::Path;

/// Where the driver lists the GPUs of this machine or container.
const GPU_FOLDER: &str = "/proc/driver/nvidia/gpus";

/// Checks that the machine has a GPU with this index.
pub(crate) fn probe(index: usize) -> Result<(), String> {
    let count = count_entries(Path::new(GPU_FOLDER))
        .ok_or_else(|| format!("no NVIDIA driver is loaded ({GPU_FOLDER} is missing)"))?;
    if index < count { Ok(()) } else { Err(format!("the machine has {count} GPUs")) }
}

fn count_entries(folder: &Path) -> Option<usize> {
    Some(std::fs::read_dir(folder).ok()?.filter_map(Result::ok).count())
}
