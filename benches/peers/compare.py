"""Times Heartline's models against onnxruntime on the same weights, inputs and number of threads, in one run.

    pip install numpy onnx onnxruntime
    python benches/peers/compare.py

It builds the ONNX graphs (`networks.py`), checks that both sides give the same numbers, and then lets the two take
turns, so that a change of the machine's speed meets both. See README.md beside this file.
"""

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from ours import (FRAMES, MODELS, PAUSE_S, SIDE, TOKENS, TOLERANCE, Ours, batch, difference, inputs, manifest, outputs,
                  timed)

ROWS = (1, 8, 32)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=9, help="turns of each side")
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--chart", type=Path, help="where to write a chart (SVG)")
    parser.add_argument("--program", type=Path, help="the built bench; by default cargo builds and runs it")
    return parser.parse_args()


def build(folder):
    import networks

    graphs = {}
    for model, sizes in (("text", [TOKENS]), ("voice", [FRAMES]), ("detector", [SIDE]), ("face", [])):
        file, config = manifest(model)
        graph = getattr(networks, model)
        graphs[model] = graph(networks.Weights(file), config, str(folder / f"{model}.onnx"), *sizes)
    return graphs


def sessions(folder, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return {model: onnxruntime.InferenceSession(str(folder / f"{model}.onnx"), options, ["CPUExecutionProvider"])
            for model in MODELS}


def check(model, session, values, expected):
    """The largest difference between the two sides' answers."""
    import numpy

    rows = len(expected)
    answers = session.run(None, {"input": values[:rows]})
    # The detector's answers are all of them; the others give features, each followed by what is read from them.
    features = answers if model == "detector" else answers[::2]
    worst = difference(numpy.concatenate([answer.reshape(rows, -1) for answer in features], 1), expected)
    if not worst < TOLERANCE:
        sys.exit(f"{model}: the two sides differ by {worst}")
    return worst


def machine(threads):
    """The rate of a large matrix product in GFLOP/s and of copying in GB/s, both with this many threads."""
    import numpy

    os.environ.setdefault("OPENBLAS_NUM_THREADS", str(threads))
    size = 1536
    left, right = numpy.random.rand(2, size, size).astype(numpy.float32)
    product = min(timed(lambda: left @ right) for _ in range(9))
    sources = [numpy.ones(1 << 25, numpy.float32) for _ in range(threads)]
    targets = [numpy.zeros_like(source) for source in sources]

    def copy():
        workers = [threading.Thread(target=numpy.copyto, args=pair) for pair in zip(targets, sources)]
        [worker.start() for worker in workers]
        [worker.join() for worker in workers]

    copied = min(timed(copy) for _ in range(5))
    return 2 * size**3 / product / 1e9, 2 * sum(source.nbytes for source in sources) / copied / 1e9


def measure(ours, session, values, model, rows, rounds):
    given = {"input": values[model][:rows]}
    session.run(None, given)
    ours.time(model, rows, 1)
    once = timed(lambda: session.run(None, given))
    count = max(1, min(20, int(0.1 / once)))
    own, other, prepare = [], [], []
    for _ in range(rounds):
        times, before = ours.time(model, rows, count)
        own += times
        prepare.append(before)
        time.sleep(PAUSE_S)
        other += [1e3 * timed(lambda: session.run(None, given)) for _ in range(count)]
        time.sleep(PAUSE_S)
    return statistics.median(own), statistics.median(other), statistics.median(prepare)


def chart(lines, path):
    """Bars of our time as a share of onnxruntime's; 1 is a line."""
    width, left, scale, step = 640, 150, 220, 26
    parts = []
    for index, (label, ratio) in enumerate(lines):
        y, colour = 40 + index * step, "#2a7f62" if ratio <= 1 else "#b5542a"
        parts.append(f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{label}</text>'
                     f'<rect x="{left}" y="{y}" width="{ratio * scale:.1f}" height="18" fill="{colour}"/>'
                     f'<text x="{left + ratio * scale + 6:.1f}" y="{y + 14}">{ratio:.2f}</text>')
    height = 50 + len(lines) * step
    line = f'<line x1="{left + scale}" x2="{left + scale}" y1="32" y2="{height - 8}" stroke="#888" stroke-dasharray="4"/>'
    title = f'<text x="{left}" y="22">Heartline\'s time as a share of onnxruntime\'s (less is faster)</text>'
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
                    f'font-size="13"><rect width="100%" height="100%" fill="white"/>{title}{"".join(parts)}{line}</svg>\n')


def main():
    options = arguments()
    # Read by numpy's matrix product when it is loaded.
    os.environ["OPENBLAS_NUM_THREADS"] = str(options.threads)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = Ours(options.program, options.threads)
        ours.ask(f"dump {folder}")
        graphs = build(folder)
        peers = sessions(folder, options.threads)
        values = {model: batch(rows, max(ROWS)) for model, rows in inputs(folder).items()}
        expected = outputs(folder)
        rate, bandwidth = machine(options.threads)
        import onnxruntime

        print(f"{options.threads} threads; onnxruntime {onnxruntime.__version__}; "
              f"matrix product {rate:.0f} GFLOP/s, copying {bandwidth:.1f} GB/s\n")
        print("| model | MFLOP a row | weights MB | results MB a row | difference |\n|---|---|---|---|---|")
        for model in options.models:
            graph, worst = graphs[model], check(model, peers[model], values[model], expected[model])
            print(f"| {model} | {graph.operations / 1e6:.1f} | {graph.weight_bytes / 1e6:.1f} | "
                  f"{graph.activation_bytes / 1e6:.2f} | {worst:.0e} |")
        print("\n| model | rows | ours ms | onnxruntime ms | ratio | floor ms | before the network ms |")
        print("|---|---|---|---|---|---|---|")
        lines = []
        for model in options.models:
            for rows in ROWS:
                own, other, prepare = measure(ours, peers[model], values, model, rows, options.rounds)
                graph = graphs[model]
                # Every operation at the matrix rate, or every weight and the input from memory once.
                given = graph.weight_bytes + values[model][:rows].nbytes
                floor = 1e3 * max(rows * graph.operations / (rate * 1e9), given / (bandwidth * 1e9))
                print(f"| {model} | {rows} | {own:.2f} | {other:.2f} | {own / other:.2f} | {floor:.2f} | {prepare:.2f} |",
                      flush=True)
                lines.append((f"{model}, {rows} row{'s' if rows > 1 else ''}", own / other))
        if options.chart:
            chart(lines, options.chart)
        ours.close()


if __name__ == "__main__":
    main()
