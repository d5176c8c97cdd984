//! Streams the sample call in real time and prints the customer's state and the leading agent as they change.
//!
//! ```sh
//! heartline serve &
//! cargo run --release -p heartline-client --example stream_call -- ws://127.0.0.1:8080 samples/call samples/agents.json
//! ```
//!
//! The folder holds `speech.flac` (or another audio file that it names), pictures in `frames` named after their media
//! time (`1500ms.jpg`), and `transcript.txt` with lines such as `[00:03.600 - 00:06.100] customer: words`.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use heartline_client::{
    AudioFormat, Client, Consent, Event, Role, Sender, Session, SessionOptions, TextPart, Track,
};
use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use tokio::time::Instant;

/// How much sound goes into one message, in milliseconds.
const PIECE_MS: u64 = 100;

/// The numbers of the tracks.
const VOICE: u8 = 0;
const CAMERA: u8 = 1;
const CUSTOMER_WORDS: u8 = 2;
const AGENT_WORDS: u8 = 3;

/// Something of the call that is sent at its time.
enum Piece {
    Sound(Vec<u8>),
    Frame(Vec<u8>),
    Words(TextPart),
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().unwrap_or_else(|| "ws://127.0.0.1:8080".to_owned());
    let folder = arguments.next().unwrap_or_else(|| "samples/call".to_owned());
    let agents = arguments.next().unwrap_or_else(|| "samples/agents.json".to_owned());
    let (samples, sample_rate_hz) = read_audio(&Path::new(&folder).join("speech.flac"))?;
    let call = read_call(Path::new(&folder), &samples, sample_rate_hz)?;

    let options = SessionOptions {
        call_id: Some("sample".to_owned()),
        consent: Consent::NoticeGiven,
        tracks: vec![
            Track::audio("voice", AudioFormat::PcmS16le { sample_rate_hz, channels: 1 }),
            Track::video("camera"),
            Track::text("customer", Role::Customer),
            Track::text("agent", Role::Agent),
        ],
        agents: Some(serde_json::from_str(&std::fs::read_to_string(agents)?)?),
        ..SessionOptions::default()
    };
    let mut client = Client::new(&server);
    if let Ok(key) = std::env::var("HEARTLINE_KEY") {
        client = client.key(&key);
    }
    let mut session = client.open(options).await?;
    println!("session {}", session.id());
    let mut sending = tokio::spawn(send(session.sender(), call));
    loop {
        tokio::select! {
            sent = &mut sending => {
                sent??;
                break;
            }
            envelope = session.next_event() => match envelope {
                Some(envelope) => show(&envelope.event),
                None => return Err(session.failure().map_or_else(|| "the session ended early".into(), Box::from)),
            },
        }
    }
    finish(session).await
}

/// Sends every piece when its media time has come.
async fn send(sender: Sender, call: Vec<(u64, Piece)>) -> Result<(), heartline_client::ClientError> {
    let begun = Instant::now();
    for (at_ms, piece) in call {
        tokio::time::sleep_until(begun + Duration::from_millis(at_ms)).await;
        match piece {
            Piece::Sound(bytes) => sender.send_audio(VOICE, Some(at_ms), bytes).await?,
            Piece::Frame(file) => sender.send_frame(CAMERA, Some(at_ms), file).await?,
            Piece::Words(part) => sender.send_text(&part).await?,
        }
    }
    Ok(())
}

/// Prints what is worth a line.
fn show(event: &Event) {
    match event {
        Event::Emotion(now) => {
            let emotion = &now.emotion;
            let (category, probability) = emotion.top_category();
            let trust = emotion.trust.abstain.as_ref().map_or("", |_| "  (too little to say)");
            println!(
                "{:6.1} s  {category:?} {probability:.2}  valence {:+.2}  arousal {:+.2}  frustration {:.2}{trust}",
                emotion.at_ms as f64 / 1_000.0,
                emotion.valence,
                emotion.arousal,
                emotion.frustration
            );
        }
        Event::Ranking(now) => {
            let leaders: Vec<_> =
                now.ranking.entries.iter().take(3).map(|entry| entry.agent_id.as_str()).collect();
            println!("{:6.1} s  ranking: {}", now.at_ms as f64 / 1_000.0, leaders.join(", "));
        }
        Event::Notice(notice) => println!("          notice: {}", notice.message),
        Event::Error(fault) => println!("          error: {}", fault.message),
        _ => {}
    }
}

