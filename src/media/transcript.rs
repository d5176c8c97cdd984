//! Transcripts: lines of text with an optional time and speaker, or one JSON object a line.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{MediaError, MediaLimits, file};

/// The speaker whose emotion is read.
const CUSTOMER: &str = "customer";
/// The speaker whose words are only kept.
const AGENT: &str = "agent";

/// What opens a line of plain text, and which speaker that is.
const SPEAKERS: [(&str, &str); 4] =
    [("customer", CUSTOMER), ("agent", AGENT), ("客户", CUSTOMER), ("客服", AGENT)];

/// One line of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TranscriptLine {
    /// Where it starts, in milliseconds of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<u64>,
    /// Where it ends, in milliseconds of the call; never before the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<u64>,
    /// Who speaks: `customer`, `agent`, or another name in lower case (JSON lines only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<String>,
    /// The words.
    pub text: String,
}

impl TranscriptLine {
    /// Whether the customer speaks; so it is where nobody is named.
    #[must_use]
    pub fn is_customer(&self) -> bool {
        self.speaker.as_deref().is_none_or(|speaker| speaker == CUSTOMER)
    }
}

/// Reads a transcript. It is read as JSON lines where its first line opens with a brace, and as plain text otherwise:
///
/// ```text
/// [00:01.500] customer: my refund still has not arrived
/// [00:04.000 - 00:06.250] agent: let me look that up
/// lines may also stand alone
/// ```
///
/// A time is `minutes:seconds` or `hours:minutes:seconds`, with up to three digits of a second's fraction. Brackets
/// that hold anything but a time belong to the text. Empty lines, and lines without words, are left out.
///
/// # Errors
/// [`MediaError::NotUtf8`], [`MediaError::Line`], [`MediaError::Empty`] where no line says anything, and the limits.
pub fn parse_transcript(bytes: &[u8], limits: &MediaLimits) -> Result<Vec<TranscriptLine>, MediaError> {
    file::check_bytes(bytes, limits.max_transcript_bytes)?;
    let text = std::str::from_utf8(bytes)
        .map_err(|error| MediaError::NotUtf8 { valid_bytes: error.valid_up_to() })?;
    // Editors on some systems open a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_json = text.trim_start().starts_with('{');
    let mut lines = Vec::new();
    for (index, content) in text.lines().enumerate() {
        let content = content.trim();
        let line = index + 1;
        if content.is_empty() {
            continue;
        }
        if content.chars().count() > limits.max_line_characters {
            return Err(MediaError::LineTooLong { line, limit: limits.max_line_characters });
        }
        let parsed = if is_json { parse_json(content) } else { parse_plain(content) };
        let parsed = parsed.and_then(check_order).map_err(|reason| MediaError::Line { line, reason })?;
        if parsed.text.is_empty() {
            continue;
        }
        if lines.len() == limits.max_transcript_lines {
            return Err(MediaError::TooManyLines { limit: limits.max_transcript_lines });
        }
        lines.push(parsed);
    }
    if lines.is_empty() { Err(MediaError::Empty { what: "transcript" }) } else { Ok(lines) }
}

/// Reads a transcript's file.
///
/// # Errors
/// [`MediaError::Unreadable`], or as [`parse_transcript`].
pub fn read_transcript(path: &Path, limits: &MediaLimits) -> Result<Vec<TranscriptLine>, MediaError> {
    parse_transcript(&file::read(path, limits.max_transcript_bytes)?, limits)
}

fn parse_json(content: &str) -> Result<TranscriptLine, String> {
    let mut line: TranscriptLine = serde_json::from_str(content).map_err(|error| error.to_string())?;
    line.text = line.text.trim().to_owned();
    line.speaker = line
        .speaker
        .map(|speaker| speaker.trim().to_lowercase())
        .filter(|speaker| !speaker.is_empty())
        .map(|speaker| named_speaker(&speaker).map_or(speaker, str::to_owned));
    Ok(line)
}

fn parse_plain(content: &str) -> Result<TranscriptLine, String> {
    let (start_ms, end_ms, content) = take_times(content)?;
    let (speaker, text) = take_speaker(content);
    Ok(TranscriptLine { start_ms, end_ms, speaker: speaker.map(str::to_owned), text: text.trim().to_owned() })
}

fn check_order(line: TranscriptLine) -> Result<TranscriptLine, String> {
    match (line.start_ms, line.end_ms) {
        (Some(start), Some(end)) if end < start => Err("it ends before it starts".to_owned()),
        (None, Some(_)) => Err("it has an end but no start".to_owned()),
        _ => Ok(line),
    }
}

/// A start, an end, and the text after them.
type Timed<'a> = (Option<u64>, Option<u64>, &'a str);

/// Takes the times in brackets off the front of a line.
fn take_times(content: &str) -> Result<Timed<'_>, String> {
    let untimed = (None, None, content);
    let Some((inside, rest)) = content.strip_prefix('[').and_then(|content| content.split_once(']')) else {
        return Ok(untimed);
    };
    let looks_like_time = inside.contains(':')
        && inside
            .chars()
            .all(|letter| letter.is_ascii_digit() || [':', '.', '-', '–', ' '].contains(&letter));
    if !looks_like_time {
        return Ok(untimed);
    }
    let mut parts = inside.split(['-', '–']).map(parse_time);
    let start = parts.next().transpose()?;
    let end = parts.next().transpose()?;
    if parts.next().is_some() {
        return Err(format!("\"{inside}\" holds more than a start and an end"));
    }
    Ok((start, end, rest.trim_start()))
}

