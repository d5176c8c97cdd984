//! What is sent: bodies of the user's own, or made of the shipped samples.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use serde_json::{Value, json};

use super::{LoadError, Target};
use crate::media::{MediaLimits, TranscriptLine, parse_transcript};

/// The most bytes of all bodies together.
const BODIES_LIMIT_BYTES: usize = 256 << 20;
/// The most rows of one request.
const ROWS_LIMIT: usize = 1_024;
/// The route that the built-in kinds ask.
const ANALYZE_PATH: &str = "/v1/analyze";

/// A kind of request that is made of the shipped samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Utterances of the customer; a row is an utterance.
    Text,
    /// The customer's voice; a row is a recording.
    Voice,
    /// Pictures of the customer; a row is a picture.
    Face,
    /// The whole call; a row is a call.
    Analyze,
}

/// The requests of a measurement: the same path and headers, and bodies that take turns.
#[derive(Debug, Clone)]
pub struct Requests {
    path: String,
    headers: HeaderMap,
    bodies: Vec<Bytes>,
    rows: usize,
}

impl Requests {
    /// Requests with the bodies of files, each of so many rows.
    ///
    /// # Errors
    /// [`LoadError::Unreadable`], [`LoadError::BodiesTooLarge`], [`LoadError::Request`] or [`LoadError::Rows`]
    pub fn of_files(
        files: &[PathBuf],
        path: &str,
        headers: &[(String, String)],
        rows: usize,
    ) -> Result<Self, LoadError> {
        check_rows("file", rows, ROWS_LIMIT)?;
        let mut bodies = Vec::with_capacity(files.len());
        let mut total = 0;
        for file in files {
            let unreadable = |source| LoadError::Unreadable { path: file.clone(), source };
            let length = std::fs::metadata(file).map_err(unreadable)?.len();
            total += usize::try_from(length).unwrap_or(usize::MAX / 2);
            if total > BODIES_LIMIT_BYTES {
                return Err(LoadError::BodiesTooLarge { found: total, limit: BODIES_LIMIT_BYTES });
            }
            bodies.push(Bytes::from(std::fs::read(file).map_err(unreadable)?));
        }
        Self::new(path, headers, bodies, rows)
    }

    /// Requests of a kind, made of the sample call in a folder.
    ///
    /// # Errors
    /// [`LoadError::NoSample`], [`LoadError::Unreadable`] or [`LoadError::Rows`]
    pub fn of_kind(kind: Kind, rows: usize, folder: &Path) -> Result<Self, LoadError> {
        let body = match kind {
            Kind::Text => {
                check_rows("text", rows, ROWS_LIMIT)?;
                json!({ "transcript": utterances(folder, rows)? })
            }
            Kind::Voice => {
                check_rows("voice", rows, 1)?;
                json!({ "audio": audio(folder)? })
            }
            Kind::Face => {
                check_rows("face", rows, ROWS_LIMIT)?;
                json!({ "frames": frames(folder, rows)? })
            }
            Kind::Analyze => {
                check_rows("analyze", rows, 1)?;
                let lines: Vec<Value> = transcript(folder)?
                    .iter()
                    .map(|line| {
                        json!({"start_ms": line.start_ms, "end_ms": line.end_ms,
                        "speaker": line.speaker.as_deref().unwrap_or("customer"), "text": line.text})
                    })
                    .collect();
                let frames = frames(folder, pictures(folder)?.len())?;
                json!({ "transcript": lines, "audio": audio(folder)?, "frames": frames })
            }
        };
        let headers = [("content-type".to_owned(), "application/json".to_owned())];
        Self::new(ANALYZE_PATH, &headers, vec![body.to_string().into()], rows)
    }

    /// Requests with these bodies, each of so many rows.
    ///
    /// # Errors
    /// [`LoadError::Request`]
    pub fn new(
        path: &str,
        headers: &[(String, String)],
        bodies: Vec<Bytes>,
        rows: usize,
    ) -> Result<Self, LoadError> {
        let fault = |part, value: &str| LoadError::Request { part, value: value.to_owned() };
        if !path.starts_with('/') || path.parse::<Uri>().is_err() {
            return Err(fault("the path", path));
        }
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let known = HeaderName::from_bytes(name.as_bytes()).map_err(|_| fault("the header", name))?;
            let text = HeaderValue::from_str(value).map_err(|_| fault("the header's value", value))?;
            map.insert(known, text);
        }
        if bodies.is_empty() {
            return Err(fault("the body", "there is none"));
        }
        Ok(Self { path: path.to_owned(), headers: map, bodies, rows })
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The rows of each request.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// One request after the other, ready to be sent.
    pub(super) fn one(&self, number: u64, target: &Target) -> Request<Full<Bytes>> {
        let turn = usize::try_from(number % self.bodies.len() as u64).unwrap_or_default();
        let mut request = Request::new(Full::new(self.bodies[turn].clone()));
        *request.method_mut() = Method::POST;
        // The prefix and the path were checked, each by itself, so together they are a path as well.
        *request.uri_mut() = format!("{}{}", target.prefix, self.path).parse().unwrap_or_default();
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        request.headers_mut().insert(HOST, target.authority.clone());
        request
    }
}

fn check_rows(kind: &'static str, rows: usize, limit: usize) -> Result<(), LoadError> {
    if (1..=limit).contains(&rows) { Ok(()) } else { Err(LoadError::Rows { kind, limit }) }
}

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    std::fs::read(path).map_err(|source| LoadError::Unreadable { path: path.to_owned(), source })
}

