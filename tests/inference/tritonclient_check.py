"""Runs NVIDIA's own client for the Open Inference Protocol against a running server, over HTTP and gRPC.

    python3 -m venv venv && venv/bin/pip install 'tritonclient[http,grpc]'
    venv/bin/python tests/inference/tritonclient_check.py 127.0.0.1:8080

The server must allow load and unload from here, as it does by default on the machine it runs on. Every check prints a
line; the program ends with 1 where one failed.
"""

import queue
import sys
import time
import traceback
from pathlib import Path

import numpy as np
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
from tritonclient.grpc import service_pb2
from tritonclient.utils import InferenceServerException

CALL = Path(__file__).resolve().parents[2] / "samples" / "call"
MODELS = ["detector", "face", "face_emotion", "text", "text_emotion", "voice", "voice_emotion"]
CATEGORIES = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear"]
TEXTS = ["I am so angry with you people, I am furious!", "Thank you so much, that was kind of you."]
# A deadline that cannot be kept is refused at once, as far as the server can tell; another one passes.
LATE = ["deadline", "Deadline", "the server is full"]
DATATYPES = {np.dtype("float32"): "FP32", np.dtype("uint8"): "UINT8", np.dtype("object"): "BYTES"}


def texts(values):
    return np.array([value.encode() if isinstance(value, str) else value for value in values], dtype=object)


def refused(action, *expected):
    """Runs what must fail, and gives the client's exception."""
    try:
        action()
    except InferenceServerException as error:
        words = f"{error.status()} {error.message()}"
        assert any(word in words for word in expected), f"{words!r} has none of {expected}"
        return words
    raise AssertionError(f"expected a refusal with one of {expected}")


