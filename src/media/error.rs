//! What can go wrong with media, one variant a failure. Which status code that becomes is chosen elsewhere.

use std::path::PathBuf;

/// An error of the media room. All but [`MediaError::Unreadable`] and [`MediaError::Resampling`] are faults of the
/// input, so of whoever sent it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// There is nothing in the input.
    #[error("the {what} is empty")]
    Empty {
        /// What is empty: `audio`, `image`, `transcript` or `folder of frames`.
        what: &'static str,
    },
    /// The encoded input is too large.
    #[error("{found} bytes are more than the limit of {limit}")]
    TooManyBytes {
        /// The limit, in bytes.
        limit: usize,
        /// What was found, in bytes; where reading stopped at the limit, one more than that.
        found: usize,
    },
    /// The audio is too long, by its own declaration or by what was decoded so far.
    #[error("audio of {found_seconds} seconds or more is longer than the limit of {limit_seconds}")]
    TooLong {
        /// The limit, in seconds.
        limit_seconds: u32,
        /// What was declared, or decoded before decoding stopped, in seconds.
        found_seconds: u64,
    },
    /// The audio has too many channels.
    #[error("{found} channels are more than the limit of {limit}")]
    TooManyChannels {
        /// The limit.
        limit: u16,
        /// What was found.
        found: usize,
    },
    /// The audio has no channel at all.
    #[error("the audio has no channels")]
    NoChannels,
    /// The sample rate is outside of what is taken.
    #[error("a sample rate of {found_hz} Hz is not between {minimum_hz} and {maximum_hz} Hz")]
    SampleRate {
        /// The lowest rate taken, in Hz.
        minimum_hz: u32,
        /// The highest rate taken, in Hz.
        maximum_hz: u32,
        /// What was found, in Hz.
        found_hz: u32,
    },
    /// One image, or all frames of a call together, have too many pixels.
    #[error("{found} pixels are more than the limit of {limit}")]
    TooManyPixels {
        /// The limit, in pixels.
        limit: u64,
        /// What was found, in pixels.
        found: u64,
    },
    /// One side of an image is too long.
    #[error("an image of {width} by {height} pixels has a side longer than the limit of {limit}")]
    TooWide {
        /// The limit, in pixels.
        limit: u32,
        /// The image's width, in pixels.
        width: u32,
        /// The image's height, in pixels.
        height: u32,
    },
    /// A call has too many frames.
    #[error("{found} frames are more than the limit of {limit}")]
    TooManyFrames {
        /// The limit.
        limit: usize,
        /// What was found.
        found: usize,
    },
    /// Some frames of a folder carry their time in their name and some do not.
    #[error("the name of frame {name} says no time, but others do; expected names such as 0500ms.jpg")]
    FrameName {
        /// The first name without a time.
        name: String,
    },
    /// One frame of a folder is not usable.
    #[error("frame {path} is not usable", path = path.display())]
    Frame {
        /// The frame's file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<MediaError>,
    },
    /// A transcript has too many lines.
    #[error("the transcript has more lines than the limit of {limit}")]
    TooManyLines {
        /// The limit.
        limit: usize,
    },
    /// A line of a transcript is too long.
    #[error("line {line} of the transcript has more characters than the limit of {limit}")]
    LineTooLong {
        /// The line, counted from 1.
        line: usize,
        /// The limit, in characters.
        limit: usize,
    },
    /// A line of a transcript cannot be understood.
    #[error("line {line} of the transcript is not valid: {reason}")]
    Line {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The transcript is not UTF-8.
    #[error("the transcript is not valid UTF-8 after {valid_bytes} bytes")]
    NotUtf8 {
        /// How many bytes at the front are valid.
        valid_bytes: usize,
    },
    /// The bytes are of no format that is known here.
    #[error("the {what} has an unknown format; expected {expected}")]
    UnknownFormat {
        /// What it was meant to be: `audio` or `image`.
        what: &'static str,
        /// The formats that are known.
        expected: &'static str,
    },
    /// The format is known, but this file uses a part of it that is not read here.
    #[error("the format is known, but not this use of it: {0}")]
    Unsupported(String),
    /// The input ends before what it promises.
    #[error("the input is cut off: {0}")]
    Truncated(String),
    /// The input contradicts itself or its format.
    #[error("the input is damaged: {0}")]
    Damaged(String),
    /// A file cannot be read.
    #[error("cannot read {path}", path = path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The resampler failed on audio that passed every check.
    #[error("the audio cannot be resampled: {0}")]
    Resampling(String),
}

impl MediaError {
    /// A stable name for programs. The code of a frame's error is the code of what is wrong with the frame.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty { .. } => "media_empty",
            Self::TooManyBytes { .. } => "media_too_many_bytes",
            Self::TooLong { .. } => "audio_too_long",
            Self::TooManyChannels { .. } => "audio_too_many_channels",
            Self::NoChannels => "audio_no_channels",
            Self::SampleRate { .. } => "audio_sample_rate",
            Self::TooManyPixels { .. } => "image_too_many_pixels",
            Self::TooWide { .. } => "image_too_wide",
            Self::TooManyFrames { .. } => "frames_too_many",
            Self::FrameName { .. } => "frames_name",
            Self::Frame { source, .. } => source.code(),
            Self::TooManyLines { .. } => "transcript_too_many_lines",
            Self::LineTooLong { .. } => "transcript_line_too_long",
            Self::Line { .. } => "transcript_line_invalid",
            Self::NotUtf8 { .. } => "transcript_not_utf8",
            Self::UnknownFormat { .. } => "media_unknown_format",
            Self::Unsupported(_) => "media_unsupported",
            Self::Truncated(_) => "media_truncated",
            Self::Damaged(_) => "media_damaged",
            Self::Unreadable { .. } => "media_unreadable",
            Self::Resampling(_) => "media_resampling",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_the_code_of_its_fault() {
        let source = Box::new(MediaError::Truncated("no end".to_owned()));
        let error = MediaError::Frame { path: PathBuf::from("a.jpg"), source };
        assert_eq!(error.code(), "media_truncated");
        assert!(error.to_string().contains("a.jpg"));
    }
}
