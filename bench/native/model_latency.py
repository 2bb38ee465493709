"""model_latency.py FOLDER TREES: a model of TREES trees as XGBoost, TL2cgen and ONNX Runtime want it, for bench/model-latency.ts.

Writes FOLDER/model.json, rows.f32, tl2cgen.so, model.onnx. Prints one JSON line: seconds tl2cgen took to generate and to
compile, and ns of one row through ONNX Runtime's Python session, one thread (its call from Python is part of it).
"""

import json
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import onnxruntime
import tl2cgen
import treelite
import xgboost
from onnxmltools.convert import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

FEATURES, FIT_ROWS, ROWS, CALLS = 15, 20_000, 4_096, 5_000
folder, trees = sys.argv[1], int(sys.argv[2])
random = np.random.default_rng(7)
x = random.random((FIT_ROWS, FEATURES)).astype(np.float32)
y = (x[:, 0] * x[:, 1] + 0.5 * np.sin(6 * x[:, 2]) + 0.3 * random.standard_normal(FIT_ROWS) > 0.4).astype(np.float32)
settings = {"objective": "binary:logistic", "max_depth": 6, "eta": 0.1, "nthread": 1, "seed": 7}
booster = xgboost.train(settings, xgboost.DMatrix(x, y, nthread=1), trees)
booster.save_model(f"{folder}/model.json")
rows = random.random((ROWS, FEATURES)).astype(np.float32)
rows.tofile(f"{folder}/rows.f32")

model = treelite.frontend.load_xgboost_model(f"{folder}/model.json")
start = time.perf_counter()
tl2cgen.generate_c_code(model, dirpath=f"{folder}/tl2cgen", params={})
generated = time.perf_counter()
sources = [f"{folder}/tl2cgen/{name}" for name in os.listdir(f"{folder}/tl2cgen") if name.endswith(".c")]
if os.spawnvp(os.P_WAIT, "gcc", ["gcc", "-O3", "-std=c99", "-shared", "-fPIC", "-o", f"{folder}/tl2cgen.so", *sources, "-lm"]):
    sys.exit(1)
compiled = time.perf_counter()

onnx = convert_xgboost(booster, initial_types=[("row", FloatTensorType([None, FEATURES]))])
with open(f"{folder}/model.onnx", "wb") as file:
    file.write(onnx.SerializeToString())
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(f"{folder}/model.onnx", options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
output = [session.get_outputs()[1].name]
taken = np.empty(CALLS)
for call in range(CALLS):
    row = {name: rows[call % ROWS : call % ROWS + 1]}
    before = time.perf_counter_ns()
    session.run(output, row)
    taken[call] = time.perf_counter_ns() - before
warm = taken[CALLS // 5 :]
print(
    json.dumps(
        {
            "generateSeconds": generated - start,
            "compileSeconds": compiled - generated,
            "onnxNsP50": float(np.percentile(warm, 50)),
            "onnxNsP99": float(np.percentile(warm, 99)),
            "xgboostLibrary": os.path.join(os.path.dirname(xgboost.__file__), "lib", "libxgboost.so"),
        }
    )
)