fn transcript(folder: &Path) -> Result<Vec<TranscriptLine>, LoadError> {
    let words = read(&folder.join("transcript.txt"))?;
    parse_transcript(&words, &MediaLimits::default())
        .map_err(|_| LoadError::NoSample { what: "readable transcript" })
}

/// So many of the customer's utterances, from the beginning again where the call has fewer.
fn utterances(folder: &Path, count: usize) -> Result<Vec<Value>, LoadError> {
    let lines = transcript(folder)?;
    let customer: Vec<&TranscriptLine> = lines.iter().filter(|line| line.is_customer()).collect();
    if customer.is_empty() {
        return Err(LoadError::NoSample { what: "words of the customer" });
    }
    Ok(customer.iter().cycle().take(count).map(|line| json!({ "text": line.text })).collect())
}

fn audio(folder: &Path) -> Result<Value, LoadError> {
    Ok(json!({ "data": BASE64_STANDARD.encode(read(&folder.join("speech.flac"))?) }))
}

fn pictures(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let folder = folder.join("frames");
    let entries = std::fs::read_dir(&folder)
        .map_err(|source| LoadError::Unreadable { path: folder.clone(), source })?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    if paths.is_empty() { Err(LoadError::NoSample { what: "pictures" }) } else { Ok(paths) }
}

/// So many pictures, a second apart, from the first again where the call has fewer.
fn frames(folder: &Path, count: usize) -> Result<Vec<Value>, LoadError> {
    let encoded: Vec<String> = pictures(folder)?
        .iter()
        .map(|path| read(path).map(|bytes| BASE64_STANDARD.encode(bytes)))
        .collect::<Result<_, _>>()?;
    let times = (0_u64..).step_by(1_000);
    let frames = encoded.iter().cycle().take(count).zip(times);
    Ok(frames.map(|(data, at_ms)| json!({ "data": data, "timestamp_ms": at_ms })).collect())
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    fn sample() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/call")
    }

    fn target() -> Target {
        Target {
            url: "http://x".to_owned(),
            address: ([127, 0, 0, 1], 1).into(),
            authority: HeaderValue::from_static("x:1"),
            prefix: "/before".to_owned(),
        }
    }

    async fn body(requests: &Requests, number: u64) -> Value {
        let bytes = requests.one(number, &target()).into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn kinds_have_the_rows_that_were_asked_for() {
        let texts = body(&Requests::of_kind(Kind::Text, 20, &sample()).unwrap(), 0).await;
        let lines = texts["transcript"].as_array().unwrap();
        assert_eq!(lines.len(), 20);
        assert!(lines.iter().all(|line| !line["text"].as_str().unwrap().contains("billing team")));
        let faces = body(&Requests::of_kind(Kind::Face, 3, &sample()).unwrap(), 0).await;
        assert_eq!(faces["frames"][2]["timestamp_ms"], 2_000);
        let call = body(&Requests::of_kind(Kind::Analyze, 1, &sample()).unwrap(), 0).await;
        assert!(call["audio"]["data"].is_string() && call["frames"][1].is_object());
        assert_eq!(call["transcript"][2]["speaker"], "agent");
    }

    #[test]
    fn rows_have_bounds() {
        for (kind, rows) in [(Kind::Text, 0), (Kind::Text, 1_025), (Kind::Voice, 2), (Kind::Analyze, 2)] {
            let error = Requests::of_kind(kind, rows, &sample()).unwrap_err();
            assert!(matches!(error, LoadError::Rows { .. }), "{error}");
        }
        let error = Requests::of_kind(Kind::Text, 1, Path::new("/no/such/call")).unwrap_err();
        assert!(matches!(error, LoadError::Unreadable { .. }), "{error}");
    }

    #[tokio::test]
    async fn bodies_take_turns_and_headers_go_along() {
        let headers = [("Content-Type".to_owned(), "a/b".to_owned()), ("x-one".to_owned(), "1".to_owned())];
        let bodies = vec![Bytes::from("[1]"), Bytes::from("[2]")];
        let requests = Requests::new("/path?query", &headers, bodies, 1).unwrap();
        assert_eq!(body(&requests, 1).await, json!([2]));
        assert_eq!(body(&requests, 2).await, json!([1]));
        let request = requests.one(0, &target());
        assert_eq!(request.uri(), "/before/path?query");
        assert_eq!(
            (&request.headers()[CONTENT_TYPE], &request.headers()["x-one"]),
            (&HeaderValue::from_static("a/b"), &HeaderValue::from_static("1"))
        );
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        let body = || vec![Bytes::new()];
        let header = |name: &str, value: &str| [(name.to_owned(), value.to_owned())];
        for result in [
            Requests::new("no-slash", &[], body(), 1),
            Requests::new("/two words", &[], body(), 1),
            Requests::new("/", &header("a b", "c"), body(), 1),
            Requests::new("/", &header("a", "b\nc"), body(), 1),
            Requests::new("/", &[], Vec::new(), 1),
        ] {
            assert!(matches!(result, Err(LoadError::Request { .. })), "{result:?}");
        }
        let missing = Requests::of_files(&[PathBuf::from("/no/such/file")], "/", &[], 1);
        assert!(matches!(missing, Err(LoadError::Unreadable { .. })));
    }
}
