//! Audio in containers, decoded by symphonia under this room's limits: WAV, FLAC, MP3, Ogg Vorbis, AAC and M4A.

use std::io::{Cursor, ErrorKind};

use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::well_known::{FORMAT_ID_FLAC, FORMAT_ID_ISOMP4, FORMAT_ID_OGG, FORMAT_ID_WAVE};
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::default::{get_codecs, get_probe};

use super::downmix::{Downmix, check_signal};
use super::fence::fenced;
use super::{Audio, MediaError, MediaLimits, sniff};

/// One packet in this many may be damaged.
const DAMAGED_SHARE: u64 = 20;
/// Damage is not judged before this many bad packets: a stream cut out of a longer one opens with a few.
const DAMAGED_GRACE: u64 = 2;
/// A declared length may exceed the decoded one by this many milliseconds: encoders round up to their packets.
const LENGTH_TOLERANCE_MS: u64 = 200;

/// Decodes the first audio track of a container.
pub(super) fn decode(bytes: &[u8], limits: &MediaLimits) -> Result<Audio, MediaError> {
    let Some(media) = sniff::audio(bytes) else {
        return Err(MediaError::UnknownFormat {
            what: "audio",
            expected: "WAV, FLAC, MP3, Ogg Vorbis, AAC or M4A",
        });
    };
    if sniff::mp4_is_cut_off(media) {
        return Err(MediaError::Truncated("one of its boxes ends beyond the file".to_owned()));
    }
    // The parsers want to own what they read, and their state must not outlive a panic: a copy of at most
    // max_audio_bytes serves both.
    let media = media.to_vec();
    fenced(|| Session::open(media, limits)?.run())
}

/// One container being decoded.
struct Session<'a> {
    reader: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    limits: &'a MediaLimits,
    track_id: u32,
    /// The frames that the container states, where its kind of container knows.
    stated_frames: Option<u64>,
    /// Frames a tick of the track's clock.
    frames_per_tick: f64,
    /// What packets may still cost; damaged tables can make one byte part of millions of packets.
    budget: u64,
    packets: u64,
    damaged: u64,
}

impl<'a> Session<'a> {
    fn open(bytes: Vec<u8>, limits: &'a MediaLimits) -> Result<Self, MediaError> {
        let budget = 2 * bytes.len() as u64 + (1 << 16);
        let stream =
            MediaSourceStream::new(Box::new(Cursor::new(bytes)), MediaSourceStreamOptions::default());
        let reader = get_probe()
            .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(explain)?;
        let track = reader
            .default_track(TrackType::Audio)
            .ok_or_else(|| MediaError::Unsupported("there is no audio track".to_owned()))?;
        let parameters = track
            .codec_params
            .as_ref()
            .and_then(|parameters| parameters.audio())
            .ok_or_else(|| MediaError::Unsupported("there is no audio track".to_owned()))?;
        let stated_frames = check_declared(&*reader, track, parameters, limits)?;
        let decoder =
            get_codecs().make_audio_decoder(parameters, &AudioDecoderOptions::default()).map_err(explain)?;
        let rate = f64::from(parameters.sample_rate.unwrap_or(0));
        let frames_per_tick = track
            .time_base
            .map_or(0.0, |base| rate * f64::from(base.numer.get()) / f64::from(base.denom.get()));
        let track_id = track.id;
        Ok(Self {
            reader,
            decoder,
            limits,
            track_id,
            stated_frames,
            frames_per_tick,
            budget,
            packets: 0,
            damaged: 0,
        })
    }

    fn run(mut self) -> Result<Audio, MediaError> {
        let mut downmix = None;
        let mut samples = Vec::new();
        loop {
            let packet = match self.reader.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => break,
                // The stream ends within a packet; whether that matters is decided at the end.
                Err(Error::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(explain(error)),
            };
            self.pay(&packet)?;
            if packet.track_id == self.track_id {
                self.take(&packet, &mut downmix, &mut samples)?;
            }
        }
        let Some(downmix) = downmix else {
            let reason = "it holds not one packet that can be decoded".to_owned();
            return Err(if self.damaged > 0 {
                MediaError::Damaged(reason)
            } else if self.stated_frames == Some(0) {
                MediaError::Empty { what: "audio" }
            } else {
                MediaError::Truncated(reason)
            });
        };
        self.judge_damage(0)?;
        self.judge_length(&downmix)?;
        downmix.finish()
    }

    fn pay(&mut self, packet: &Packet) -> Result<(), MediaError> {
        let cost = packet.data.len() as u64 + 1;
        self.budget = self
            .budget
            .checked_sub(cost)
            .ok_or_else(|| MediaError::Damaged("its packets overlap each other".to_owned()))?;
        Ok(())
    }

