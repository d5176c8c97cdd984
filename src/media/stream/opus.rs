//! A stream of Opus packets (RFC 6716).
//!
//! The decoder makes 16 kHz itself: it leaves out the bands above 8 kHz before it transforms, which is exact, costs a
//! third of decoding at 48 kHz and needs no filter that waits.

use opus_decoder::OpusDecoder;

use crate::media::downmix::Downmix;
use crate::media::fence::fenced;
use crate::media::{MediaError, MediaLimits, SAMPLE_RATE_HZ};

/// The most channels a packet has.
const MAX_CHANNELS: u16 = 2;
/// The longest packet: 120 ms.
const MAX_PACKET_SAMPLES: usize = 1_920;
/// What a packet that says nothing of its length is taken for: 20 ms, what everybody sends.
const USUAL_PACKET_SAMPLES: usize = 320;
/// A guess at what was said helps over this much; after it comes silence. 100 ms.
const MAX_CONCEALED_SAMPLES: usize = 1_600;
/// Packets up to this many bytes only say that nothing is sent (discontinuous transmission).
const MAX_IDLE_BYTES: usize = 2;

/// Opus packets on their way to one channel at 16 kHz.
pub(super) struct OpusStream {
    channels: usize,
    decoder: OpusDecoder,
    downmix: Downmix,
    /// What the decoder writes, channels interleaved.
    decoded: Vec<f32>,
    damaged_packets: u64,
    /// How much was concealed since the last good packet, in samples of one channel.
    concealed: usize,
}

impl OpusStream {
    pub(super) fn new(channels: u16, limits: &MediaLimits) -> Result<Self, MediaError> {
        if channels > MAX_CHANNELS {
            return Err(MediaError::TooManyChannels { limit: MAX_CHANNELS, found: usize::from(channels) });
        }
        let channels = usize::from(channels);
        let downmix = Downmix::endless(SAMPLE_RATE_HZ, channels, limits)?;
        let decoder = decoder(channels)?;
        let decoded = vec![0.0; MAX_PACKET_SAMPLES * channels];
        Ok(Self { channels, decoder, downmix, decoded, damaged_packets: 0, concealed: 0 })
    }

    pub(super) fn push(&mut self, packet: &[u8], out: &mut Vec<f32>) -> Result<(), MediaError> {
        if let Ok(samples) = self.decode(packet) {
            self.concealed = 0;
            return self.give(samples, out);
        }
        if packet.len() > MAX_IDLE_BYTES {
            self.damaged_packets += 1;
        }
        self.conceal(samples_of(packet).unwrap_or(USUAL_PACKET_SAMPLES), out)
    }

    pub(super) fn lose(&mut self, duration_ms: u64, out: &mut Vec<f32>) -> Result<(), MediaError> {
        self.conceal((duration_ms * u64::from(SAMPLE_RATE_HZ) / 1_000) as usize, out)
    }

    pub(super) fn damaged_packets(&self) -> u64 {
        self.damaged_packets
    }

    /// Continues what was heard for a moment, then falls silent; exactly this many samples.
    fn conceal(&mut self, mut samples: usize, out: &mut Vec<f32>) -> Result<(), MediaError> {
        while samples > 0 && self.concealed < MAX_CONCEALED_SAMPLES {
            let Ok(made @ 1..) = self.decode(&[]) else { break };
            let made = made.min(samples);
            self.give(made, out)?;
            self.concealed += made;
            samples -= made;
        }
        out.resize(out.len() + samples, 0.0);
        Ok(())
    }

    /// Decodes a packet, or guesses one where it is empty. Gives the samples of each channel.
    fn decode(&mut self, packet: &[u8]) -> Result<usize, MediaError> {
        let (decoder, decoded) = (&mut self.decoder, &mut self.decoded);
        let found = fenced(|| {
            decoder
                .decode_float(packet, decoded, false)
                .map_err(|error| MediaError::Damaged(error.to_string()))
        });
        if found.is_err() {
            // What a packet left half done, be it by a panic, must not be heard in the next one.
            self.decoder = self::decoder(self.channels)?;
        }
        found.map(|samples| samples.min(MAX_PACKET_SAMPLES))
    }

    fn give(&mut self, samples: usize, out: &mut Vec<f32>) -> Result<(), MediaError> {
        self.downmix.push(&self.decoded[..samples * self.channels])?;
        self.downmix.take(out);
        Ok(())
    }
}

fn decoder(channels: usize) -> Result<OpusDecoder, MediaError> {
    OpusDecoder::new(SAMPLE_RATE_HZ, channels).map_err(|error| MediaError::Unsupported(error.to_string()))
}

