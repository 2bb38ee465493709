"""export_model.py MODEL OUT.c GOLDEN.csv: a saved model as C source, and rows with what its own trainer answers for them.

Beside MODEL may stand MODEL.calibration.json: {"threshold": 0..1, "points": [[score, share], …]}.
Ends with 65 and one line when the model is of a kind that the tables cannot represent.
"""

import json
import os
import sys

import numpy as np

from golden_rows import golden_rows, write_golden
from refusal import Refusal

BAD_INPUT = 65
DEFAULT_THRESHOLD = 0.05


def main(model_path: str, source_path: str, golden_path: str) -> int:
    extra = read_extra(f"{model_path}.calibration.json")
    points = extra.get("points", [])
    # torch and the tree libraries live in environments of their own; only one of them is here.
    if model_path.endswith(".pt"):
        from mlp_model import mlp_scores as native_scores, read_mlp as read_model
        from mlp_source import mlp_source as model_source
    else:
        from forest_source import forest_source as model_source
        from model_file import native_scores, read_forest as read_model
    model = read_model(model_path)
    source = model_source(model, float(extra.get("threshold", DEFAULT_THRESHOLD)), points)
    rows = golden_rows(model.turning_points())
    scores = native_scores(model_path, rows)
    columns = {"predict_mev": scores, "predict_arb": scores}
    if points:
        low, high = (np.array(side, np.float32).astype(np.float64) for side in zip(*points))
        columns["calibrate_tip"] = np.interp(scores, low, high)
    with open(source_path, "w", encoding="ascii") as file:
        file.write(source)
    write_golden(golden_path, rows, columns)
    return 0


def read_extra(path: str) -> dict:
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:4]))
    except Refusal as refusal:
        sys.stderr.write(f"Cannot export {sys.argv[1]}: {refusal}\n")
        sys.exit(BAD_INPUT)