    fn take(
        &mut self,
        packet: &Packet,
        downmix: &mut Option<Downmix>,
        samples: &mut Vec<f32>,
    ) -> Result<(), MediaError> {
        self.packets += 1;
        match self.decoder.decode(packet) {
            Ok(buffer) => {
                let downmix = match downmix {
                    Some(downmix) => downmix,
                    None => downmix.insert(start(&buffer, self.limits)?),
                };
                let found = (buffer.spec().rate(), buffer.spec().channels().count());
                if found != downmix.signal() {
                    let reason = "the sample rate or the channels change midway".to_owned();
                    return Err(MediaError::Unsupported(reason));
                }
                samples.clear();
                buffer.copy_to_vec_interleaved(samples);
                downmix.push(samples)
            }
            Err(Error::DecodeError(_) | Error::IoError(_)) => {
                self.damaged += 1;
                self.judge_damage(DAMAGED_GRACE)?;
                match downmix {
                    Some(downmix) => downmix.push_silence(self.frames_of(packet, downmix)),
                    None => Ok(()),
                }
            }
            Err(error) => Err(explain(error)),
        }
    }

    /// How many frames a packet that cannot be decoded would have held; at most a second, whatever it claims.
    fn frames_of(&self, packet: &Packet, downmix: &Downmix) -> u64 {
        let frames = packet.dur.get() as f64 * self.frames_per_tick;
        (frames as u64).min(u64::from(downmix.signal().0))
    }

    fn judge_damage(&self, grace: u64) -> Result<(), MediaError> {
        if self.damaged > grace && self.damaged * DAMAGED_SHARE > self.packets {
            let reason = format!("{} of {} packets cannot be decoded", self.damaged, self.packets);
            return Err(MediaError::Damaged(reason));
        }
        Ok(())
    }

    fn judge_length(&self, downmix: &Downmix) -> Result<(), MediaError> {
        let format = self.reader.format_info().format;
        let states_its_length = [FORMAT_ID_WAVE, FORMAT_ID_FLAC, FORMAT_ID_ISOMP4].contains(&format);
        let Some(stated) = self.stated_frames.filter(|_| states_its_length) else { return Ok(()) };
        let rate = u64::from(downmix.signal().0);
        let tolerance = LENGTH_TOLERANCE_MS * rate / 1_000;
        if stated > downmix.frames() + tolerance {
            return Err(MediaError::Truncated(format!(
                "it states {} ms of audio and holds {} ms",
                stated * 1_000 / rate,
                downmix.frames() * 1_000 / rate
            )));
        }
        Ok(())
    }
}

/// Checks what the container says of the track before anything is allocated for it. Gives the stated frames.
fn check_declared(
    reader: &dyn FormatReader,
    track: &Track,
    parameters: &AudioCodecParameters,
    limits: &MediaLimits,
) -> Result<Option<u64>, MediaError> {
    let channels = parameters.channels.as_ref().map(|channels| channels.count());
    let rate = parameters.sample_rate;
    check_signal(rate.unwrap_or(limits.min_sample_rate_hz.max(1)), channels.unwrap_or(1), limits)?;
    // The lengths of MP3 and ADTS are guessed from the first packets, and a guess is no reason to refuse.
    let format = reader.format_info().format;
    let states = [FORMAT_ID_WAVE, FORMAT_ID_FLAC, FORMAT_ID_ISOMP4, FORMAT_ID_OGG].contains(&format);
    let frames = track.num_frames.filter(|_| states);
    if let (Some(frames), Some(rate)) = (frames, rate) {
        let found_seconds = frames.div_ceil(u64::from(rate.max(1)));
        if found_seconds > u64::from(limits.max_audio_seconds) {
            return Err(MediaError::TooLong { limit_seconds: limits.max_audio_seconds, found_seconds });
        }
    }
    Ok(frames)
}

fn start(buffer: &GenericAudioBufferRef<'_>, limits: &MediaLimits) -> Result<Downmix, MediaError> {
    Downmix::new(buffer.spec().rate(), buffer.spec().channels().count(), limits)
}

/// Names what a parser met, once the format itself was recognised.
fn explain(error: Error) -> MediaError {
    match error {
        Error::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            MediaError::Truncated("it ends within its header or its tables".to_owned())
        }
        Error::IoError(error) => MediaError::Damaged(error.to_string()),
        Error::Unsupported(reason) => MediaError::Unsupported(reason.to_owned()),
        Error::ResetRequired => MediaError::Unsupported("it is several streams in a row".to_owned()),
        Error::DecodeError(reason) | Error::LimitError(reason) => MediaError::Damaged(reason.to_owned()),
        error => MediaError::Damaged(error.to_string()),
    }
}
