//! The image.

use std::path::Path;

use heartline::config::{Config, Sources};
use heartline::http;

use super::read;

/// The instructions of a Dockerfile with their arguments, continued lines joined and comments left out.
fn instructions(text: &str) -> Vec<(String, String)> {
    let lines =
        text.lines().filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join("\n");
    let joined = lines.replace("\\\n", " ");
    let split = |line: &str| {
        line.trim().split_once(' ').map(|(word, rest)| (word.to_owned(), rest.trim().to_owned()))
    };
    joined.lines().filter_map(split).collect()
}

fn arguments<'a>(found: &'a [(String, String)], word: &str) -> Vec<&'a str> {
    found.iter().filter(|(known, _)| known == word).map(|(_, rest)| rest.as_str()).collect()
}

#[test]
fn the_image_holds_what_the_program_looks_for() {
    let found = instructions(&read("Dockerfile.gpu"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copied = arguments(&found, "COPY");
    let config = Config::from_sources(&Sources::default()).unwrap();
    for folder in [&config.engine.models_folder, &config.samples.folder] {
        let is_copied = copied.iter().any(|words| {
            let source = words.split(' ').next().unwrap();
            !words.starts_with("--from") && folder.starts_with(source) && root.join(source).is_dir()
        });
        assert!(is_copied, "{} is not in the image: {copied:?}", folder.display());
    }
    for matcher in &config.plugins.matchers {
        let name = matcher.path.to_str().unwrap();
        assert!(name.starts_with("libheartline_") && name.ends_with(".so"), "{name} is not what is copied");
    }
    let programs = copied.iter().find(|words| words.starts_with("--from=build")).unwrap();
    assert!(programs.contains("release/heartline ") && programs.contains("release/libheartline_*.so"));
}

#[test]
fn the_image_starts_as_somebody_and_says_how_it_is() {
    let found = instructions(&read("Dockerfile.gpu"));
    assert_eq!(arguments(&found, "USER"), ["10001:10001"]);
    assert_eq!(arguments(&found, "ENTRYPOINT"), ["[\"./heartline\"]"]);
    assert_eq!(arguments(&found, "CMD"), ["[\"serve\"]"]);
    let port = arguments(&found, "EXPOSE")[0];
    let check = arguments(&found, "HEALTHCHECK")[0];
    let address = check.split('"').find(|word| word.starts_with("http://")).unwrap();
    let (host, path) = address.strip_prefix("http://").unwrap().split_once('/').unwrap();
    assert_eq!(host, format!("127.0.0.1:{port}"));
    assert!(http::route_names().contains(&("get", format!("/{path}").as_str())), "there is no /{path}");
    let set: Vec<_> = arguments(&found, "ENV")
        .into_iter()
        .flat_map(str::split_whitespace)
        .filter_map(|set| set.split_once('='))
        .collect();
    let bound = set.iter().find(|(name, _)| *name == "HEARTLINE_SERVER__BIND").unwrap().1;
    assert_eq!(bound, format!("0.0.0.0:{port}"));
}

#[test]
fn the_image_has_what_kernels_are_compiled_with_and_keeps_them() {
    let found = instructions(&read("Dockerfile.gpu"));
    let set: Vec<(&str, &str)> = arguments(&found, "ENV")
        .into_iter()
        .flat_map(str::split_whitespace)
        .filter_map(|set| set.split_once('='))
        .collect();
    let value = |name: &str| set.iter().find(|(known, _)| *known == name).unwrap().1;
    let toolkit = Path::new(value("CUDA_PATH")).strip_prefix("/opt/heartline").unwrap();
    let functions = toolkit.join("nvvm/libdevice");
    let copied = arguments(&found, "COPY");
    assert!(copied.iter().any(|words| words.ends_with(functions.to_str().unwrap())), "{copied:?}");
    let volume = arguments(&found, "VOLUME")[0];
    for name in ["HEARTLINE_ENGINE__KERNELS_FOLDER", "CUDA_CACHE_PATH"] {
        assert!(Path::new(value(name)).starts_with(volume), "{name} would be lost with the container");
    }
    let ours = set.iter().filter(|(name, _)| name.starts_with("HEARTLINE_"));
    let variables = ours.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let config = Config::from_sources(&Sources { variables, ..Sources::default() }).unwrap();
    assert_eq!(config.engine.kernels_folder.unwrap(), Path::new(value("HEARTLINE_ENGINE__KERNELS_FOLDER")));
}
