"""Heartline's networks as ONNX graphs, built from the weights that Heartline ships, with what each layer costs."""

import math

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from weights import Weights


class Graph:
    """Collects nodes, and counts the operations and bytes of one row."""

    def __init__(self, weights: Weights):
        self.weights, self.nodes, self.initializers = weights, [], []
        self.operations = self.weight_bytes = self.activation_bytes = 0

    def constant(self, value, name=None, counted=True):
        name = name or f"c{len(self.initializers)}"
        value = np.ascontiguousarray(value)
        self.initializers.append(numpy_helper.from_array(value, name))
        if counted and value.dtype == np.float32:
            self.weight_bytes += value.nbytes
        return name

    def node(self, kind, inputs, outputs=1, domain="", **attributes):
        names = [f"t{len(self.nodes)}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def count(self, multiplications, results):
        self.operations += 2 * multiplications
        self.activation_bytes += 4 * results

    def convolution(self, name, value, sides, stride=1, groups=1, relu=False):
        """A convolution with its bias; `sides` are those of the result."""
        weight, bias = self.weights.read(name + ".weight"), self.weights.read(name + ".bias")
        places = math.prod(sides)
        self.count(places * weight.size, places * weight.shape[0])
        kernel = weight.shape[2:]
        pads = [side // 2 for side in kernel] * 2
        value = self.node("Conv", [value, self.constant(weight), self.constant(bias)], group=groups,
                          strides=[stride] * len(kernel), pads=pads, kernel_shape=list(kernel))
        return self.node("Relu", [value]) if relu else value

    def linear(self, weight, bias, value, rows):
        """`weight` has a row for each output."""
        self.count(rows * weight.size, rows * weight.shape[0])
        product = self.node("MatMul", [value, self.constant(weight.T)])
        return self.node("Add", [product, self.constant(bias)])

    def linear_gelu(self, weight, bias, value, rows):
        self.count(rows * weight.size, rows * weight.shape[0])
        product = self.node("MatMul", [value, self.constant(weight.T)])
        return self.node("BiasGelu", [product, self.constant(bias)], domain="com.microsoft")

    def attention(self, weight, bias, value, heads, rows):
        """onnxruntime's own fused operator, which its optimiser for transformers makes."""
        width = weight.shape[1]
        self.count(rows * weight.size + 2 * rows * rows * width, 4 * rows * width)
        return self.node("Attention", [value, self.constant(weight.T), self.constant(bias)],
                         domain="com.microsoft", num_heads=heads)

    def norm(self, value, scale, shift, epsilon):
        return self.node("LayerNormalization", [value, self.constant(scale), self.constant(shift)],
                         axis=-1, epsilon=epsilon)

    def build(self, input_shape, outputs, path, kind=TensorProto.FLOAT):
        source = helper.make_tensor_value_info("input", kind, input_shape)
        targets = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self.nodes, "network", [source], targets, self.initializers)
        imports = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
        onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=10), path)
        return self


def detector(weights, config, path, side):
    graph = Graph(weights)

    def unit(name, value, side, relu=True):
        value = graph.convolution(f"{name}.pointwise", value, [side, side])
        channels = weights.read(f"{name}.depthwise.weight").shape[0]
        return graph.convolution(f"{name}.depthwise", value, [side, side], groups=channels, relu=relu)

    half = side // 2
    value = graph.convolution("stem", "input", [half, half], stride=2, relu=True)
    taps = []
    for index in range(11):
        if index in (1, 5, 7, 9):
            value = graph.node("MaxPool", [value], kernel_shape=[2, 2], strides=[2, 2])
            half //= 2
        value = unit(f"backbone.{index}", value, half)
        if index in (6, 8):
            taps.append((value, half))
    taps.append((value, half))
    outputs, deeper = [], None
    scales = graph.constant(np.array([1, 1, 2, 2], np.float32), counted=False)
    for stride, (tap, half) in zip((32, 16, 8), reversed(taps)):
        if deeper:
            doubled = graph.node("Resize", [deeper, "", scales], mode="nearest",
                                 coordinate_transformation_mode="asymmetric", nearest_mode="floor")
            tap = graph.node("Add", [tap, doubled])
        deeper = unit(f"neck.{stride}", tap, half)
        outputs.insert(0, unit(f"heads.{stride}", deeper, half, relu=False))
    return graph.build(["rows", 3, side, side], outputs, path)


def face(weights, config, path):
    graph = Graph(weights)
    side = config["side"] // 2
    value = graph.convolution("stem", "input", [side, side], stride=2, relu=True)
    channels = config["stem"]
    for stage, widths in enumerate(config["stages"]):
        for block, width in enumerate(widths):
            name, stride = f"stages.{stage}.{block}", 2 if stage and not block else 1
            side //= stride
            hidden = graph.convolution(f"{name}.first", value, [side, side], stride=stride, relu=True)
            hidden = graph.convolution(f"{name}.second", hidden, [side, side])
            if stride == 2 or channels != width:
                value = graph.convolution(f"{name}.shortcut", value, [side, side], stride=stride)
            value, channels = graph.node("Relu", [graph.node("Add", [hidden, value])]), width
    pooled = graph.node("GlobalAveragePool", [value])
    pooled = graph.node("Flatten", [pooled])
    logits = graph.linear(weights.read("head.weight").T, weights.read("head.bias"), pooled, 1)
    return graph.build(["rows", 1, config["side"], config["side"]], [pooled, logits], path)


