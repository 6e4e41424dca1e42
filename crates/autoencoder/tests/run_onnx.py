"""Runs an ONNX model in Microsoft's runtime: float32 windows on standard input, their reconstructions on standard output."""

import sys

import numpy
import onnxruntime

model, input_name, output_name, length = sys.argv[1:]
windows = numpy.frombuffer(sys.stdin.buffer.read(), dtype="<f4").reshape(-1, int(length))
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
(reconstructions,) = session.run([output_name], {input_name: windows})
sys.stdout.buffer.write(reconstructions.astype("<f4").tobytes())
