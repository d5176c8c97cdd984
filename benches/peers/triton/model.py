"""A network in onnxruntime behind Triton's Python backend: one execution for all requests of a batch."""

import json
import os

import numpy as np
import onnxruntime
import triton_python_backend_utils as utils

# `least_deviation` of the face model.
LEAST_DEVIATION = 0.03


class TritonPythonModel:
    def initialize(self, arguments):
        config = json.loads(arguments["model_config"])
        self.name = config["input"][0]["name"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(config["parameters"]["threads"]["string_value"])
        options.inter_op_num_threads = 1
        # Threads that spin between two executions would take the cores from the server itself.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        folder = os.path.join(arguments["model_repository"], arguments["model_version"])
        path = os.path.join(folder, "network.onnx")
        self.session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
        self.output = self.session.get_outputs()[-1].name

    def execute(self, requests):
        parts = [utils.get_input_tensor_by_name(request, self.name).as_numpy() for request in requests]
        rows = parts[0] if len(parts) == 1 else np.concatenate(parts)
        if rows.dtype == np.uint8:
            # The face network reads crops that were brought to mean 0 and deviation 1.
            rows = rows.astype(np.float32) / 255
            deviation = np.maximum(rows.std((1, 2), keepdims=True), LEAST_DEVIATION)
            rows = ((rows - rows.mean((1, 2), keepdims=True)) / deviation)[:, None]
        results = self.session.run([self.output], {"input": rows})[0]
        answers, start = [], 0
        for part in parts:
            tensor = utils.Tensor("output", results[start : start + len(part)])
            answers.append(utils.InferenceResponse([tensor]))
            start += len(part)
        return answers
