"""Reads the weights that Heartline ships."""

import json
import struct

import numpy as np

# Bytes of a block of 32 weights of four bits.
Q4_BYTES = 18


class Weights:
    """A safetensors file; `models/src/weights.rs` describes the encodings."""

    def __init__(self, path):
        with open(path, "rb") as file:
            length = struct.unpack("<Q", file.read(8))[0]
            self.header = json.loads(file.read(length))
            self.data = file.read()
        self.metadata = self.header.pop("__metadata__", {})

    def read(self, name):
        entry = self.header[name]
        start, end = entry["data_offsets"]
        data, shape = self.data[start:end], entry["shape"]
        if entry["dtype"] == "F32":
            return np.frombuffer(data, np.float32).reshape(shape)
        if entry["dtype"] == "F16":
            return np.frombuffer(data, np.float16).astype(np.float32).reshape(shape)
        if entry["dtype"] == "I8":
            scale = self.read(name + ".scale").reshape([-1] + [1] * (len(shape) - 1))
            return np.frombuffer(data, np.int8).astype(np.float32).reshape(shape) * scale
        if self.metadata.get("encoding." + name) == "q4_0":
            blocks = np.frombuffer(data, np.uint8).reshape(-1, Q4_BYTES)
            scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
            low = (blocks[:, 2:] & 15).astype(np.float32) - 8
            high = (blocks[:, 2:] >> 4).astype(np.float32) - 8
            return (np.concatenate([low, high], 1) * scale).reshape(shape[0], -1)
        raise ValueError(f"{name} has an unknown encoding")
