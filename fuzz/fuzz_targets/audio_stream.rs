//! A stream of audio in pieces, of every format: the first byte chooses the format, the second how the rest is cut.
#![no_main]

use heartline::media::{AudioStream, MediaLimits, SpeechStream, StreamFormat, WindowConfig};
use libfuzzer_sys::fuzz_target;

fn format(choice: u8) -> StreamFormat {
    let channels = u16::from(choice >> 3 & 0x03);
    let sample_rate_hz = [4_000, 8_000, 11_025, 16_000, 44_100, 48_000, 96_000, 1][usize::from(choice >> 5)];
    match choice & 0x07 {
        0 => StreamFormat::PcmS16le { sample_rate_hz, channels },
        1 => StreamFormat::PcmS16be { sample_rate_hz, channels },
        2 => StreamFormat::MuLaw { sample_rate_hz, channels },
        3..=5 => StreamFormat::Opus { channels },
        _ => StreamFormat::Container,
    }
}

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (choice, piece, bytes) = input;
    let limits = MediaLimits { max_chunk_seconds: 2, ..MediaLimits::default() };
    let Ok(mut stream) = AudioStream::new(format(choice), &limits) else { return };
    let mut speech = SpeechStream::new(WindowConfig::default());
    let mut samples = Vec::new();
    for (index, piece) in bytes.chunks(usize::from(piece).max(1)).enumerate() {
        let _ = stream.push(piece, &mut samples);
        if index % 16 == 7 {
            let _ = stream.lost_packet(u64::from(piece[0]) * 10, &mut samples);
        }
        let _ = speech.push(&samples);
        if index % 64 == 63 {
            let _ = speech.skip_to(u64::from(piece[0]) << (index % 60));
        }
        assert!(samples.iter().all(|sample| (-1.0..=1.0).contains(sample)));
        samples.clear();
    }
    let _ = stream.finish(&mut samples);
    let _ = speech.finish();
});