/// The length that a packet states in its first bytes, in samples of one channel at 16 kHz; none where it states
/// none or one that is not allowed.
fn samples_of(packet: &[u8]) -> Option<usize> {
    let (first, rest) = packet.split_first()?;
    let size = usize::from(first >> 3 & 0x03);
    let frame = match first >> 3 {
        // Speech: 10, 20, 40 or 60 ms.
        0..12 if size == 3 => 960,
        0..12 => 160 << size,
        // Both: 10 or 20 ms.
        12..16 => 160 << (size & 1),
        // Music: 2.5, 5, 10 or 20 ms.
        _ => 40 << size,
    };
    let frames = match first & 0x03 {
        0 => 1,
        1 | 2 => 2,
        _ => usize::from(rest.first()? & 0x3f),
    };
    Some(frame * frames).filter(|samples| (1..=MAX_PACKET_SAMPLES).contains(samples))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::collection::vec;
    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
    use ruopus::OpusEncoder;

    use super::*;
    use crate::media::read_audio;

    /// The beginning of the sample call at 16 kHz.
    fn speech() -> Vec<f32> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/call/speech.flac");
        let mut samples = read_audio(&path, &MediaLimits::default()).unwrap().samples;
        samples.truncate(4 * 16_000);
        samples
    }

    /// Packets of 20 ms of it, at 48 kHz by straight lines.
    fn packets(speech: &[f32], channels: usize) -> Vec<Vec<u8>> {
        let at = |index: usize| speech.get(index).copied().unwrap_or(0.0);
        let wide: Vec<f32> = (0..speech.len() * 3)
            .flat_map(|index| {
                let share = (index % 3) as f32 / 3.0;
                let sample = at(index / 3) * (1.0 - share) + at(index / 3 + 1) * share;
                std::iter::repeat_n(sample, channels)
            })
            .collect();
        let mut encoder = OpusEncoder::new(channels);
        wide.chunks_exact(960 * channels).map(|frame| encoder.encode_auto(frame, 160).unwrap()).collect()
    }

    fn stream(channels: u16) -> OpusStream {
        OpusStream::new(channels, &MediaLimits::default()).unwrap()
    }

    /// The best correlation over delays up to 20 ms.
    fn likeness(left: &[f32], right: &[f32]) -> f32 {
        let correlation = |delay: usize| {
            let pairs = || left.iter().zip(&right[delay..]);
            let dot: f32 = pairs().map(|(left, right)| left * right).sum();
            let energies: (f32, f32) =
                pairs().fold((0.0, 0.0), |sum, (left, right)| (sum.0 + left * left, sum.1 + right * right));
            dot / (energies.0 * energies.1).sqrt().max(f32::MIN_POSITIVE)
        };
        (0..320).map(correlation).fold(-1.0, f32::max)
    }

    #[test]
    fn speech_comes_out_as_it_went_in() {
        let speech = speech();
        for channels in [1, 2] {
            let mut stream = stream(channels);
            let mut out = Vec::new();
            for packet in packets(&speech, usize::from(channels)) {
                stream.push(&packet, &mut out).unwrap();
            }
            assert_eq!((out.len(), stream.damaged_packets()), (speech.len(), 0));
            let likeness = likeness(&speech, &out);
            assert!(likeness > 0.95, "{channels} channels: {likeness}");
        }
    }

    #[test]
    fn a_bad_packet_costs_its_own_time_only() {
        let speech = speech();
        let mut stream = stream(1);
        let mut out = Vec::new();
        let packets = packets(&speech, 1);
        let mut damaged = 0;
        for (index, packet) in packets.iter().enumerate() {
            if index % 20 == 10 {
                // One frame, and more padding than there are bytes.
                stream.push(&[packet[0] | 0x03, 0x41, 0xfe], &mut out).unwrap();
                damaged += 1;
            } else {
                stream.push(packet, &mut out).unwrap();
            }
        }
        assert_eq!((out.len(), stream.damaged_packets()), (speech.len(), damaged));
        let likeness = likeness(&speech, &out);
        assert!(likeness > 0.8, "{likeness}");
    }

    #[test]
    fn losses_are_filled_and_soon_fall_silent() {
        let speech = speech();
        let mut stream = stream(1);
        let mut out = Vec::new();
        stream.lose(30, &mut out).unwrap();
        assert_eq!(out, [0.0; 480], "nothing was heard that could be continued");
        for packet in packets(&speech, 1).iter().take(60) {
            stream.push(packet, &mut out).unwrap();
        }
        let before = out.len();
        stream.lose(1_013, &mut out).unwrap();
        assert_eq!(out.len() - before, 1_013 * 16);
        assert!(out[before + MAX_CONCEALED_SAMPLES..].iter().all(|sample| *sample == 0.0));
    }

    #[test]
    fn lengths_are_read_from_the_first_bytes() {
        for (packet, expected) in [
            (&[0b0000_0000_u8][..], Some(160)),
            (&[0b0001_1000], Some(960)),
            (&[0b0110_1000], Some(320)),
            (&[0b1000_0000], Some(40)),
            (&[0b1111_1001, 1, 2], Some(640)),
            (&[0b1111_1011, 0x86], Some(1_920)),
            (&[0b1111_1011, 0x87], None),
            (&[0b1111_1011, 0x80], None),
            (&[0b1111_1011], None),
            (&[], None),
        ] {
            assert_eq!(samples_of(packet), expected, "{packet:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_packet_ends_the_stream(
            channels in 1_u16..=2,
            noise in vec(vec(any::<u8>(), 1..200), 1..30),
        ) {
            let good = packets(&speech()[..16_000], usize::from(channels));
            let mut stream = stream(channels);
            let mut out = Vec::new();
            for (bad, good) in noise.iter().zip(&good) {
                for packet in [bad, good] {
                    let before = out.len();
                    stream.push(packet, &mut out).unwrap();
                    let expected = samples_of(packet).unwrap_or(USUAL_PACKET_SAMPLES);
                    prop_assert_eq!(out.len() - before, expected);
                }
            }
            prop_assert!(out.iter().all(|sample| (-1.0..=1.0).contains(sample)));
        }
    }
}