async fn finish(session: Session) -> Result<(), Box<dyn Error>> {
    let summary = session.close().await?;
    let (category, _) = summary.emotion.top_category();
    println!("ended after {} ms: {category:?}. {}", summary.duration_ms, summary.explanation.summary);
    if let Some(worst) = summary.emotion.trend.worst {
        println!("worst moment at {} ms: {:?}", worst.at_ms, worst.category);
    }
    Ok(())
}

/// The whole call in the order of its media time.
fn read_call(
    folder: &Path,
    samples: &[i16],
    sample_rate_hz: u32,
) -> Result<Vec<(u64, Piece)>, Box<dyn Error>> {
    let piece_samples = (u64::from(sample_rate_hz) * PIECE_MS / 1_000) as usize;
    let mut call: Vec<(u64, Piece)> = samples
        .chunks(piece_samples.max(1))
        .zip(0_u64..)
        .map(|(piece, index)| {
            let bytes = piece.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            (index * PIECE_MS, Piece::Sound(bytes))
        })
        .collect();
    for entry in std::fs::read_dir(folder.join("frames"))? {
        let path = entry?.path();
        let time = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.strip_suffix("ms"));
        if let Some(at_ms) = time.and_then(|time| time.parse().ok()) {
            call.push((at_ms, Piece::Frame(std::fs::read(&path)?)));
        }
    }
    for line in std::fs::read_to_string(folder.join("transcript.txt"))?.lines() {
        if let Some(part) = words(line) {
            // Words are known when they have been said.
            call.push((part.end_ms.unwrap_or_default(), Piece::Words(part)));
        }
    }
    call.sort_by_key(|(at_ms, _)| *at_ms);
    Ok(call)
}

/// A line of a transcript: `[00:03.600 - 00:06.100] customer: words`.
fn words(line: &str) -> Option<TextPart> {
    let (times, rest) = line.strip_prefix('[')?.split_once(']')?;
    let (start, end) = times.split_once('-')?;
    let (speaker, text) = rest.split_once(':')?;
    let track = if speaker.trim() == "agent" { AGENT_WORDS } else { CUSTOMER_WORDS };
    let (start_ms, end_ms) = (Some(milliseconds(start)?), Some(milliseconds(end)?));
    Some(TextPart { track, start_ms, end_ms, text: text.trim().to_owned(), is_final: true })
}

/// A time such as `00:03.600`, in milliseconds.
fn milliseconds(time: &str) -> Option<u64> {
    let (minutes, seconds) = time.trim().split_once(':')?;
    let seconds: f64 = seconds.parse().ok()?;
    Some(minutes.parse::<u64>().ok()? * 60_000 + (seconds * 1_000.0).round() as u64)
}

/// The first channel of an audio file as 16-bit samples, and its rate.
fn read_audio(path: &Path) -> Result<(Vec<i16>, u32), Box<dyn Error>> {
    let stream = MediaSourceStream::new(Box::new(File::open(path)?), Default::default());
    let mut reader = symphonia::default::get_probe().probe(
        &Hint::new(),
        stream,
        FormatOptions::default(),
        MetadataOptions::default(),
    )?;
    let track = reader.default_track(TrackType::Audio).ok_or("the file has no audio")?;
    let parameters =
        track.codec_params.as_ref().and_then(|parameters| parameters.audio()).ok_or("no parameters")?;
    let rate = parameters.sample_rate.ok_or("the file does not say its sample rate")?;
    let mut decoder =
        symphonia::default::get_codecs().make_audio_decoder(parameters, &AudioDecoderOptions::default())?;
    let mut samples = Vec::new();
    let mut block: Vec<i16> = Vec::new();
    while let Some(packet) = reader.next_packet()? {
        let decoded: GenericAudioBufferRef<'_> = decoder.decode(&packet)?;
        let channels = decoded.spec().channels().count();
        decoded.copy_to_vec_interleaved(&mut block);
        samples.extend(block.iter().step_by(channels.max(1)));
    }
    Ok((samples, rate))
}
