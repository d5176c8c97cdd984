//! Transcripts on their way into an analysis: an empty one is a normal state, a broken one an error.

use serde_json::Value;

use super::AppError;
use crate::media::{MediaError, MediaLimits, TranscriptLine, parse_transcript};

/// Reads a transcript as it lies in a file: plain lines, or one JSON object a line.
///
/// # Errors
/// [`AppError::Transcript`] with the line that is wrong.
pub fn transcript_from_bytes(bytes: &[u8], limits: &MediaLimits) -> Result<Vec<TranscriptLine>, AppError> {
    match parse_transcript(bytes, limits) {
        Err(MediaError::Empty { .. }) => Ok(Vec::new()),
        result => result.map_err(AppError::Transcript),
    }
}

/// Reads a transcript as it stands in a JSON body: a text as in a file, or a list of utterances.
///
/// # Errors
/// [`AppError::Transcript`] with the utterance that is wrong, counted from 1.
pub fn transcript_from_json(value: &Value, limits: &MediaLimits) -> Result<Vec<TranscriptLine>, AppError> {
    let utterances = match value {
        Value::String(text) => return transcript_from_bytes(text.as_bytes(), limits),
        Value::Array(utterances) => utterances,
        _ => {
            let reason = "a transcript is a text or a list of utterances".to_owned();
            return Err(AppError::Transcript(MediaError::Damaged(reason)));
        }
    };
    // One object a line is what the media room reads, so its checks hold for lists as well.
    let lines: Vec<String> = utterances.iter().map(one_line).collect();
    transcript_from_bytes(lines.join("\n").as_bytes(), limits)
}

/// An utterance as one line that is read as JSON, whatever it is.
fn one_line(utterance: &Value) -> String {
    match utterance {
        Value::Object(_) => utterance.to_string(),
        other => format!("{{\"text\": {other}}}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn from_json(value: &Value) -> Result<Vec<TranscriptLine>, AppError> {
        transcript_from_json(value, &MediaLimits::default())
    }

    #[test]
    fn empty_is_normal() {
        for bytes in [&b""[..], b" \n\n", b"{\"text\": \"  \"}"] {
            assert!(transcript_from_bytes(bytes, &MediaLimits::default()).unwrap().is_empty());
        }
        assert!(from_json(&json!([])).unwrap().is_empty());
        assert!(from_json(&json!("")).unwrap().is_empty());
    }

    #[test]
    fn lists_and_texts_are_taken() {
        let list = json!([{"start_ms": 5, "end_ms": 9, "speaker": "agent", "text": "hi"}, {"text": "hello"}]);
        let lines = from_json(&list).unwrap();
        assert_eq!((lines.len(), lines[0].is_customer(), lines[1].is_customer()), (2, false, true));
        assert_eq!(from_json(&json!("agent: hi\nhello")).unwrap().len(), 2);
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for value in [json!(5), json!({"text": "a"}), json!([5]), json!([{"words": "a"}]), json!([[1]])] {
            assert!(matches!(from_json(&value), Err(AppError::Transcript(_))), "{value}");
        }
        let backwards = json!([{"start_ms": 9, "end_ms": 8, "text": "a"}]);
        assert!(from_json(&backwards).is_err());
    }
}
