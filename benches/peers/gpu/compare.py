"""Times Heartline's models against PyTorch on the same card, weights and inputs, in one run.

    pip install numpy torch
    python benches/peers/gpu/compare.py --device cuda:0 --precision f16

It checks that both sides give the same numbers, and then lets Heartline, PyTorch and compiled PyTorch take turns, so
that a change of the machine's speed meets all of them. See README.md beside this file.
"""

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent))

import torch  # noqa: E402

import card  # noqa: E402
import networks  # noqa: E402
import sides  # noqa: E402
from ours import MODELS, PAUSE_S, TOLERANCE, batch, difference, inputs, outputs  # noqa: E402

NAMES = ("ours", "eager", "compiled")
# How long a turn of the slowest side lasts, and how many runs it has at most.
TURN_S, MOST_RUNS = 0.3, 50
# The largest difference of two computations that round each result to 11 bits (TF32 does so with factors) or to 8.
TOLERANCES = {"f32": 0.1, "f16": 0.1, "bf16": 0.5}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda:0", help="PyTorch's device: cuda:N or cpu")
    parser.add_argument("--ours-device", help="Heartline's device, where it is another one: cpu, flex or cuda:N")
    parser.add_argument("--precision", default="f16", choices=networks.PRECISIONS)
    parser.add_argument("--rows", nargs="+", type=int, default=[1, 8, 32, 128, 512], help="sizes of batches, 1 to 512")
    parser.add_argument("--detector-rows", type=int, default=128, help="the detector's larger batches are left out")
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--rounds", type=int, default=9, help="turns of each side")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of each side on the processor")
    parser.add_argument("--program", type=Path, help="the built bench; by default cargo builds and runs it")
    parser.add_argument("--no-compile", action="store_true", help="without compiled PyTorch")
    parser.add_argument("--compile-mode", help="of torch.compile; max-autotune on a card unless said otherwise")
    parser.add_argument("--warm-up", action="store_true",
                        help="let Heartline first compute every shape, as its server does, and say how long it takes")
    parser.add_argument("--json", type=Path, help="where to write everything that was measured")
    options = parser.parse_args()
    if not all(1 <= rows <= 512 for rows in options.rows):
        parser.error("--rows are 1 to 512")
    return options


class Comparison:
    """What one run of this script has and finds."""

    def __init__(self, options, folder):
        self.options, self.device = options, torch.device(options.device)
        if self.device.type == "cuda" and self.device.index is None:
            self.device = torch.device("cuda:0")
        ours_device = options.ours_device or str(self.device)
        self.heartline = sides.Heartline(options.program, options.threads, ours_device, options.precision)
        self.heartline.ask(lambda ours: ours.ask(f"dump {folder}"))
        self.values, self.expected = inputs(folder), outputs(folder)
        is_exact = options.precision == "f32" and self.device.type == "cpu" and not ours_device.startswith("cuda")
        self.tolerance = TOLERANCE if is_exact else TOLERANCES[options.precision]
        self.mode = options.compile_mode or ("max-autotune" if self.device.type == "cuda" else None)
        self.names = NAMES if not options.no_compile and sides.can_compile(self.device) else NAMES[:2]
        self.machine = card.describe(self.device, options.precision, options.threads) | {
            "heartline": ours_device,
            "matrix_operations_per_s": card.matrix_rate(self.device, networks.PRECISIONS[options.precision]),
            "copy_bytes_per_s": card.copy_rate(self.device),
        }
        sides.tidy(self.device)
        self.models, self.cases, self.left_out = {}, [], []

    def check(self, model, answer):
        """The difference of PyTorch's features and Heartline's; a side that differs by too much is not timed."""
        expected = batch(self.expected[model], len(answer))
        worst = difference(answer[:, :expected.shape[1]], expected)
        told = self.models[model]
        told["difference"] = max(worst, told.get("difference", 0.0))
        if not worst <= self.tolerance:
            self.left_out.append(f"{model}, {len(answer)} rows: the answers differ by {worst:.1e}")
            raise sides.Failed(f"{model}: PyTorch's and Heartline's answers differ by {worst}")

    def load(self, model):
        """A network on the device, whose answer to what Heartline wrote is checked."""
        network = networks.build(model, self.options.precision)
        self.models[model] = {"operations": networks.operations(model, self.values[model][:1]),
                              "weight_bytes": networks.weight_bytes(network)}
        network.to(self.device)
        try:
            with torch.inference_mode():
                rows = torch.from_numpy(self.values[model]).to(self.device)
                self.check(model, network(rows).cpu().numpy())
        except sides.Failed:
            return None
        return network

    def case(self, model, network, rows):
        """Times a batch on all sides."""
        given = batch(self.values[model], rows)
        check = lambda answer: self.check(model, answer)  # noqa: E731
        eager = sides.OfPytorch(network, given, self.device, check)
        ours = sides.OfHeartline(self.heartline, model, rows)
        turns = {"ours": ours, "eager": eager}
        once, times, failures = {}, {}, {}

        def attempt(name, work):
            try:
                return work()
            except sides.Failed as failure:
                failures[name] = str(failure)
                turns.pop(name, None)
                return None

        if networks.has_pictures(model):
            attempt("eager", eager.arrange)
        if "compiled" in self.names:
            turns["compiled"] = sides.OfPytorch(sides.compiled(network, self.mode), given, self.device, check)
        for name, side in list(turns.items()):
            once[name], times[name] = attempt(name, side.start), []
            time.sleep(PAUSE_S)
        slowest = max((value for value in once.values() if value), default=1.0)
        count = max(2, min(MOST_RUNS, int(1e3 * TURN_S / max(slowest, 1e-3))))
        for _ in range(self.options.rounds):
            for name, side in list(turns.items()):
                times[name] += attempt(name, lambda: side.times(count)) or []
                time.sleep(PAUSE_S)
        found = {name: {"failure": failures[name]} if name in failures else summary(times[name], rows)
                 for name in self.names}
        answer = 4 * rows * (eager.answer.shape[1] if eager.answer is not None else self.expected[model].shape[1])
        return self.judged(model, rows, found, given.nbytes + answer, ours.prepare)

    def judged(self, model, rows, found, moved, prepare):
        """The case with what follows from its times."""
        told = {"model": model, "rows": rows, "sides": found, "moved_bytes": moved}
        if prepare:
            told["before_the_network_ms"] = statistics.median(prepare)
        own, other = (found.get(name, {}).get("p50_ms") for name in ("ours", "compiled"))
        if own and other:
            told["ratio"] = own / other
        if own:
            network = self.models[model]
            operations = network["operations"] * rows / own * 1e3
            told["matrix_share"] = operations / self.machine["matrix_operations_per_s"]
            carried = (network["weight_bytes"] + moved) / own * 1e3
            told["copy_share"] = carried / self.machine["copy_bytes_per_s"]
        self.cases.append(told)
        return told

    def save(self):
        if self.options.json:
            told = {"machine": self.machine, "models": self.models, "cases": self.cases, "left_out": self.left_out}
            self.options.json.write_text(json.dumps(told, indent=1) + "\n")


