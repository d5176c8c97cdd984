"""Measures Heartline and Triton with the same load generator, in turns, and prints the rates that they hold.

    pip install nvidia-pytriton==0.7.0 onnxruntime onnx tokenizers 'numpy<2'
    python benches/peers/triton/compare.py --models text face

It builds Triton's repository (`repository.py`), starts both servers, and lets `heartline bench` search the highest rate
that each holds at the same bound, one server after the other. See README.md beside this file.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import repository
import serve

ROOT = Path(__file__).resolve().parent.parent.parent.parent
PORTS = {"heartline": 8801, "triton": 8802}
# The longest latency at the 99th percentile, in milliseconds, the same for both.
BOUNDS_MS = {"text": 100, "face": 50, "voice": 1_000}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=ROOT / "target" / "release" / "heartline")
    parser.add_argument("--models", nargs="+", default=["text", "face"], choices=BOUNDS_MS)
    parser.add_argument("--rows", nargs="+", type=int, default=[1, 8], choices=repository.ROWS)
    parser.add_argument("--rounds", type=int, default=2, help="turns of each server")
    parser.add_argument("--seconds", type=float, default=4, help="for how long each rate is measured")
    parser.add_argument("--instances", type=int, default=1, help="of each of Triton's models")
    parser.add_argument("--threads", type=int, default=2, help="of each of these instances")
    return parser.parse_args()


def wait(port):
    for _ in range(240):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/health/ready", timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    sys.exit(f"the server on port {port} does not become ready")


class Generator:
    """`heartline bench`, for one server and one kind of request."""

    def __init__(self, options, folder, server, model, rows):
        self.server, file = server, f"{server}-{model}-{rows}"
        length = json.loads((folder / "requests" / "requests.json").read_text())[file]
        self.command = [
            str(options.program), "bench", "--json", f"--url=http://127.0.0.1:{PORTS[server]}",
            f"--request={folder / 'requests' / file}", f"--path=/v2/models/{model}/infer", f"--rows={rows}",
            "--content-type=application/octet-stream", f"--header=inference-header-content-length={length}",
            f"--latency-ms={BOUNDS_MS[model]}", f"--duration-ms={int(options.seconds * 1e3)}",
        ]

    def run(self, *more):
        ran = subprocess.run([*self.command, *more], capture_output=True, text=True)
        if not ran.stdout:
            sys.exit(ran.stderr)
        return json.loads(ran.stdout)


def measure(options, folder, model, rows):
    """A line for each server: the latency of one client, what eight get at most, and the highest rate that holds."""
    servers = {server: Generator(options, folder, server, model, rows) for server in PORTS}
    found = {server: {"alone": [], "most": [], "held": [], "p99": [], "lag": []} for server in servers}
    for _ in range(options.rounds):
        for server, generator in servers.items():
            values = found[server]
            values["alone"].append(generator.run("--concurrency=1")["latency_ms"]["p50"])
            values["most"].append(generator.run("--concurrency=8")["rows_per_second"])
            search = generator.run("--search")
            held = [trial for trial in search["trials"] if trial["held"]]
            best = max(held, key=lambda trial: trial["rate"], default=None)
            values["held"].append(search["rate"] * rows if best else 0)
            if best:
                values["p99"].append(best["report"]["latency_ms"]["p99"])
                values["lag"].append(best["report"]["lag_ms"]["p99"])
    return found


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        repository.main(folder, options.instances, options.threads)
        ours = subprocess.Popen([str(options.program), "serve", "--set", f"server.bind=127.0.0.1:{PORTS['heartline']}",
                                 "--set", "engine.batch_delay_ms=0", "--set", "telemetry.log_filter=warn"], cwd=ROOT, stdout=subprocess.DEVNULL)
        theirs = serve.start(folder / "models", PORTS["triton"])
        try:
            for port in PORTS.values():
                wait(port)
            print("| model | rows a request | bound | server | one client, p50 | eight clients | held at the bound | p99 there |")
            print("|---|---|---|---|---|---|---|---|")
            for model in options.models:
                for rows in options.rows:
                    found = measure(options, folder, model, rows)
                    for server, values in found.items():
                        mean = {key: statistics.mean(value) if value else float("nan") for key, value in values.items()}
                        each = ", ".join(f"{held:.0f}" for held in values["held"])
                        print(f"| {model} | {rows} | {BOUNDS_MS[model]} ms | {server} | {mean['alone']:.1f} ms | "
                              f"{mean['most']:.0f} rows/s | {mean['held']:.0f} rows/s ({each}) | {mean['p99']:.1f} ms |")
                    held = {server: statistics.mean(values["held"]) for server, values in found.items()}
                    ratio = held["heartline"] / held["triton"] if held["triton"] else float("inf")
                    lag = max((value for values in found.values() for value in values["lag"]), default=0)
                    print(f"| | | | ratio | | | **{ratio:.2f}** | generator's lag {lag:.1f} ms |", flush=True)
        finally:
            ours.terminate()
            theirs.terminate()
            ours.wait()
            theirs.wait()


if __name__ == "__main__":
    main()