class Wire:
    """What both clients have in common."""

    def __init__(self, module, client):
        self.module, self.client = module, client

    def tensor(self, name, array, **how):
        tensor = self.module.InferInput(name, list(array.shape), DATATYPES[array.dtype])
        tensor.set_data_from_numpy(array, **how)
        return tensor

    def infer(self, model, name, array, outputs=None, how=None, **options):
        return self.client.infer(model, [self.tensor(name, array, **(how or {}))], outputs=outputs, **options)

    # The checks; they run in the order of their names.

    def check_health(self):
        assert self.client.is_server_live() and self.client.is_server_ready()
        for model in MODELS:
            assert self.client.is_model_ready(model), model
        assert not self.client.is_model_ready("none")
        assert not self.client.is_model_ready("text", "999")

    def check_text(self):
        result = self.infer("text", "text", texts(TEXTS), request_id="call-7")
        scores = result.as_numpy("categories")
        assert scores.shape == (2, 7) and np.allclose(scores.sum(axis=1), 1, atol=1e-4), scores
        assert CATEGORIES[scores[0].argmax()] == "anger", scores[0]
        assert CATEGORIES[scores[1].argmax()] == "happiness", scores[1]
        assert result.as_numpy("labels").shape[0] == 2 and result.as_numpy("dimensions").shape == (2, 3)
        assert result.as_numpy("abstain").shape == (2,)
        return f"anger {scores[0][4]:.3f}, happiness {scores[1][1]:.3f}"

    def check_classification(self):
        wanted = self.module.InferRequestedOutput("categories", class_count=2)
        result = self.infer("text", "text", texts(TEXTS), [wanted])
        classes = result.as_numpy("categories")
        assert classes.shape == (2, 2), classes
        score, index, name = classes[0][0].decode().split(":")
        assert name == CATEGORIES[int(index)] == "anger" and 0 < float(score) <= 1, classes
        return classes[0][0].decode()

    def check_tensors(self):
        hum = 0.2 * np.sin(np.arange(16_000, dtype=np.float32) / 16_000 * 200 * 2 * np.pi)
        voice = self.infer("voice", "waveform", np.stack([hum, hum]).astype(np.float32))
        assert voice.as_numpy("categories").shape == (2, 7)
        crops = np.random.default_rng(7).integers(0, 256, (3, 48, 48), dtype=np.uint8)
        faces = self.infer("face", "crop", crops)
        assert faces.as_numpy("labels").shape == (3, 8) and faces.as_numpy("dimensions").shape == (3, 2)
        frames = np.zeros((1, 120, 160, 3), dtype=np.uint8)
        found = self.infer("detector", "frame", frames)
        assert found.as_numpy("boxes").shape == (0, 4) and found.as_numpy("landmarks").shape == (0, 10)

    def check_pipelines(self):
        speech = (CALL / "speech.flac").read_bytes()
        voice = self.infer("voice_emotion", "audio", texts([speech]))
        assert voice.as_numpy("categories").shape == (1, 7) and voice.as_numpy("duration_ms")[0] > 1_000
        images = [path.read_bytes() for path in sorted((CALL / "frames").glob("*.jpg"))[:2]]
        faces = self.infer("face_emotion", "image", texts(images))
        index, boxes = faces.as_numpy("image_index"), faces.as_numpy("boxes")
        assert len(index) == len(boxes) == len(faces.as_numpy("categories")) > 0, index
        assert set(index) <= {0, 1} and (boxes[:, 2:] > 0).all()
        language = self.infer("text_emotion", "text", texts(["我的退款怎么还没到账"])).as_numpy("language")
        assert language[0].decode().startswith("zh"), language
        return f"{voice.as_numpy('duration_ms')[0]} ms of speech, {len(index)} faces in 2 pictures"

    def check_parameters(self):
        self.infer("text", "text", texts(TEXTS), priority=2, timeout=5_000_000, sequence_id=7)
        self.infer("text", "text", texts(TEXTS), parameters={"colour": "red"})
        started = time.monotonic()
        many = texts(["a rather long sentence about a parcel that never came " * 8] * 64)
        words = refused(lambda: self.infer("text", "text", many, timeout=1_000), *LATE)
        assert time.monotonic() - started < 5
        return words

    def check_refusals(self):
        refused(lambda: self.infer("none", "text", texts(["a"])), "no model")
        refused(lambda: self.infer("text", "words", texts(["a"])), "no input")
        refused(lambda: self.infer("text", "text", texts([b"\xff\xfe"])), "UTF-8")
        refused(lambda: self.infer("text", "text", texts(["a"] * 100_000)), "rows")
        refused(lambda: self.infer("text", "text", texts(["a"]), model_version="999"), "version")
        refused(lambda: self.infer("voice", "waveform", np.zeros((1, 10), np.float32)), "samples")
        refused(lambda: self.infer("face_emotion", "image", texts([b"no picture"])), "row 0")
        wanted = self.module.InferRequestedOutput("colour")
        refused(lambda: self.infer("text", "text", texts(["a"]), [wanted]), "no output")

    def check_repository(self):
        index = {(one["name"], one["state"]) for one in self.index()}
        assert {(model, "READY") for model in MODELS} <= index, index
        refused(lambda: self.client.load_model("none"), "no model")
        refused(lambda: self.client.load_model("text_emotion"), "made of")
        refused(lambda: self.client.load_model("text", config="{}"), "folders")
        self.client.unload_model("text")
        try:
            assert not self.client.is_model_ready("text") and not self.client.is_model_ready("text_emotion")
            assert self.client.is_model_ready("voice_emotion")
            refused(lambda: self.infer("text", "text", texts(["a"])), "not loaded")
        finally:
            self.client.load_model("text")
        assert self.client.is_model_ready("text_emotion")
        self.infer("text", "text", texts(["back again"]))


