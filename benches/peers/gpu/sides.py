"""The sides that take turns: Heartline's program, and PyTorch as it is and compiled."""

import gc
import re
import statistics
import sys
import tempfile
from contextlib import contextmanager

import torch

import card
from ours import Ended, Ours, Refused, timed

# Untimed runs before a batch of a new size is timed: kernels are compiled, tuned and recorded in the first ones.
FIRST_RUNS = 5
MEMORY = re.compile(r"out.?of.?memory|allocate memory|buffer.?too.?big", re.IGNORECASE)


class Failed(Exception):
    """A side cannot compute a batch. The text is what the table says of it."""

    def __init__(self, error, killed=False):
        text = str(error).strip()
        super().__init__("out of memory" if killed or MEMORY.search(text) else "failed")
        print(text[-2000:] or repr(error), file=sys.stderr)


class Heartline:
    """Heartline's program, which is started anew after it failed."""

    def __init__(self, program, threads, device, precision):
        self.settings = program, threads, device, precision
        self.errors = self.process = None

    def ask(self, work):
        """What some work with the running program gives."""
        if self.process is None:
            self.errors = tempfile.TemporaryFile("w+")
            self.process = Ours(*self.settings, errors=self.errors)
        try:
            return work(self.process)
        except (Ended, Refused) as error:
            status = self.close()
            self.errors.seek(0)
            # The operating system kills what takes too much of its memory.
            raise Failed(f"{error}\n{self.errors.read()}", killed=status == -9) from None

    def close(self):
        process, self.process = self.process, None
        return process.close() if process else 0


class OfHeartline:
    """A batch on Heartline's side."""

    def __init__(self, heartline, model, rows):
        self.heartline, self.model, self.rows = heartline, model, rows
        self.prepare = []

    def start(self):
        return statistics.median(self.times(FIRST_RUNS)[FIRST_RUNS // 2:])

    def times(self, count):
        """Of each run the milliseconds of the network."""
        times, prepare = self.heartline.ask(lambda ours: ours.time(self.model, self.rows, count))
        self.prepare.append(prepare)
        return times


class OfPytorch:
    """A batch on PyTorch's side, from an array of the host to an array of the host."""

    def __init__(self, network, given, device, check):
        self.network, self.device, self.check = network, device, check
        self.given, self.answer = torch.from_numpy(given), None

    @property
    def is_card(self):
        return self.device.type == "cuda"

    def run(self):
        with torch.inference_mode():
            answer = self.network(self.given.to(self.device, non_blocking=True))
            if self.answer is None:
                self.answer = torch.empty(answer.shape, dtype=answer.dtype, pin_memory=self.is_card)
            self.answer.copy_(answer, non_blocking=True)
            card.wait(self.device)

    def start(self):
        with failures():
            if self.is_card:
                self.given = self.given.pin_memory()
            first = [1e3 * timed(self.run) for _ in range(FIRST_RUNS)]
        self.check(self.answer.numpy())
        return statistics.median(first[FIRST_RUNS // 2:])

    def times(self, count):
        """Of each run the milliseconds, copies included."""
        with failures():
            return [1e3 * timed(self.run) for _ in range(count)]

    def arrange(self):
        """Lets the convolutions have the order of their numbers that is faster here."""
        times = {}
        for layout in (torch.contiguous_format, torch.channels_last):
            with failures():
                self.network.arrange(layout)
            times[layout] = self.start()
        with failures():
            self.network.arrange(min(times, key=times.get))


@contextmanager
def failures():
    """Turns whatever PyTorch throws into [`Failed`]."""
    try:
        yield
    except Exception as error:  # The compiler throws errors of many kinds.
        raise Failed(error) from None


def compiled(network, mode):
    """The network, compiled for the one size of batch that comes next."""
    torch.compiler.reset()
    return torch.compile(network, mode=mode, dynamic=False)


def can_compile(device):
    """Whether the compiler works here; if not, why is printed."""
    try:
        compiled(lambda value: torch.sin(value) + 1, None)(torch.ones(8, device=device))
    except Exception as error:
        print(f"PyTorch cannot compile here and goes on without: {str(error).strip().splitlines()[:1]}", file=sys.stderr)
        return False
    return True


def tidy(device):
    """Gives back the memory of batches that are done."""
    torch.compiler.reset()
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
