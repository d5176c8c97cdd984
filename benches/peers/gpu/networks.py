"""Heartline's networks in PyTorch, built from the weights that Heartline ships, with what a row costs.

Each takes a batch and gives one matrix in f32: of every row the features and then what the heads read from them, of the
detector the numbers of its three levels. What is called `encoder` computes in the precision it is cast to; means and
heads stay in f32, as they do on Heartline's side.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ours import FRAMES, TOKENS, manifest
from weights import Weights

PRECISIONS = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def tensor(values):
    return torch.from_numpy(np.array(values, np.float32))


def filled(layer, weight, bias):
    with torch.no_grad():
        layer.weight.copy_(tensor(weight))
        layer.bias.copy_(tensor(bias))
    return layer


def linear(weight, bias):
    """`weight` has a row for each output."""
    return filled(nn.Linear(weight.shape[1], weight.shape[0]), weight, bias)


def norm(scale, shift, epsilon):
    return filled(nn.LayerNorm(len(scale), eps=epsilon), scale, shift)


def convolution(weights, name, stride=1, groups=1):
    weight, bias = weights.read(f"{name}.weight"), weights.read(f"{name}.bias")
    kind, kernel = {3: nn.Conv1d, 4: nn.Conv2d}[weight.ndim], weight.shape[2:]
    layer = kind(weight.shape[1] * groups, weight.shape[0], kernel, stride=stride, groups=groups,
                 padding=tuple(side // 2 for side in kernel))
    return filled(layer, weight, bias)


class Attention(nn.Module):
    """Self-attention with one projection to queries, keys and values."""

    def __init__(self, fused, output, heads):
        super().__init__()
        self.fused, self.output, self.heads = linear(*fused), linear(*output), heads

    def forward(self, value):
        rows, length, width = value.shape
        parts = self.fused(value).view(rows, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(*parts.unbind(0))
        return self.output(mixed.transpose(1, 2).reshape(rows, length, width))


class TextBlock(nn.Module):
    """Attention and two layers, each added and then normalised."""

    def __init__(self, read, heads, epsilon):
        super().__init__()
        fused = [np.concatenate([read(f"attention.{part}.{kind}") for part in ("query", "key", "value")])
                 for kind in ("weight", "bias")]
        output = read("attention.output.weight"), read("attention.output.bias")
        self.attention = Attention(fused, output, heads)
        self.inner = linear(read("feed_forward.inner.weight"), read("feed_forward.inner.bias"))
        self.outer = linear(read("feed_forward.outer.weight"), read("feed_forward.outer.bias"))
        self.first_norm = norm(read("attention.norm.scale"), read("attention.norm.shift"), epsilon)
        self.second_norm = norm(read("feed_forward.norm.scale"), read("feed_forward.norm.shift"), epsilon)

    def forward(self, value):
        value = self.first_norm(value + self.attention(value))
        return self.second_norm(value + self.outer(F.gelu(self.inner(value))))


class TextEncoder(nn.Module):
    def __init__(self, weights, config):
        super().__init__()
        self.word = nn.Embedding.from_pretrained(tensor(weights.read("embeddings.word")))
        positions = weights.read("embeddings.position")[:TOKENS] + weights.read("embeddings.kind")
        self.register_buffer("positions", tensor(positions))
        epsilon = config["epsilon"]
        self.norm = norm(weights.read("embeddings.norm.scale"), weights.read("embeddings.norm.shift"), epsilon)
        self.blocks = nn.Sequential(*(
            TextBlock(lambda part, block=block: weights.read(f"blocks.{block}.{part}"), config["heads"], epsilon)
            for block in range(config["blocks"])))

    def forward(self, pieces):
        return self.blocks(self.norm(self.word(pieces) + self.positions))


class Network(nn.Module):
    """What all have: an encoder in a precision."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder, self.dtype, self.layout = encoder, torch.float32, torch.contiguous_format

    def cast(self, dtype):
        self.encoder.to(dtype)
        self.dtype = dtype
        return self

    def arrange(self, layout):
        """Lays the convolutions' numbers out in another order."""
        self.encoder.to(memory_format=layout)
        self.layout = layout

    def arranged(self, picture):
        return picture.to(self.dtype).contiguous(memory_format=self.layout)