/// A time such as `01:02.5` or `1:00:00`, in milliseconds.
fn parse_time(text: &str) -> Result<u64, String> {
    let fault = || format!("\"{}\" is not a time such as 01:02.500", text.trim());
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
    let fields: Vec<u64> = whole.split(':').map(parse_digits).collect::<Option<_>>().ok_or_else(fault)?;
    let (hours, minutes, seconds) = match fields[..] {
        [minutes, seconds] => (0, minutes, seconds),
        [hours, minutes, seconds] if minutes < 60 => (hours, minutes, seconds),
        _ => return Err(fault()),
    };
    if seconds >= 60 || fraction.len() > 3 {
        return Err(fault());
    }
    let milliseconds = parse_digits(&format!("{fraction:0<3}")).ok_or_else(fault)?;
    Ok(((hours * 60 + minutes) * 60 + seconds) * 1_000 + milliseconds)
}

/// A number of at most six digits and nothing else; so many minutes are two years, and no sum of them overflows.
fn parse_digits(text: &str) -> Option<u64> {
    let is_number = (1..=6).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// Takes the speaker off the front of a line.
fn take_speaker(content: &str) -> (Option<&'static str>, &str) {
    // A colon in Chinese text is often the full-width one.
    content
        .split_once([':', '：'])
        .and_then(|(name, text)| Some((Some(named_speaker(&name.trim().to_lowercase())?), text)))
        .unwrap_or((None, content))
}

fn named_speaker(name: &str) -> Option<&'static str> {
    SPEAKERS.iter().find(|(written, _)| *written == name).map(|(_, speaker)| *speaker)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(start_ms: Option<u64>, end_ms: Option<u64>, speaker: Option<&str>, text: &str) -> TranscriptLine {
        TranscriptLine { start_ms, end_ms, speaker: speaker.map(str::to_owned), text: text.to_owned() }
    }

    fn parse(text: &str) -> Vec<TranscriptLine> {
        parse_transcript(text.as_bytes(), &MediaLimits::default()).unwrap()
    }

    fn code(bytes: &[u8], limits: &MediaLimits) -> &'static str {
        parse_transcript(bytes, limits).unwrap_err().code()
    }

    #[test]
    fn plain_lines_are_read() {
        let text = "\u{feff}[00:01.500] Customer: where is it?\r\n\r\n[00:04 - 01:06.25] agent: wait: a moment\n\
                    just words\n[1:00:00] customer: an hour\n[laughs] well\nnote: this is text\n客户：退款还没到\n\
                    customer:\n客服: 好的";
        assert_eq!(
            parse(text),
            [
                line(Some(1_500), None, Some("customer"), "where is it?"),
                line(Some(4_000), Some(66_250), Some("agent"), "wait: a moment"),
                line(None, None, None, "just words"),
                line(Some(3_600_000), None, Some("customer"), "an hour"),
                line(None, None, None, "[laughs] well"),
                line(None, None, None, "note: this is text"),
                line(None, None, Some("customer"), "退款还没到"),
                line(None, None, Some("agent"), "好的"),
            ]
        );
    }

    #[test]
    fn json_lines_are_read() {
        let text = "{\"start_ms\": 5, \"end_ms\": 9, \"speaker\": \" Agent \", \"text\": \" hello \"}\n\n\
                    {\"text\": \"only words\"}\n{\"speaker\": \"Interpreter\", \"text\": \"well\"}\n{\"text\": \" \"}";
        let lines = parse(text);
        assert_eq!(
            lines,
            [
                line(Some(5), Some(9), Some("agent"), "hello"),
                line(None, None, None, "only words"),
                line(None, None, Some("interpreter"), "well"),
            ]
        );
        let customers: Vec<bool> = lines.iter().map(TranscriptLine::is_customer).collect();
        assert_eq!(customers, [false, true, false]);
    }

    #[test]
    fn what_is_written_can_be_read_again() {
        let before = line(Some(5), None, Some("customer"), "hello \"you\"");
        let text = serde_json::to_string(&before).unwrap();
        assert!(!text.contains("end_ms"));
        assert_eq!(parse(&text), [before]);
    }

    #[test]
    fn bad_lines_are_named_by_their_number() {
        for text in [
            "fine\n[00:61.000] a minute has sixty seconds",
            "fine\n[00:01.0000] too exact",
            "fine\n[1:60:00] an hour has sixty minutes",
            "fine\n[00:05 - 00:04] backwards",
            "fine\n[00:01 - 00:02 - 00:03] three",
            "fine\n[:] nothing",
            "fine\n[9999999:00] forever",
            "{\"text\": \"fine\"}\n{\"text\": \"unknown\", \"mood\": 1}",
            "{\"text\": \"fine\"}\nno json",
            "{\"text\": \"fine\"}\n{\"end_ms\": 5, \"text\": \"no start\"}",
            "{\"text\": \"fine\"}\n{\"start_ms\": -5, \"text\": \"before the call\"}",
        ] {
            let error = parse_transcript(text.as_bytes(), &MediaLimits::default()).unwrap_err();
            assert!(matches!(error, MediaError::Line { line: 2, .. }), "{text}: {error}");
        }
    }

    #[test]
    fn limits_hold() {
        let limits = MediaLimits {
            max_transcript_bytes: 40,
            max_transcript_lines: 2,
            max_line_characters: 5,
            ..MediaLimits::default()
        };
        assert_eq!(parse_transcript("退款还没到\nab".as_bytes(), &limits).unwrap().len(), 2);
        assert_eq!(code(b"abcdef", &limits), "transcript_line_too_long");
        assert_eq!(code(b"a\nb\nc", &limits), "transcript_too_many_lines");
        assert_eq!(code(&[b'\n'; 41], &limits), "media_too_many_bytes");
        assert_eq!(code(b"ab\xff", &limits), "transcript_not_utf8");
        assert_eq!(code(b" \n\n", &limits), "media_empty");
        assert_eq!(code(b"", &limits), "media_empty");
    }
}
