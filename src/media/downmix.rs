//! The one road from decoded samples to [`Audio`]: counts, checks, averages the channels and resamples.

use super::resample::Resampler;
use super::{Audio, MediaError, MediaLimits};

/// Takes interleaved samples block by block, so that a long call never lies in memory at its source rate.
pub(super) struct Downmix {
    sample_rate_hz: u32,
    channels: usize,
    /// None for a stream, which has no end of its own.
    limit_seconds: Option<u32>,
    frames: u64,
    mono: Vec<f32>,
    resampler: Resampler,
}

impl Downmix {
    /// Checks rate and channels against the limits.
    pub(super) fn new(
        sample_rate_hz: u32,
        channels: usize,
        limits: &MediaLimits,
    ) -> Result<Self, MediaError> {
        check_signal(sample_rate_hz, channels, limits)?;
        Ok(Self {
            sample_rate_hz,
            channels,
            limit_seconds: Some(limits.max_audio_seconds),
            frames: 0,
            mono: Vec::new(),
            resampler: Resampler::new(sample_rate_hz)?,
        })
    }

    /// The same for a stream: it may be of any length.
    pub(super) fn endless(
        sample_rate_hz: u32,
        channels: usize,
        limits: &MediaLimits,
    ) -> Result<Self, MediaError> {
        Ok(Self { limit_seconds: None, ..Self::new(sample_rate_hz, channels, limits)? })
    }

    /// How many frames (one sample of every channel) came so far.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// The rate and the channels that were promised.
    pub(super) fn signal(&self) -> (u32, usize) {
        (self.sample_rate_hz, self.channels)
    }

    /// Checks a declared length before anything of it is decoded.
    pub(super) fn expect_frames(&self, frames: u64) -> Result<(), MediaError> {
        self.limit_seconds.map_or(Ok(()), |limit| check_length(frames, self.sample_rate_hz, limit))
    }

    /// Takes interleaved samples; a whole number of frames.
    pub(super) fn push(&mut self, interleaved: &[f32]) -> Result<(), MediaError> {
        self.frames += (interleaved.len() / self.channels) as u64;
        self.expect_frames(self.frames)?;
        self.mono.clear();
        let scale = 1.0 / self.channels as f32;
        self.mono.extend(
            interleaved
                .chunks_exact(self.channels)
                .map(|frame| (frame.iter().sum::<f32>() * scale).clamp(-1.0, 1.0)),
        );
        // Floating-point files may hold anything, and one NaN would spread through every model.
        if self.mono.iter().any(|sample| sample.is_nan()) {
            return Err(MediaError::Damaged("a sample is not a number".to_owned()));
        }
        self.resampler.push(&self.mono)
    }

    /// Adds silence in place of frames that could not be decoded, so that time stays right.
    pub(super) fn push_silence(&mut self, frames: u64) -> Result<(), MediaError> {
        self.expect_frames(self.frames.saturating_add(frames))?;
        self.frames += frames;
        self.mono.clear();
        self.mono.resize(frames as usize, 0.0);
        self.resampler.push(&self.mono)
    }

    /// Moves what is made so far to the end of `out`.
    pub(super) fn take(&mut self, out: &mut Vec<f32>) {
        self.resampler.take(out);
    }

    /// Ends a stream: moves all that is still to come to the end of `out` and starts anew.
    pub(super) fn flush(&mut self, out: &mut Vec<f32>) -> Result<(), MediaError> {
        self.frames = 0;
        self.resampler.flush(out)
    }

    /// The audio.
    ///
    /// # Errors
    /// [`MediaError::Empty`] where nothing came.
    pub(super) fn finish(self) -> Result<Audio, MediaError> {
        if self.frames == 0 {
            return Err(MediaError::Empty { what: "audio" });
        }
        Ok(Audio {
            samples: self.resampler.finish()?,
            source_rate_hz: self.sample_rate_hz,
            source_channels: self.channels as u16,
        })
    }
}

/// Checks a rate and a number of channels, declared or found.
pub(super) fn check_signal(
    sample_rate_hz: u32,
    channels: usize,
    limits: &MediaLimits,
) -> Result<(), MediaError> {
    if channels == 0 {
        return Err(MediaError::NoChannels);
    }
    if channels > usize::from(limits.max_channels) {
        return Err(MediaError::TooManyChannels { limit: limits.max_channels, found: channels });
    }
    // A rate of zero would divide by zero further on, whatever the limits say.
    let minimum_hz = limits.min_sample_rate_hz.max(1);
    if (minimum_hz..=limits.max_sample_rate_hz).contains(&sample_rate_hz) {
        Ok(())
    } else {
        let maximum_hz = limits.max_sample_rate_hz;
        Err(MediaError::SampleRate { minimum_hz, maximum_hz, found_hz: sample_rate_hz })
    }
}

/// Checks a length against a limit.
pub(super) fn check_length(frames: u64, sample_rate_hz: u32, limit_seconds: u32) -> Result<(), MediaError> {
    if frames > u64::from(limit_seconds) * u64::from(sample_rate_hz) {
        let found_seconds = frames.div_ceil(u64::from(sample_rate_hz));
        return Err(MediaError::TooLong { limit_seconds, found_seconds });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_that_is_not_a_number_is_refused_and_a_loud_one_is_clamped() {
        let limits = MediaLimits::default();
        let mut downmix = Downmix::new(16_000, 1, &limits).unwrap();
        assert_eq!(downmix.push(&[0.0, f32::NAN]).unwrap_err().code(), "media_damaged");
        let mut downmix = Downmix::new(16_000, 2, &limits).unwrap();
        downmix.push(&[4.0, 4.0, f32::NEG_INFINITY, 0.0]).unwrap();
        assert_eq!(downmix.finish().unwrap().samples, [1.0, -1.0]);
    }

    #[test]
    fn an_endless_stream_is_stopped() {
        let limits = MediaLimits { max_audio_seconds: 2, ..MediaLimits::default() };
        let mut downmix = Downmix::new(8_000, 1, &limits).unwrap();
        let second = vec![0.0; 8_000];
        downmix.push(&second).unwrap();
        downmix.push(&second).unwrap();
        assert_eq!(downmix.push(&[0.0]).unwrap_err().code(), "audio_too_long");
        assert_eq!(downmix.push_silence(u64::MAX).unwrap_err().code(), "audio_too_long");
    }

    #[test]
    fn nothing_is_an_error() {
        let downmix = Downmix::new(8_000, 1, &MediaLimits::default()).unwrap();
        assert_eq!(downmix.finish().unwrap_err().code(), "media_empty");
    }
}