class Text(Network):
    def __init__(self, weights, config):
        super().__init__(TextEncoder(weights, config["encoder"]))
        names = ("native", "categories", "dimensions", "satisfaction")
        self.heads = linear(*(np.concatenate([weights.read(f"heads.{name}.{kind}") for name in names])
                              for kind in ("weight", "bias")))

    def forward(self, pieces):
        pooled = self.encoder(pieces).float().mean(1)
        return torch.cat([pooled, self.heads(pooled)], 1)


class VoiceBlock(nn.Module):
    """Attention and two layers, each of what was normalised and then added."""

    def __init__(self, read, heads):
        super().__init__()
        names = ("query_key_value", "output")
        parts = [(read(f"attention.{name}.weight"), read(f"attention.{name}.bias")) for name in names]
        self.attention = Attention(*parts, heads)
        self.expand = linear(read("feed_forward.expand.weight"), read("feed_forward.expand.bias"))
        self.contract = linear(read("feed_forward.contract.weight"), read("feed_forward.contract.bias"))
        self.first_norm = norm(read("attention.norm.gamma"), read("attention.norm.beta"), 1e-5)
        self.second_norm = norm(read("feed_forward.norm.gamma"), read("feed_forward.norm.beta"), 1e-5)

    def forward(self, value):
        value = value + self.attention(self.first_norm(value))
        return value + self.contract(F.gelu(self.expand(self.second_norm(value))))


