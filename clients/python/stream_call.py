#!/usr/bin/env python3
"""Streams a call to a Heartline server in real time and prints what it reads.

Sound comes from a WAV file of 16-bit samples, pictures from a folder of JPEG, PNG or WebP files that are named after
their media time (0000ms.jpg, 1500ms.jpg), words from a text file with lines such as
"[00:03.600 - 00:06.100] customer: words". Each may be left out, but not all of them.

Needs Python 3.10 or later and the package "websockets":

    pip install websockets
    python stream_call.py --wav call.wav --frames samples/call/frames --agents samples/agents.json
"""

import argparse
import asyncio
import json
import os
import pathlib
import re
import struct
import sys
import time
import wave

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

AUDIO, FRAME = 1, 2
PIECE_MS = 100
LINE = re.compile(r"\[(\d+):([\d.]+)\s*-\s*(\d+):([\d.]+)\]\s*(\w+):\s*(.+)")


def media(kind, track, at_ms, content):
    """A binary message: kind, track, two zero bytes, the media time with the low byte first, the media."""
    return struct.pack("<BBHQ", kind, track, 0, at_ms) + content


def read_sound(path):
    """The format of a WAV file, and its pieces with their media times."""
    with wave.open(str(path)) as file:
        if file.getsampwidth() != 2:
            sys.exit(f"{path} does not hold 16-bit samples")
        rate, channels = file.getframerate(), file.getnchannels()
        length = max(1, rate * PIECE_MS // 1000)
        pieces, at = [], 0
        while content := file.readframes(length):
            pieces.append((at * 1000 // rate, content))
            at += length
    return {"encoding": "pcm_s16le", "sample_rate_hz": rate, "channels": channels}, pieces


def read_frames(folder):
    """The pictures of a folder with their media times."""
    frames = []
    for path in sorted(pathlib.Path(folder).iterdir()):
        if match := re.search(r"(\d+)ms$", path.stem):
            frames.append((int(match[1]), path.read_bytes()))
    return frames


def read_words(path):
    """The lines of a transcript: speaker, start, end, words."""
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        if match := LINE.match(line):
            start_ms = int(match[1]) * 60_000 + round(float(match[2]) * 1000)
            end_ms = int(match[3]) * 60_000 + round(float(match[4]) * 1000)
            yield match[5], start_ms, end_ms, match[6]


def read_call(arguments):
    """The tracks of the call, and its messages with the media time at which each is due."""
    tracks, due = [], []
    if arguments.wav:
        audio_format, pieces = read_sound(arguments.wav)
        track = len(tracks)
        tracks.append({"name": "voice", "kind": "audio", "role": "customer", "format": audio_format})
        due += [(at_ms, media(AUDIO, track, at_ms, content)) for at_ms, content in pieces]
    if arguments.frames:
        track = len(tracks)
        tracks.append({"name": "camera", "kind": "video", "role": "customer"})
        due += [(at_ms, media(FRAME, track, at_ms, content)) for at_ms, content in read_frames(arguments.frames)]
    if arguments.transcript:
        numbers = {}
        for speaker, start_ms, end_ms, words in read_words(arguments.transcript):
            role = "agent" if speaker == "agent" else "customer"
            if role not in numbers:
                numbers[role] = len(tracks)
                tracks.append({"name": f"words of the {role}", "kind": "text", "role": role})
            message = {"type": "text", "track": numbers[role], "start_ms": start_ms, "end_ms": end_ms, "text": words}
            # Words are known when they have been said.
            due.append((end_ms, json.dumps(message)))
    if not tracks:
        sys.exit("nothing to stream; give --wav, --frames or --transcript")
    return tracks, sorted(due, key=lambda item: item[0])


async def send(socket, due, speed):
    """Sends every message when its media time has come, then asks for the end."""
    begun = time.monotonic()
    for at_ms, message in due:
        await asyncio.sleep(max(0, begun + at_ms / 1000 / speed - time.monotonic()))
        await socket.send(message)
    await socket.send(json.dumps({"type": "session.close"}))


def show(event):
    """Prints what is worth a line. Events of other kinds are no fault: the server may be newer than this program."""
    kind = event["type"]
    if kind == "session.created":
        print(f"session {event['session_id']}: {event['notice']}")
    elif kind == "emotion":
        emotion = event["emotion"]
        category = max(emotion["categories"], key=emotion["categories"].get)
        abstains = "  (too little to say)" if emotion["trust"]["abstain"] else ""
        print(
            f"{emotion['at_ms'] / 1000:7.1f} s  {category:<9} {emotion['categories'][category]:.2f}"
            f"  valence {emotion['valence']:+.2f}  arousal {emotion['arousal']:+.2f}"
            f"  frustration {emotion['frustration']:.2f}{abstains}"
        )
    elif kind == "ranking":
        leaders = ", ".join(f"{entry['agent_id']} {entry['score']:.2f}" for entry in event["ranking"]["entries"][:3])
        print(f"{event['at_ms'] / 1000:7.1f} s  ranking ({event['because']}): {leaders}")
    elif kind in ("notice", "error"):
        print(f"           {kind}: {event['message']}")
    elif kind == "session.closed":
        totals = event["totals"]
        print(f"ended ({event['reason']}): {event['explanation']['summary']}")
        print(f"{totals['audio_ms']} ms of audio heard, {totals['frames_read']} of {totals['frames']} frames read")


async def stream(arguments):
    tracks, due = read_call(arguments)
    session = {"call_id": arguments.call_id, "consent": "notice_given", "tracks": tracks}
    if arguments.agents:
        session["agents"] = json.loads(pathlib.Path(arguments.agents).read_text(encoding="utf-8"))
    headers = {"Authorization": f"Bearer {arguments.key}"} if arguments.key else {}
    closed = None
    async with connect(f"{arguments.server}/v1/live", additional_headers=headers, max_size=None) as socket:
        show(json.loads(await socket.recv()))
        await socket.send(json.dumps({"type": "session.update", "session": session}))
        sending = asyncio.create_task(send(socket, due, arguments.speed))
        try:
            async for message in socket:
                event = json.loads(message)
                show(event)
                if event["type"] == "session.closed":
                    closed = event
                    break
        except ConnectionClosed as error:
            print(f"the connection was lost: {error}", file=sys.stderr)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    return 0 if closed else 1


def main():
    parser = argparse.ArgumentParser(description="Streams a call to a Heartline server and prints what it reads.")
    parser.add_argument("--server", default="ws://127.0.0.1:8080", help="the server's base address")
    parser.add_argument("--key", default=os.environ.get("HEARTLINE_KEY"), help="the API key, where one is needed")
    parser.add_argument("--wav", help="a WAV file of 16-bit samples")
    parser.add_argument("--frames", help="a folder of pictures named after their media time")
    parser.add_argument("--transcript", help="a text file with what was said")
    parser.add_argument("--agents", help="a JSON file with the agents to rank")
    parser.add_argument("--call-id", default="example", help="your own name for the call")
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster than real time")
    arguments = parser.parse_args()
    try:
        sys.exit(asyncio.run(stream(arguments)))
    except InvalidStatus as error:
        sys.exit(f"the server refused the connection: {error}")
    except OSError as error:
        sys.exit(f"the server cannot be reached: {error}")


if __name__ == "__main__":
    main()
