"""Heartline's side of a comparison: the program that times it, and the inputs and answers that it writes.

numpy is imported where it is used: a comparison may have to set its number of threads before.
"""

import json
import os
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
WEIGHTS = ROOT / "models" / "weights"
MODELS = ("text", "voice", "detector", "face")
TOKENS, FRAMES, SIDE, CROP = 32, 400, 640, 48
STRIDES, ANSWER = (8, 16, 32), 16
# The largest difference, as a share of the larger of the value and 1: two orders of summation in single precision.
TOLERANCE = 2e-3
# How long the threads of the side that just ran may spin before the other side begins.
PAUSE_S = 0.06
CARGO = ["cargo", "bench", "-q", "-p", "heartline-models"]
ON_CPU, ON_CUDA = ["-p", "heartline-train", "--bench", "peers"], ["--features", "cuda", "--bench", "peers"]


class Ended(SystemExit):
    """Heartline's side ended. Where nobody goes on without it, so does the comparison."""


class Refused(SystemExit):
    """Heartline's side could not compute what it was asked for. Where nobody goes on, the comparison ends."""


class Ours:
    """Heartline's side, as a child process."""

    def __init__(self, program, threads, device="cpu", precision="auto", errors=None):
        environment = dict(os.environ, RAYON_NUM_THREADS=str(threads), HEARTLINE_DEVICE=device,
                           HEARTLINE_PRECISION=precision, HEARTLINE_WEIGHTS=str(WEIGHTS))
        command = [str(program)] if program else CARGO + (ON_CUDA if device.startswith("cuda") else ON_CPU)
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)

    def ask(self, request):
        try:
            self.process.stdin.write(request + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise Ended("the program of Heartline's side ended")
        return answer.strip()

    def ask_json(self, request):
        answer = json.loads(self.ask(request))
        if "error" in answer:
            raise Refused(answer["error"])
        return answer

    def time(self, model, rows, count):
        """The times of the network alone, and the median of what comes before it, in milliseconds."""
        answer = self.ask_json(f"time {model} {rows} {count}")
        prepare = statistics.median(answer["prepare"])
        return [total - prepare for total in answer["total"]], prepare

    def close(self):
        """Ends the program; gives its exit status."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        return self.process.wait()


def manifest(model):
    """A model's file of weights and its configuration."""
    folder = WEIGHTS / model / "1"
    return folder / "model.safetensors", json.loads((folder / "model.json").read_text())["config"]


def inputs(folder):
    """For each model the rows that Heartline's side wrote, as the networks take them."""
    import numpy

    shapes = {"text": (TOKENS,), "voice": (80, FRAMES), "detector": (3, SIDE, SIDE), "face": (1, CROP, CROP)}
    values = {}
    for model, shape in shapes.items():
        rows = numpy.fromfile(folder / f"{model}.input", numpy.float32).reshape(-1, *shape)
        values[model] = rows.astype(numpy.int64) if model == "text" else rows
    return values


def outputs(folder):
    """For each model Heartline's features of those rows (of the detector all numbers), a row each."""
    import numpy

    values = {}
    for model, rows in inputs(folder).items():
        numbers = numpy.fromfile(folder / f"{model}.output", numpy.float32)
        if model == "detector":
            sizes = numpy.cumsum([len(rows) * ANSWER * (SIDE // stride) ** 2 for stride in STRIDES])
            levels = numpy.split(numbers, sizes[:-1])
            numbers = numpy.concatenate([level.reshape(len(rows), -1) for level in levels], 1)
        values[model] = numbers.reshape(len(rows), -1)
    return values


def batch(rows, count):
    """So many rows, over and over the ones that were written."""
    import numpy

    return rows[numpy.arange(count) % len(rows)]


def difference(found, expected):
    """The largest difference, as a share of the larger of the value and 1."""
    import numpy

    if found.shape != expected.shape:
        return float("inf")
    return float(numpy.max(numpy.abs(found - expected) / numpy.maximum(numpy.abs(expected), 1)))


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