class VoiceEncoder(nn.Module):
    def __init__(self, weights, config):
        super().__init__()
        self.first = convolution(weights, "encoder.stem.first")
        self.second = convolution(weights, "encoder.stem.second", stride=2)
        half = config["width"] // 2
        rates = np.exp(-math.log(10_000) / (half - 1) * np.arange(half))
        angles = np.arange(FRAMES // 2)[:, None] * rates[None]
        # The network was trained with positions in half precision.
        positions = np.concatenate([np.sin(angles), np.cos(angles)], 1).astype(np.float16)
        self.register_buffer("positions", tensor(positions))
        self.blocks = nn.Sequential(*(
            VoiceBlock(lambda part, block=block: weights.read(f"encoder.block.{block}.{part}"), config["heads"])
            for block in range(config["blocks"])))

    def forward(self, mel):
        value = F.gelu(self.second(F.gelu(self.first(mel))))
        return self.blocks(value.transpose(1, 2) + self.positions)


class VoiceHead(nn.Module):
    """Pools frames to a mean and a deviation, weighted by attention, and classifies them."""

    def __init__(self, read):
        super().__init__()
        for name in ("frame.mean", "frame.scale", "pool.mean", "pool.scale", "score.weight"):
            self.register_buffer(name.replace(".", "_"), tensor(read(name)))
        self.attention = linear(read("attention.weight"), read("attention.bias"))
        self.hidden = linear(read("hidden.weight"), read("hidden.bias"))
        self.output = linear(read("output.weight"), read("output.bias"))

    def forward(self, frames):
        frames = (frames - self.frame_mean) * self.frame_scale
        scores = torch.tanh(self.attention(frames)) @ self.score_weight.T
        shares = torch.softmax(scores.transpose(1, 2), 2)
        mean = shares @ frames
        variance = shares @ (frames * frames) - mean * mean
        pooled = torch.cat([mean, variance.clamp_min(1e-4).sqrt()], 2).flatten(1)
        features = (pooled - self.pool_mean) * self.pool_scale
        return features, self.output(F.gelu(self.hidden(features)))


class Voice(Network):
    def __init__(self, weights, config):
        super().__init__(VoiceEncoder(weights, config["encoder"]))
        self.heads = nn.ModuleList(VoiceHead(lambda part, member=member: weights.read(f"head.{member}.{part}"))
                                   for member in range(config["members"]))

    def forward(self, mel):
        frames = self.encoder(mel.to(self.dtype)).float()
        features, logits = zip(*(head(frames) for head in self.heads))
        return torch.cat(features + logits, 1)


class DetectorEncoder(nn.Module):
    def __init__(self, weights):
        super().__init__()

        def unit(name):
            channels = len(weights.read(f"{name}.depthwise.bias"))
            return nn.Sequential(convolution(weights, f"{name}.pointwise"),
                                 convolution(weights, f"{name}.depthwise", groups=channels))

        self.stem = convolution(weights, "stem", stride=2)
        self.backbone = nn.ModuleList(unit(f"backbone.{index}") for index in range(11))
        # From the coarsest level to the finest.
        self.neck = nn.ModuleList(unit(f"neck.{stride}") for stride in (32, 16, 8))
        self.heads = nn.ModuleList(unit(f"heads.{stride}") for stride in (32, 16, 8))

    def forward(self, picture):
        value, taps = F.relu(self.stem(picture)), []
        for index, unit in enumerate(self.backbone):
            if index in (1, 5, 7, 9):
                value = F.max_pool2d(value, 2)
            value = F.relu(unit(value))
            if index in (6, 8, 10):
                taps.append(value)
        levels, deeper = [], None
        for tap, neck, head in zip(reversed(taps), self.neck, self.heads):
            if deeper is not None:
                tap = tap + F.interpolate(deeper, scale_factor=2, mode="nearest")
            deeper = F.relu(neck(tap))
            levels.insert(0, head(deeper))
        return levels


class Detector(Network):
    def __init__(self, weights, _config):
        super().__init__(DetectorEncoder(weights))

    def forward(self, picture):
        levels = self.encoder(self.arranged(picture))
        return torch.cat([level.flatten(1) for level in levels], 1).float()


class Residual(nn.Module):
    def __init__(self, weights, name, stride, has_shortcut):
        super().__init__()
        self.first = convolution(weights, f"{name}.first", stride)
        self.second = convolution(weights, f"{name}.second")
        self.shortcut = convolution(weights, f"{name}.shortcut", stride) if has_shortcut else nn.Identity()

    def forward(self, value):
        return F.relu(self.second(F.relu(self.first(value))) + self.shortcut(value))


class Face(Network):
    def __init__(self, weights, config):
        layers, channels = [convolution(weights, "stem", stride=2), nn.ReLU()], config["stem"]
        for stage, widths in enumerate(config["stages"]):
            for block, width in enumerate(widths):
                stride = 2 if stage and not block else 1
                has_shortcut = stride == 2 or channels != width
                layers.append(Residual(weights, f"stages.{stage}.{block}", stride, has_shortcut))
                channels = width
        super().__init__(nn.Sequential(*layers))
        self.head = linear(weights.read("head.weight").T, weights.read("head.bias"))

    def forward(self, crop):
        pooled = self.encoder(self.arranged(crop)).float().mean((2, 3))
        return torch.cat([pooled, self.head(pooled)], 1)


def build(model, precision):
    file, config = manifest(model)
    kinds = {"text": Text, "voice": Voice, "detector": Detector, "face": Face}
    return kinds[model](Weights(file), config).cast(PRECISIONS[precision]).eval()


def has_pictures(model):
    return model in ("detector", "face")


def operations(model, row):
    """Of one row: two for each multiplication in matrices, convolutions and attention; nothing else is counted."""
    counts = []

    def count(layer, given, result):
        if isinstance(layer, Attention):
            _, length, width = given[0].shape
            counts.append(2 * length * length * width)
        elif isinstance(layer, nn.Linear):
            counts.append(result.numel() * layer.in_features)
        else:
            counts.append(result[0, 0].numel() * layer.weight.numel())

    network = build(model, "f32")
    for layer in network.modules():
        if isinstance(layer, (Attention, nn.Linear, nn.Conv1d, nn.Conv2d)):
            layer.register_forward_hook(count)
    with torch.inference_mode():
        network(torch.from_numpy(row))
    return 2 * sum(counts)


def weight_bytes(network):
    """All weights in their precision, but for the table of words, of which a batch reads a few rows only."""
    tables = {id(layer.weight) for layer in network.modules() if isinstance(layer, nn.Embedding)}
    values = [*network.parameters(), *network.buffers()]
    return sum(value.numel() * value.element_size() for value in values if id(value) not in tables)
