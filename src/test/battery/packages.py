"""Models of Python packages, with the inputs that each package's own code passes to ONNX Runtime."""
import contextlib
import importlib.util
import io
import logging
import tempfile
import wave
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageDraw, ImageFont

# basic-pitch warns about each runtime that is not installed.
logging.disable(logging.WARNING)

SAMPLES_PER_SECOND = 16000
DURATION_SECONDS = 3


def speech():
    """An imitation of a voice: harmonics of 180 Hz, in syllables with pauses."""
    time = np.arange(DURATION_SECONDS * SAMPLES_PER_SECOND) / SAMPLES_PER_SECOND
    tone = sum(np.sin(2 * np.pi * 180 * n * time) / n for n in range(1, 8))
    return (0.2 * tone * np.clip(np.sin(2 * np.pi * 2 * time), 0, 1)).astype(np.float32)


def picture():
    """Two lines of text, black on white."""
    image = Image.new("RGB", (480, 160), "white")
    draw = ImageDraw.Draw(image)
    for line, text in enumerate(["Invoice 2026-117", "Total 1,204.50"]):
        draw.text((20, 20 + 70 * line), text, fill="black", font=ImageFont.load_default(36))
    return image


def magika(folder):
    from magika import Magika
    (folder / "a").write_text("import os\nprint(os.environ)\n" * 40)
    (folder / "b").write_text("name,age\nAda,36\n" * 60)
    Magika().identify_paths([folder / "a", folder / "b"])


def basic_pitch(folder):
    from basic_pitch import FilenameSuffix, build_icassp_2022_model_path
    from basic_pitch.inference import predict
    with wave.open(str(folder / "speech.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLES_PER_SECOND)
        file.writeframes((speech() * 32767).astype("<i2").tobytes())
    predict(folder / "speech.wav", build_icassp_2022_model_path(FilenameSuffix.onnx))


def rapidocr(folder):
    from rapidocr_onnxruntime import RapidOCR
    # With the default of 736 pixels for the shorter side, the input has 6 million numbers.
    RapidOCR(det_limit_side_len=160)(np.array(picture()))


def ddddocr(folder):
    from ddddocr import DdddOcr
    file = io.BytesIO()
    picture().crop((140, 10, 470, 80)).save(file, "PNG")
    DdddOcr(show_ad=False).classification(file.getvalue())
    DdddOcr(det=True, ocr=False, show_ad=False).detection(file.getvalue())


def nudenet(folder):
    from nudenet import NudeDetector
    NudeDetector().detect(np.array(picture()))


def speechmos(folder):
    from speechmos import aecmos, dnsmos, plcmos
    voice = speech()
    dnsmos.run(voice, SAMPLES_PER_SECOND)
    plcmos.run(voice, SAMPLES_PER_SECOND)
    aecmos.run({"lpb": voice, "mic": voice / 2, "enh": voice / 4}, SAMPLES_PER_SECOND, "st")


def silero():
    """The models of silero-vad. Its code needs PyTorch, so this function makes the same inputs without it."""
    data = Path(*importlib.util.find_spec("silero_vad").submodule_search_locations) / "data"
    # Each frame has 512 samples, preceded by the last 64 samples of the frame before.
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(speech(), (64, 0)), 576)[::512]
    yield data / "silero_vad.onnx", {"input": frames[9:10], "state": np.zeros((2, 1, 128), np.float32),
                                     "sr": np.array(SAMPLES_PER_SECOND)}
    zeros = np.zeros((1, 1, 128), np.float32)
    yield data / "silero_vad_16k_sequence.onnx", {"input": frames[:16], "h": zeros, "c": zeros}


def tensor(node, value):
    kind = node.type.removeprefix("tensor(").removesuffix(")")
    return np.array(value, {"float": "float32"}.get(kind, kind))


def models():
    """The models: (name, file, inputs)."""
    inputs = {}
    run = onnxruntime.InferenceSession.run

    def record(session, outputs, feed, *options):
        file = Path(session._model_path)
        if file not in inputs:
            inputs[file] = {node.name: tensor(node, feed[node.name]) for node in session.get_inputs()}
        return run(session, outputs, feed, *options)

    onnxruntime.InferenceSession.run = record
    try:
        for package in (magika, basic_pitch, rapidocr, ddddocr, nudenet, speechmos):
            with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
                package(Path(folder))
    finally:
        onnxruntime.InferenceSession.run = run
    inputs.update(silero())
    for file, feed in inputs.items():
        package = next(parent.name for parent in file.parents if parent.parent.name == "site-packages")
        yield f"{package}-{file.stem}", file.read_bytes(), feed
