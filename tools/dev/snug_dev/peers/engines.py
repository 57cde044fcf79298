# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How each peer converts, loads and runs a network. float32 throughout, batch 1.

Runs in the peers' own environment; a peer's package is imported when it is used.
`load` returns what the engine says of itself; `run` takes the input in ONNX's
order and returns what the engine gives; `finish` brings that to ONNX's order.
"""

import os
import subprocess
import sys


class OnnxRuntime:
    packages = ["onnxruntime", "numpy"]
    converted = None  # reads ONNX itself

    def load(self, path, threads):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.name = self.session.get_inputs()[0].name
        return onnxruntime.__version__

    def run(self, values):
        return self.session.run(None, {self.name: values})[0]

    def finish(self, values):
        return values


class OpenVino:
    packages = ["openvino", "numpy"]
    converted = None

    def load(self, path, threads):
        import openvino
        # It takes bfloat16 where the processor has it, unless told not to.
        settings = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": str(threads),
                    "INFERENCE_PRECISION_HINT": "f32"}
        self.request = openvino.Core().compile_model(path, "CPU", settings).create_infer_request()
        return openvino.__version__.split("-")[0]

    def run(self, values):
        self.request.infer([values], share_inputs=True, share_outputs=True)
        return self.request.get_output_tensor(0).data

    def finish(self, values):
        return values.copy()


class Ncnn:
    packages = ["ncnn", "pnnx", "numpy"]
    converted = "ncnn"
    HALF = ["use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage", "use_bf16_packed"]

    @staticmethod
    def convert(model, folder, shape):
        import importlib.util
        package = importlib.util.find_spec("pnnx").submodule_search_locations[0]
        os.makedirs(folder, exist_ok=True)
        link = os.path.join(folder, "network.onnx")  # results are written beside the model
        if not os.path.lexists(link):
            os.symlink(os.path.abspath(model), link)
        subprocess.run([os.path.join(package, "pnnx"), "network.onnx", "inputshape=[" + ",".join(map(str, shape)) + "]", "fp16=0"],
                       cwd=folder, check=True, stdout=sys.stderr)
        for name in os.listdir(folder):  # what it leaves besides is several times the network
            if not name.startswith("network.ncnn."):
                os.remove(os.path.join(folder, name))

    def load(self, path, threads):
        import ncnn
        self.ncnn = ncnn
        self.net = ncnn.Net()
        self.net.opt.num_threads = threads
        for name in self.HALF:
            if hasattr(self.net.opt, name):
                setattr(self.net.opt, name, False)
        for status in (self.net.load_param(path + "/network.ncnn.param"), self.net.load_model(path + "/network.ncnn.bin")):
            if status != 0:
                raise RuntimeError(f"ncnn cannot load the converted network, status {status}")
        return ncnn.__version__

    def run(self, values):
        extractor = self.net.create_extractor()
        extractor.input("in0", self.ncnn.Mat(values[0]))
        status, result = extractor.extract("out0")
        if status != 0:
            raise RuntimeError(f"ncnn cannot run the network, status {status}")
        return result

    def finish(self, values):
        import numpy as np
        return np.array(values)[None]


class LiteRt:
    packages = ["ai-edge-litert", "flatbuffers", "onnx", "numpy"]
    converted = "tflite"

    @staticmethod
    def convert(model, path, shape):
        from snug_dev.peers import tflite
        tflite.convert(model, path)

    def load(self, path, threads):
        import importlib.metadata

        from ai_edge_litert.interpreter import Interpreter
        self.interpreter = Interpreter(path, num_threads=threads)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]["index"]
        self.output = self.interpreter.get_output_details()[0]["index"]
        return importlib.metadata.version("ai-edge-litert")

    def prepare(self, values):
        # Its own order: a caller would hold images that way.
        import numpy as np
        return np.ascontiguousarray(values.transpose(0, 2, 3, 1)) if values.ndim == 4 else values

    def run(self, values):
        self.interpreter.set_tensor(self.input, values)
        self.interpreter.invoke()
        return self.interpreter.tensor(self.output)

    def finish(self, values):
        values = values().copy()
        return values.transpose(0, 3, 1, 2) if values.ndim == 4 else values


# By the names of the command line, with the module that `import` takes.
ENGINES = {"onnxruntime": OnnxRuntime, "openvino": OpenVino, "ncnn": Ncnn, "litert": LiteRt}
MODULES = {"onnxruntime": "onnxruntime", "openvino": "openvino", "ncnn": "ncnn", "litert": "ai_edge_litert.interpreter"}