class Http(Wire):
    def __init__(self, address):
        super().__init__(triton_http, triton_http.InferenceServerClient(address))

    def index(self):
        return self.client.get_model_repository_index()

    def check_metadata(self):
        server = self.client.get_server_metadata()
        assert server["name"] == "heartline" and "binary_tensor_data" in server["extensions"], server
        for model in MODELS:
            found = self.client.get_model_metadata(model)
            assert found["name"] == model and found["inputs"] and found["outputs"], found
            assert self.client.get_model_metadata(model, found["versions"][0])["versions"] == found["versions"]
        return ", ".join(server["extensions"])

    def check_json(self):
        """The same in JSON and as bytes, in both directions."""
        outputs = ["categories", "labels", "abstain"]
        wanted = lambda binary: [self.module.InferRequestedOutput(name, binary_data=binary) for name in outputs]
        plain = self.infer("text", "text", texts(TEXTS), wanted(False), {"binary_data": False}, request_id="j")
        binary = self.infer("text", "text", texts(TEXTS), wanted(True), {"binary_data": True})
        assert plain.get_response()["id"] == "j" and "data" in plain.get_output("categories")
        assert "data" not in binary.get_output("categories")
        assert np.allclose(plain.as_numpy("categories"), binary.as_numpy("categories"), atol=1e-5)
        assert np.allclose(plain.as_numpy("labels"), binary.as_numpy("labels"), atol=1e-5)

    def check_asynchronous(self):
        tensor = self.tensor("text", texts(TEXTS))
        client = triton_http.InferenceServerClient(self.client._parsed_url.netloc, concurrency=4)
        waiting = [client.async_infer("text", [tensor]) for _ in range(16)]
        assert all(one.get_result().as_numpy("categories").shape == (2, 7) for one in waiting)

    def check_statistics(self):
        found = self.client.get_inference_statistics()["model_stats"]
        assert {one["name"] for one in found} == set(MODELS), found
        one = self.client.get_inference_statistics("text_emotion")["model_stats"][0]
        assert one["inference_count"] >= one["execution_count"] > 0, one
        text = self.client.get_inference_statistics("text")["model_stats"][0]
        assert text["inference_count"] > 0 and text["inference_stats"]["success"]["count"] > 0, text
        return f"text: {text['inference_count']} rows in {text['execution_count']} executions"


class Grpc(Wire):
    def __init__(self, address):
        super().__init__(triton_grpc, triton_grpc.InferenceServerClient(address))

    def index(self):
        return self.client.get_model_repository_index(as_json=True)["models"]

    def check_metadata(self):
        server = self.client.get_server_metadata()
        assert server.name == "heartline" and "statistics" in server.extensions, server
        for model in MODELS:
            found = self.client.get_model_metadata(model)
            assert found.name == model and found.inputs and found.outputs, found
        return server.version

    def check_typed(self):
        """Typed contents are answered with typed contents, raw ones with raw ones."""
        request = service_pb2.ModelInferRequest(model_name="text", id="t")
        request.inputs.add(name="text", datatype="BYTES", shape=[1]).contents.bytes_contents.append(b"Thank you!")
        response = self.client._client_stub.ModelInfer(request)
        scores = dict((output.name, output) for output in response.outputs)["categories"].contents.fp32_contents
        assert response.id == "t" and len(scores) == 7 and not response.raw_output_contents, response

    def check_stream(self):
        answers = queue.Queue()
        self.client.start_stream(callback=lambda result, error: answers.put((result, error)))
        for number in range(20):
            model = "none" if number == 5 else "text"
            tensor = self.tensor("text", texts([f"message {number}"]))
            marked = {"enable_empty_final_response": True} if number == 0 else {}
            self.client.async_stream_infer(model, [tensor], request_id=str(number), **marked)
        for number in range(20):
            result, error = answers.get(timeout=60)
            if number == 5:
                assert error is not None and "no model" in error.message(), error
                continue
            assert error is None, error
            assert result.get_response().id == str(number), f"{result.get_response().id} came at {number}"
            assert ("triton_final_response" in result.get_response().parameters) == (number == 0)
        self.client.stop_stream()
        return "20 answers in order, one of them an error"

    def check_client_timeout(self):
        many = texts(["a rather long sentence about a parcel that never came " * 8] * 64)
        return refused(lambda: self.infer("text", "text", many, client_timeout=0.02), *LATE)

    def check_statistics(self):
        found = self.client.get_inference_statistics().model_stats
        assert {one.name for one in found} == set(MODELS), found
        one = self.client.get_inference_statistics("face_emotion").model_stats[0]
        assert one.inference_count >= one.execution_count > 0 and one.inference_stats.compute_infer.ns > 0, one
        return f"face_emotion: {one.inference_count} rows in {one.execution_count} executions"


def main():
    address = sys.argv[1]
    failures = 0
    for wire in [Http(address), Grpc(address)]:
        kind = type(wire).__name__.lower()
        for name in sorted(dir(wire)):
            if not name.startswith("check_"):
                continue
            try:
                said = getattr(wire, name)()
                print(f"ok    {kind} {name.removeprefix('check_')}" + (f": {said}" if said else ""), flush=True)
            except Exception:
                failures += 1
                print(f"FAIL  {kind} {name.removeprefix('check_')}\n{traceback.format_exc()}", flush=True)
    print("all checks passed" if failures == 0 else f"{failures} checks failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
