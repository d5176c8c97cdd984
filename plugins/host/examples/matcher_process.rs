//! A matcher's own process and nothing else: what a server runs where a matcher is isolated.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(unix)]
    {
        if heartline_plugin_host::isolation::serve_child().is_ok() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
    #[cfg(not(unix))]
    ExitCode::FAILURE
}