def summary(times, rows):
    """Nearest ranks of times in milliseconds; a time of nothing says that other work drowned it."""
    times = sorted(times)
    middle = statistics.median(times)
    if middle <= 0:
        return {"failure": "below noise"}
    last = times[math.ceil(0.99 * len(times)) - 1]
    return {"p50_ms": middle, "p99_ms": last, "rows_per_s": 1e3 * rows / middle, "runs": len(times)}


def line(told):
    """A case as a row of the table."""
    def cells(name, keys):
        side = told["sides"].get(name, {"failure": "left out"})
        if "failure" in side:
            return [side["failure"]] + ["-"] * (len(keys) - 1)
        return [number(side[key]) for key in keys]

    def share(name):
        return f"{100 * told[name]:.1f} %" if name in told else "-"

    whole = ("p50_ms", "p99_ms", "rows_per_s")
    ratio = f"{told['ratio']:.2f}" if "ratio" in told else "-"
    before = number(told["before_the_network_ms"]) if "before_the_network_ms" in told else "-"
    parts = [told["model"], str(told["rows"]), *cells("ours", whole), *cells("eager", whole[:1]),
             *cells("compiled", whole), ratio, share("matrix_share"), share("copy_share"), before]
    return f"| {' | '.join(parts)} |"


def number(value):
    return f"{value:.0f}" if value >= 1000 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def head(machine):
    """What was measured of the machine, in a line."""
    told = dict(machine)
    rate, copied = told.pop("matrix_operations_per_s"), told.pop("copy_bytes_per_s")
    words = ", ".join(f"{name} {value}" for name, value in told.items())
    return f"{words}; matrix product {rate / 1e12:.3g} TFLOP/s, copying {copied / 1e9:.0f} GB/s"


def measure(comparison, loaded):
    columns = ("model", "rows", "ours p50 ms", "ours p99 ms", "ours rows/s", "eager p50 ms", "compiled p50 ms",
               "compiled p99 ms", "compiled rows/s", "ours / compiled", "of matrix rate", "of copy rate",
               "before the network ms")
    print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    options = comparison.options
    for model, network in loaded.items():
        for rows in options.rows:
            if network is None or (model == "detector" and rows > options.detector_rows):
                reason = "not checked" if network is None else f"more than {options.detector_rows} (--detector-rows)"
                comparison.left_out.append(f"{model}, {rows} rows: {reason}")
                continue
            print(line(comparison.case(model, network, rows)))
            sides.tidy(comparison.device)
            comparison.save()


def warm_up(comparison):
    print("\n| model | Heartline's warm-up s |\n|---|---|")
    for model in comparison.options.models:
        rows = max(comparison.options.rows)
        try:
            answer = comparison.heartline.ask(lambda ours: ours.ask_json(f"warm {model} {rows}"))
        except sides.Failed as failure:
            print(f"| {model} | {failure} |")
            continue
        comparison.models[model]["warm_up_ms"] = answer["warm"]
        print(f"| {model} | {answer['warm'] / 1e3:.1f} |")


def main():
    options = arguments()
    sys.stdout.reconfigure(line_buffering=True)
    torch.set_num_threads(options.threads)
    if not options.device.startswith("cpu"):
        # f32 means what the matrix units of a card take of it.
        torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
    with tempfile.TemporaryDirectory() as name:
        try:
            comparison = Comparison(options, Path(name))
        except sides.Failed:
            sys.exit("Heartline's side does not start; why stands above")
    print(head(comparison.machine))
    print("\n| model | MFLOP a row | weights MB | difference |\n|---|---|---|---|")
    loaded = {}
    for model in options.models:
        loaded[model] = comparison.load(model)
        told = comparison.models[model]
        print(f"| {model} | {told['operations'] / 1e6:.1f} | {told['weight_bytes'] / 1e6:.1f} | "
              f"{told['difference']:.0e} |")
    if options.warm_up:
        warm_up(comparison)
    measure(comparison, loaded)
    comparison.heartline.close()
    comparison.save()
    for reason in comparison.left_out:
        print(f"\nLeft out: {reason}.")
    sys.exit(any("differ" in reason for reason in comparison.left_out))


if __name__ == "__main__":
    main()
