//! Streams of bytes of no meaning, in every format and cut anywhere: each push answers with a value, what comes out can
//! be heard, and speech is told in order.

use heartline::media::{AudioStream, MediaLimits, SpeechEvent, SpeechStream, StreamFormat, WindowConfig};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_oneof, proptest};

use crate::containers::ALL;

fn format() -> impl Strategy<Value = StreamFormat> {
    let rate = || {
        prop_oneof![
            any::<u32>(),
            4_000_u32..192_000,
            proptest::sample::select(&[8_000_u32, 16_000, 44_100, 48_000][..])
        ]
    };
    let signal = || (rate(), 0_u16..10);
    prop_oneof![
        signal().prop_map(|(sample_rate_hz, channels)| StreamFormat::PcmS16le { sample_rate_hz, channels }),
        signal().prop_map(|(sample_rate_hz, channels)| StreamFormat::PcmS16be { sample_rate_hz, channels }),
        signal().prop_map(|(sample_rate_hz, channels)| StreamFormat::MuLaw { sample_rate_hz, channels }),
        (0_u16..4).prop_map(|channels| StreamFormat::Opus { channels }),
        any::<bool>().prop_map(|_| StreamFormat::Container),
    ]
}

/// What a client may do.
#[derive(Debug, Clone)]
enum Step {
    Push(Vec<u8>),
    /// A whole file with one byte changed.
    File(usize, usize, u8),
    Lose(u64),
    Skip(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => vec(any::<u8>(), 0..600).prop_map(Step::Push),
        1 => (0..ALL.len(), any::<usize>(), any::<u8>()).prop_map(|(file, place, value)| Step::File(file, place, value)),
        1 => prop_oneof![0_u64..200, any::<u64>()].prop_map(Step::Lose),
        1 => prop_oneof![0_u64..20_000, any::<u64>()].prop_map(Step::Skip),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_stream_panics(format in format(), steps in vec(step(), 0..20)) {
        let limits = MediaLimits { max_chunk_seconds: 3, ..MediaLimits::default() };
        let Ok(mut stream) = AudioStream::new(format, &limits) else { return Ok(()) };
        let mut speech = SpeechStream::new(WindowConfig::default());
        let mut events = Vec::new();
        for step in steps {
            let mut samples = Vec::new();
            let result = match step {
                Step::Push(bytes) => stream.push(&bytes, &mut samples),
                Step::File(file, place, value) => {
                    let mut bytes = ALL[file].1.to_vec();
                    let place = place % bytes.len();
                    bytes[place] = value;
                    stream.push(&bytes, &mut samples)
                }
                Step::Lose(duration_ms) => stream.lost_packet(duration_ms, &mut samples),
                Step::Skip(at_ms) => {
                    events.extend(speech.skip_to(at_ms));
                    Ok(())
                }
            };
            prop_assert!(result.is_ok() || samples.len() <= 4 * 16_000);
            prop_assert!(samples.iter().all(|sample| (-1.0..=1.0).contains(sample)));
            events.extend(speech.push(&samples));
        }
        let mut samples = Vec::new();
        stream.finish(&mut samples).unwrap();
        events.extend(speech.push(&samples));
        events.extend(speech.finish());
        let mut is_open = false;
        for event in &events {
            match event {
                SpeechEvent::Started { .. } => prop_assert!(!std::mem::replace(&mut is_open, true)),
                SpeechEvent::Ended { start_ms, end_ms } => {
                    prop_assert!(std::mem::replace(&mut is_open, false) && start_ms <= end_ms);
                }
                SpeechEvent::Window(window) => prop_assert!(is_open && window.start_ms < window.end_ms),
            }
        }
        prop_assert!(!is_open);
    }
}
