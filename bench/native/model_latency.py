"""model_latency.py FOLDER TREES: a model of TREES trees as XGBoost, TL2cgen, lleaves and ONNX Runtime want it, for bench/model-latency.ts.

Writes FOLDER/model.json, rows.f32, tl2cgen.so, lleaves.so, model.onnx. Prints one JSON line: seconds tl2cgen took to generate and to
compile, seconds lleaves took, and ns of one row through ONNX Runtime's Python session, one thread (its call from Python is part of it).
"""

import json
import math
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"

import lleaves
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



def lightgbm_text(saved):
    """XGBoost's saved trees in LightGBM's text, which is what lleaves reads: the same tests, since x < t of floats is x <= the float below t."""
    learner = saved["learner"]
    base = float(learner["learner_model_param"]["base_score"].strip("[]"))
    blocks = [
        f"tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx={FEATURES - 1}\nobjective=binary sigmoid:1\n"
        f"feature_names={' '.join(f'f{i}' for i in range(FEATURES))}\nfeature_infos={' '.join(['[0:1]'] * FEATURES)}\ntree_sizes={' '.join(['0'] * trees)}\n"
    ]
    for number, tree in enumerate(learner["gradient_booster"]["model"]["trees"]):
        left, right, values = tree["left_children"], tree["right_children"], tree["split_conditions"]
        inner = [node for node in range(len(left)) if left[node] >= 0]
        leaves = [node for node in range(len(left)) if left[node] < 0]
        place = {node: i for i, node in enumerate(inner)} | {node: -1 - i for i, node in enumerate(leaves)}
        first = math.log(base / (1 - base)) if number == 0 else 0.0
        lines = {
            "num_leaves": [len(leaves)],
            "num_cat": [0],
            "split_feature": [tree["split_indices"][node] for node in inner],
            "threshold": [repr(float(np.nextafter(np.float32(values[node]), np.float32(-np.inf)))) for node in inner],
            # 8: what is missing is NaN; 2: and goes left.
            "decision_type": [10 if tree["default_left"][node] else 8 for node in inner],
            "left_child": [place[left[node]] for node in inner],
            "right_child": [place[right[node]] for node in inner],
            "leaf_value": [repr(values[node] + first) for node in leaves],
        }
        blocks.append(f"Tree={number}\n" + "\n".join(f"{name}={' '.join(map(str, row))}" for name, row in lines.items()) + "\n")
    return "\n".join([*blocks, "end of trees\n", "pandas_categorical:null\n"])


with open(f"{folder}/model.json") as file, open(f"{folder}/lightgbm.txt", "w") as text:
    text.write(lightgbm_text(json.load(file)))
start_lleaves = time.perf_counter()
# As its documentation advises for single rows: one block, the small code model; floats, as ours.
lleaves.Model(f"{folder}/lightgbm.txt").compile(f"{folder}/lleaves.o", fblocksize=trees, fcodemodel="small", use_fp64=False)
if os.spawnvp(os.P_WAIT, "gcc", ["gcc", "-shared", "-o", f"{folder}/lleaves.so", f"{folder}/lleaves.o", "-lm"]):
    sys.exit(1)
compiled_lleaves = time.perf_counter()

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
            "lleavesSeconds": compiled_lleaves - start_lleaves,
            "onnxNsP50": float(np.percentile(warm, 50)),
            "onnxNsP99": float(np.percentile(warm, 99)),
            "xgboostLibrary": os.path.join(os.path.dirname(xgboost.__file__), "lib", "libxgboost.so"),
        }
    )
)
