"""parity_kinds.py: fits one small model of every kind, exports it, compiles it and compares it with its own trainer.

Prints one JSON line a kind: {"kind", "refused"} or {"kind", "trees", "rows", "largest"}; the difference is of the score, on
the rows of golden_rows.py. A kind that should be refused and is not, or the other way round, is the reader's to see.
"""

import json
import os
import sys
import tempfile

os.environ["OMP_WAIT_POLICY"] = "passive"
os.environ["OMP_NUM_THREADS"] = "1"

import lightgbm
import numpy as np
import xgboost

from forest_source import forest_source
from golden_rows import golden_rows
from library_scores import library_scores
from model_file import native_scores, read_forest
from refusal import Refusal

FEATURES, TRAIN_ROWS, TREES = 12, 3_000, 30
XGBOOST_KINDS = {
    "logistic": {"objective": "binary:logistic"},
    "logistic, exact": {"objective": "binary:logistic", "tree_method": "exact"},
    "logistic, deep leaf-wise": {"objective": "binary:logistic", "max_depth": 12, "max_leaves": 120, "grow_policy": "lossguide"},
    "logistic, weighted, base score": {"objective": "binary:logistic", "scale_pos_weight": 5, "base_score": 0.3},
    "logistic, early stopped and sliced": {"objective": "binary:logistic", "eta": 0.5},
    "logitraw": {"objective": "binary:logitraw"},
    "squared error": {"objective": "reg:squarederror"},
    "dart": {"objective": "binary:logistic", "booster": "dart", "rate_drop": 0.2},
    "poisson": {"objective": "count:poisson"},
    "multiclass": {"objective": "multi:softprob", "num_class": 3},
    "linear": {"objective": "binary:logistic", "booster": "gblinear"},
    "categorical": {"objective": "binary:logistic"},
    "multi-output": {"objective": "reg:squarederror", "multi_strategy": "multi_output_tree"},
}  # fmt: skip
LIGHTGBM_KINDS = {
    "binary": {"objective": "binary"},
    "binary, 255 leaves": {"objective": "binary", "num_leaves": 255, "min_data_in_leaf": 2},
    "binary, sigmoid 2": {"objective": "binary", "sigmoid": 2.0},
    "binary, no missing": {"objective": "binary", "use_missing": False},
    "regression": {"objective": "regression"},
    "cross entropy": {"objective": "cross_entropy"},
    "goss": {"objective": "binary", "data_sample_strategy": "goss"},
    "dart": {"objective": "binary", "boosting": "dart"},
    "random forest": {"objective": "binary", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6},
    "poisson": {"objective": "poisson"},
    "regression sqrt": {"objective": "regression", "reg_sqrt": True},
    "multiclass": {"objective": "multiclass", "num_class": 3},
    "linear tree": {"objective": "regression", "linear_tree": True},
    "categorical": {"objective": "binary", "categorical_feature": [3]},
    "zero as missing": {"objective": "binary", "zero_as_missing": True},
}


def main() -> None:
    rows, labels = sample()
    with tempfile.TemporaryDirectory() as folder:
        for kind, options in XGBOOST_KINDS.items():
            report(folder, f"xgboost {kind}", save_xgboost(folder, kind, options, rows, labels))
        for kind, options in LIGHTGBM_KINDS.items():
            report(folder, f"lightgbm {kind}", save_lightgbm(folder, options, rows, labels))


def sample() -> tuple:
    """Rows with missing values, exact zeros, small whole numbers and some infinities; three classes as labels."""
    random = np.random.default_rng(7)
    rows = random.normal(size=(TRAIN_ROWS, FEATURES)).astype(np.float32)
    rows[:, 3] = random.integers(0, 6, TRAIN_ROWS)
    rows[:, 4][random.random(TRAIN_ROWS) < 0.3] = 0
    sum_of = rows[:, 0] + rows[:, 1] * rows[:, 2] + (rows[:, 3] > 2) + random.normal(scale=0.5, size=TRAIN_ROWS)
    rows[:, 5:9][random.random((TRAIN_ROWS, 4)) < 0.2] = np.nan
    return rows, np.digitize(sum_of, [0.3, 2.0]).astype(np.float64)


def save_xgboost(folder: str, kind: str, options: dict, rows, labels) -> str:
    path = os.path.join(folder, "model.json")
    binary = labels if "num_class" in options else np.minimum(labels, 1)
    if "multi_strategy" in options:
        binary = np.stack([binary, 1 - binary], axis=1)
    extra = {}
    if kind == "categorical":
        types = ["c" if i == 3 else "q" for i in range(FEATURES)]
        extra = {"feature_types": types, "enable_categorical": True}
    data = xgboost.DMatrix(rows, binary, nthread=1, **extra)
    settings = {"max_depth": 6, "eta": 0.1, "nthread": 1, **options}
    if kind.startswith("logistic, early"):
        half = TRAIN_ROWS // 2
        watch = xgboost.DMatrix(rows[half:], binary[half:], nthread=1)
        data = xgboost.DMatrix(rows[:half], binary[:half], nthread=1)
        stopped = xgboost.train(settings, data, 200, evals=[(watch, "v")], early_stopping_rounds=5, verbose_eval=False)
        booster = stopped[: stopped.best_iteration + 1]
    else:
        booster = xgboost.train(settings, data, TREES)
    booster.save_model(path)
    return path


def save_lightgbm(folder: str, options: dict, rows, labels) -> str:
    path = os.path.join(folder, "model.txt")
    binary = labels if "num_class" in options else np.minimum(labels, 1)
    if "linear_tree" in options or "categorical_feature" in options:
        rows = np.nan_to_num(rows)
    names = ("zero_as_missing", "use_missing", "linear_tree", "categorical_feature")
    settings = {"num_threads": 1, "verbose": -1, "learning_rate": 0.1, **options}
    given = {"verbose": -1, **{name: options[name] for name in names if name in options}}
    lightgbm.train(settings, lightgbm.Dataset(rows, binary, params=given), TREES).save_model(path)
    return path


def report(folder: str, kind: str, path: str) -> None:
    try:
        forest = read_forest(path)
    except Refusal as refusal:
        print(json.dumps({"kind": kind, "refused": str(refusal)}), flush=True)
        return
    rows = golden_rows(forest.turning_points())
    answers = library_scores(folder, forest_source(forest, 0.5, []), rows)
    largest = float(np.max(np.abs(answers - native_scores(path, rows))))
    print(json.dumps({"kind": kind, "trees": len(forest.trees), "rows": len(rows), "largest": largest}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