def voice(weights, config, path, frames):
    graph, encoder = Graph(weights), config["encoder"]
    width, half = encoder["width"], frames // 2
    value = graph.node("Gelu", [graph.convolution("encoder.stem.first", "input", [frames])])
    value = graph.node("Gelu", [graph.convolution("encoder.stem.second", value, [half], stride=2)])
    value = graph.node("Transpose", [value], perm=[0, 2, 1])
    rates = np.exp(-math.log(10_000) / (width // 2 - 1) * np.arange(width // 2))
    angles = np.arange(half)[:, None] * rates[None]
    positions = np.concatenate([np.sin(angles), np.cos(angles)], 1).astype(np.float16).astype(np.float32)
    value = graph.node("Add", [value, graph.constant(positions)])
    for block in range(encoder["blocks"]):
        def read(part, name=f"encoder.block.{block}"):
            return weights.read(f"{name}.{part}")
        normal = graph.norm(value, read("attention.norm.gamma"), read("attention.norm.beta"), 1e-5)
        mixed = graph.attention(read("attention.query_key_value.weight"), read("attention.query_key_value.bias"),
                                normal, encoder["heads"], half)
        mixed = graph.linear(read("attention.output.weight"), read("attention.output.bias"), mixed, half)
        value = graph.node("Add", [value, mixed])
        normal = graph.norm(value, read("feed_forward.norm.gamma"), read("feed_forward.norm.beta"), 1e-5)
        hidden = graph.linear_gelu(read("feed_forward.expand.weight"), read("feed_forward.expand.bias"), normal, half)
        hidden = graph.linear(read("feed_forward.contract.weight"), read("feed_forward.contract.bias"), hidden, half)
        value = graph.node("Add", [value, hidden])
    outputs = []
    for member in range(config["members"]):
        def read(part, name=f"head.{member}"):
            return weights.read(f"{name}.{part}")
        frame = graph.node("Sub", [value, graph.constant(read("frame.mean"))])
        frame = graph.node("Mul", [frame, graph.constant(read("frame.scale"))])
        hidden = graph.node("Tanh", [graph.linear(read("attention.weight"), read("attention.bias"), frame, half)])
        scores = graph.node("MatMul", [hidden, graph.constant(read("score.weight").T)])
        shares = graph.node("Softmax", [graph.node("Transpose", [scores], perm=[0, 2, 1])], axis=2)
        mean = graph.node("MatMul", [shares, frame])
        square = graph.node("MatMul", [shares, graph.node("Mul", [frame, frame])])
        variance = graph.node("Sub", [square, graph.node("Mul", [mean, mean])])
        least = graph.constant(np.float32(1e-4), counted=False)
        deviation = graph.node("Sqrt", [graph.node("Max", [variance, least])])
        pooled = graph.node("Flatten", [graph.node("Concat", [mean, deviation], axis=2)])
        pooled = graph.node("Sub", [pooled, graph.constant(read("pool.mean"))])
        pooled = graph.node("Mul", [pooled, graph.constant(read("pool.scale"))])
        outputs.append(pooled)
        hidden = graph.linear(read("hidden.weight"), read("hidden.bias"), pooled, 1)
        outputs.append(graph.linear(read("output.weight"), read("output.bias"), graph.node("Gelu", [hidden]), 1))
    return graph.build(["rows", encoder["mel_bands"], frames], outputs, path)


def text(weights, config, path, tokens):
    graph, encoder = Graph(weights), config["encoder"]
    word = graph.constant(weights.read("embeddings.word"), counted=False)
    value = graph.node("Gather", [word, "input"])
    positions = weights.read("embeddings.position")[:tokens] + weights.read("embeddings.kind")
    value = graph.node("Add", [value, graph.constant(positions)])
    epsilon = encoder["epsilon"]
    value = graph.norm(value, weights.read("embeddings.norm.scale"), weights.read("embeddings.norm.shift"), epsilon)
    for block in range(encoder["blocks"]):
        def read(part, name=f"blocks.{block}"):
            return weights.read(f"{name}.{part}")
        fused = [np.concatenate([read(f"attention.{part}.{kind}") for part in ("query", "key", "value")])
                 for kind in ("weight", "bias")]
        mixed = graph.attention(*fused, value, encoder["heads"], tokens)
        mixed = graph.linear(read("attention.output.weight"), read("attention.output.bias"), mixed, tokens)
        value = graph.norm(graph.node("Add", [value, mixed]), read("attention.norm.scale"),
                           read("attention.norm.shift"), epsilon)
        hidden = graph.linear_gelu(read("feed_forward.inner.weight"), read("feed_forward.inner.bias"), value, tokens)
        hidden = graph.linear(read("feed_forward.outer.weight"), read("feed_forward.outer.bias"), hidden, tokens)
        value = graph.norm(graph.node("Add", [value, hidden]), read("feed_forward.norm.scale"),
                           read("feed_forward.norm.shift"), epsilon)
    pooled = graph.node("ReduceMean", [value, graph.constant(np.array([1], np.int64))], keepdims=0)
    names = ("native", "categories", "dimensions", "satisfaction")
    heads = [np.concatenate([weights.read(f"heads.{name}.{kind}") for name in names]) for kind in ("weight", "bias")]
    return graph.build(["rows", tokens], [pooled, graph.linear(*heads, pooled, 1)], path, TensorProto.INT64)
