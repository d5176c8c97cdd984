"""Makes Triton's model repository, and the same requests for both servers, from the weights that Heartline ships.

    python repository.py FOLDER

FOLDER/models is the repository; FOLDER/requests has a body a server, model and number of rows, in the binary form of
the Open Inference Protocol, and `requests.json`, which says how long the JSON part of each is.
"""

import json
import shutil
import struct
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
sys.path.insert(0, str(HERE.parent))
import networks  # noqa: E402

ROWS = (1, 8, 32)
MAX_ROWS = 32
FRAMES, SAMPLES, SIDE = 400, 64_000, 48
TEXT = "You took the payment within a minute, but the refund takes more than a month."
# How long a batch waits for more rows where an instance is free, as `engine.batch_delay_ms` has it: not at all.
DELAY_US = 0
DATATYPES = {"TYPE_INT64": "INT64", "TYPE_UINT8": "UINT8", "TYPE_FP32": "FP32"}

CONFIG = """backend: "python"
max_batch_size: {rows}
input {{ name: "{input}" data_type: {kind} dims: {dims} }}
output {{ name: "output" data_type: TYPE_FP32 dims: [-1] }}
instance_group {{ kind: KIND_CPU count: {instances} }}
parameters {{ key: "threads" value: {{ string_value: "{threads}" }} }}
dynamic_batching {{ max_queue_delay_microseconds: {delay} }}
"""


def tokens():
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(ROOT / "models/weights/text/1/tokenizer.json"))
    return np.array(tokenizer.encode(TEXT).ids, np.int64)


def build(folder, instances, threads):
    """The repository; Triton is given token numbers and spectrograms, so it is spared making them."""
    length = len(tokens())
    inputs = {
        "text": ("tokens", "TYPE_INT64", [length]),
        "face": ("crop", "TYPE_UINT8", [SIDE, SIDE]),
        "voice": ("spectrogram", "TYPE_FP32", [80, FRAMES]),
    }
    for model, (name, kind, dims) in inputs.items():
        source = ROOT / "models" / "weights" / model / "1"
        config = json.loads((source / "model.json").read_text())["config"]
        weights = networks.Weights(source / "model.safetensors")
        target = folder / "models" / model / "1"
        target.mkdir(parents=True, exist_ok=True)
        sizes = {"text": [length], "voice": [FRAMES], "face": []}[model]
        getattr(networks, model)(weights, config, str(target / "network.onnx"), *sizes)
        shutil.copy(HERE / "model.py", target)
        fields = dict(rows=MAX_ROWS, input=name, kind=kind, dims=dims, delay=DELAY_US)
        text = CONFIG.format(**fields, instances=instances, threads=threads)
        (folder / "models" / model / "config.pbtxt").write_text(text)
    return inputs


def body(name, datatype, shape, data):
    """One request, its answer wanted in binary form as well."""
    head = json.dumps({
        "inputs": [{"name": name, "shape": shape, "datatype": datatype, "parameters": {"binary_data_size": len(data)}}],
        "parameters": {"binary_data_output": True},
    }).encode()
    return head + data, len(head)


def requests(folder, inputs):
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(1)
    element = TEXT.encode()
    own = {
        "text": ("text", "BYTES", [], lambda rows: (struct.pack("<I", len(element)) + element) * rows),
        "face": ("crop", "UINT8", [SIDE, SIDE], lambda rows: noise.integers(0, 256, rows * SIDE * SIDE, np.uint8).tobytes()),
        "voice": ("waveform", "FP32", [SAMPLES], lambda rows: (0.1 * noise.standard_normal(rows * SAMPLES)).astype(np.float32).tobytes()),
    }
    lengths = {}
    for model, (name, kind, dims) in inputs.items():
        for rows in ROWS:
            own_name, datatype, sizes, make = own[model]
            data = make(rows)
            made = {"heartline": body(own_name, datatype, [rows, *sizes], data)}
            if model == "text":
                data = np.tile(tokens(), rows).tobytes()
            elif model == "voice":
                data = noise.standard_normal(rows * 80 * FRAMES).astype(np.float32).tobytes()
            made["triton"] = body(name, DATATYPES[kind], [rows, *dims], data)
            for server, (content, head) in made.items():
                file = f"{server}-{model}-{rows}"
                (folder / file).write_bytes(content)
                lengths[file] = head
    (folder / "requests.json").write_text(json.dumps(lengths, indent=2))


def main(folder, instances=1, threads=2):
    requests(folder / "requests", build(folder, instances, threads))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
