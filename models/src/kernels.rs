//! Where the kernels that are compiled and tuned for a GPU stay between two starts.

use std::path::Path;

/// Streams of one GPU: its thread has one, and so has the thread that loads a model beside it. Each holds memory.
#[cfg(feature = "cuda")]
const STREAMS: u8 = 8;

/// Keeps compiled and tuned kernels in a folder, from which the next start takes them; in none they are made anew at
/// every start. What is kept is apart for each model of GPU. A folder that cannot be written is no error.
///
/// This has to come before a GPU is opened; false says that it came too late. A build without CUDA has no kernels.
#[cfg(feature = "cuda")]
pub fn keep_kernels(folder: Option<&Path>) -> bool {
    use burn::cubecl::config::cache::CacheConfig;
    use burn::cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};
    use burn::cubecl::records::RecordLevel;

    let mut config = CubeClRuntimeConfig::from_current_dir().override_from_env();
    config.environment.records.level = RecordLevel::Off;
    config.streaming.max_streams = STREAMS;
    config.compilation.cache = folder.is_some();
    config.autotune.disable_cache |= folder.is_none();
    if let Some(folder) = folder {
        config.environment.path = CacheConfig::Directory(folder.to_owned());
        config.environment.name = crate::driver::gpu_models();
    }
    CubeClRuntimeConfig::try_set(config)
}

/// Does nothing: this build has no kernels.
#[cfg(not(feature = "cuda"))]
pub fn keep_kernels(_folder: Option<&Path>) -> bool {
    true
}
