//! What NVIDIA's driver says of this machine, asked before burn opens a device: that would panic where there is none.

use std::path::{Path, PathBuf};

use burn::tensor::{Device, DeviceType};

/// Where the driver describes itself and its GPUs.
const DRIVER_FOLDER: &str = "/proc/driver/nvidia";
/// The first driver that has every function which burn asks for.
const OLDEST_DRIVER: u32 = 570;
/// The mathematical functions of CUDA, which are linked into kernels, in a folder of the toolkit.
const MATH_LIBRARY: &str = "nvvm/libdevice/libdevice.10.bc";
/// Where toolkits are looked for unless `CUDA_PATH` names one.
const TOOLKITS: [&str; 4] = ["/usr/local/cuda", "/opt/cuda", "/usr/lib/cuda", "/usr"];

/// How many GPUs this program can use: one at least.
pub(crate) fn probe() -> Result<usize, String> {
    let folder = Path::new(DRIVER_FOLDER);
    check_version(folder)?;
    let count = Device::enumerate(DeviceType::Cuda).len();
    if count == 0 {
        return Err(why_none(folder));
    }
    check_math_library(std::env::var_os("CUDA_PATH").map(PathBuf::from), &TOOLKITS)?;
    Ok(count)
}

/// The models of the GPUs in words that can be a file's name.
pub(crate) fn gpu_models() -> String {
    models_in(&Path::new(DRIVER_FOLDER).join("gpus"))
}

fn check_version(folder: &Path) -> Result<(), String> {
    let Ok(text) = std::fs::read_to_string(folder.join("version")) else { return Ok(()) };
    match version(&text) {
        Some((major, version)) if major < OLDEST_DRIVER => Err(format!(
            "NVIDIA's driver {version} is too old; {OLDEST_DRIVER} is the oldest that works here"
        )),
        _ => Ok(()),
    }
}

/// The driver's version in its description, its first number apart.
fn version(text: &str) -> Option<(u32, &str)> {
    text.split_whitespace().find_map(|word| {
        let (major, rest) = word.split_once('.')?;
        let is_version = rest.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
        (is_version && major.len() >= 3).then_some((major.parse().ok()?, word))
    })
}

fn why_none(folder: &Path) -> String {
    if folder.join("gpus").is_dir() {
        "NVIDIA's driver shows this program no GPU; CUDA_VISIBLE_DEVICES may hide them, or libcuda.so is missing"
            .to_owned()
    } else {
        format!("no NVIDIA driver is loaded ({DRIVER_FOLDER} is missing)")
    }
}

fn check_math_library(named: Option<PathBuf>, toolkits: &[&str]) -> Result<(), String> {
    let toolkits = named.map_or_else(|| toolkits.iter().map(PathBuf::from).collect(), |path| vec![path]);
    if toolkits.iter().any(|toolkit| toolkit.join(MATH_LIBRARY).is_file()) {
        return Ok(());
    }
    let places: Vec<String> = toolkits.iter().map(|toolkit| toolkit.display().to_string()).collect();
    Err(format!(
        "{MATH_LIBRARY} of CUDA is not in {}; install NVIDIA's package libnvvm, or name a toolkit in CUDA_PATH",
        places.join(", ")
    ))
}

fn models_in(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let descriptions =
        entries.filter_map(|entry| std::fs::read_to_string(entry.path().join("information")).ok());
    let mut models: Vec<String> = descriptions
        .filter_map(|text| {
            let model = text.lines().find_map(|line| line.strip_prefix("Model:"))?.trim();
            let plain =
                |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
            Some(model.chars().map(plain).collect())
        })
        .collect();
    models.sort();
    models.dedup();
    if models.is_empty() { "gpu".to_owned() } else { models.join("+") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_either_driver_s_words() {
        let closed = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\n\
                      GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n";
        let open = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build\n";
        assert_eq!(version(closed), Some((535, "535.104.05")));
        assert_eq!(version(open), Some((580, "580.65.06")));
        assert_eq!(version("GCC version:  gcc version 12.2.0"), None);
    }

    #[test]
    fn old_drivers_are_refused_with_their_version() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(check_version(folder.path()), Ok(()), "what cannot be read is left to the driver");
        std::fs::write(folder.path().join("version"), "Kernel Module  535.104.05  Sat").unwrap();
        let error = check_version(folder.path()).unwrap_err();
        assert!(error.contains("535.104.05") && error.contains("570"), "{error}");
        std::fs::write(folder.path().join("version"), "Kernel Module  570.10  Sat").unwrap();
        assert_eq!(check_version(folder.path()), Ok(()));
    }

    #[test]
    fn the_reason_why_there_is_no_gpu_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert!(why_none(folder.path()).contains("no NVIDIA driver"));
        std::fs::create_dir(folder.path().join("gpus")).unwrap();
        assert!(why_none(folder.path()).contains("CUDA_VISIBLE_DEVICES"));
    }

    #[test]
    fn the_math_library_is_looked_for_where_the_compiler_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let error = check_math_library(Some(path.clone()), &TOOLKITS).unwrap_err();
        assert!(error.contains(&path.display().to_string()) && error.contains("CUDA_PATH"), "{error}");
        std::fs::create_dir_all(path.join("nvvm/libdevice")).unwrap();
        std::fs::write(path.join(MATH_LIBRARY), "").unwrap();
        assert_eq!(check_math_library(None, &["/nowhere", path.to_str().unwrap()]), Ok(()));
        assert_eq!(check_math_library(Some(path), &[]), Ok(()));
    }

    #[test]
    fn gpus_are_named_by_their_models() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(models_in(folder.path()), "gpu");
        for (bus, model) in
            [("0000:01:00.0", "NVIDIA H200"), ("0000:02:00.0", "NVIDIA H200"), ("0000:03:00.0", "Tesla T4")]
        {
            std::fs::create_dir(folder.path().join(bus)).unwrap();
            let text = format!("Model: \t\t {model}\nIRQ:   \t\t 1\n");
            std::fs::write(folder.path().join(bus).join("information"), text).unwrap();
        }
        assert_eq!(models_in(folder.path()), "nvidia-h200+tesla-t4");
    }

    /// Where this holds, `auto` falls back to the CPU instead of a panic.
    #[test]
    fn a_machine_without_a_driver_is_told_apart_without_a_panic() {
        if Path::new(DRIVER_FOLDER).is_dir() {
            println!("not checked: this machine has NVIDIA's driver");
            return;
        }
        assert!(probe().unwrap_err().contains("no NVIDIA driver"));
    }
}
