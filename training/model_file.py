"""Reads what a trainer saved, refuses by name what the tables cannot represent, and predicts with the trainer's own code.

A Forest is what treelite reads, as plain lists in the order of the kernel (abi/forest_kernel.h). Thresholds become exact:
for every float32 x, (x op threshold) is the same as (x < the float32 written down), since rows are float32.
"""

import json
import math
from dataclasses import dataclass, field

import numpy as np
import treelite

from refusal import refuse

# kZeroThreshold of LightGBM: smaller values are dropped from a row, and so are zero.
LIGHTGBM_ZERO = 1e-35
MISSING_LEFT, MISSING_RIGHT, ONLY_MISSING = 0, 1, 2
FLOAT_MAX = np.finfo(np.float32).max
SIGMOID_OBJECTIVES = {"binary:logistic", "reg:logistic", "binary", "cross_entropy"}
IDENTITY_OBJECTIVES = {
    "binary:logitraw", "reg:squarederror", "reg:pseudohubererror", "reg:absoluteerror", "reg:quantileerror",
    "regression", "regression_l1", "huber", "fair", "quantile", "mape",
}  # fmt: skip


@dataclass
class Tree:
    """Nodes breadth first: (threshold, feature, plane, left child), the planes of abi/forest_kernel.h; a leaf's threshold
    is NaN."""

    nodes: list = field(default_factory=list)
    leaves: list = field(default_factory=list)
    depth: int = 0


@dataclass
class Forest:
    features: int
    trees: list
    base: float
    # What is within this of zero is zero.
    zero: float
    # Score = 1 / (1 + exp(-alpha * sum)), or the sum itself when alpha is 0.
    alpha: float

    def turning_points(self) -> list:
        """Per feature the thresholds of all trees."""
        found = [[] for _ in range(self.features)]
        for tree in self.trees:
            for threshold, feature, _, _ in tree.nodes:
                if np.isfinite(threshold):
                    found[feature].append(threshold)
        return found


def read_forest(path: str) -> Forest:
    check_xgboost(path) if path.endswith(".json") else check_lightgbm(path)
    load = treelite.frontend.load_xgboost_model if path.endswith(".json") else treelite.frontend.load_lightgbm_model
    model = load(path)
    header = model.get_header_accessor()
    get = header.get_field
    if int(get("num_target")[0]) != 1:
        refuse("multi-output")
    if any(int(count) != 1 for count in get("num_class")):
        refuse("multiclass")
    post = get("postprocessor")
    post = post if isinstance(post, str) else bytes(np.asarray(post)).decode()
    if post not in ("sigmoid", "identity", "identity_multiclass"):
        refuse("transformed-output", post)
    if bool(get("average_tree_output")[0]):
        refuse("averaged (random forest)")
    alpha = float(get("sigmoid_alpha")[0]) if post == "sigmoid" else 0.0
    zero = 0.0 if path.endswith(".json") else LIGHTGBM_ZERO
    trees = [read_tree(model.get_tree_accessor(i)) for i in range(model.num_tree)]
    return Forest(int(model.num_feature), trees, float(get("base_scores")[0]), zero, alpha)


def read_tree(accessor) -> Tree:
    names = ("cleft", "cright", "split_index", "default_left", "threshold", "leaf_value", "cmp", "node_type")
    left, right, feature, default_left, threshold, leaf, compare, kind = (accessor.get_field(name) for name in names)
    order, place, depth = [0], {0: 0}, {0: 0}
    for node in order:
        if left[node] == -1:
            continue
        if kind[node] != 1:
            refuse("categorical")
        for child in (int(left[node]), int(right[node])):
            place[child] = len(order)
            depth[child] = depth[node] + 1
            order.append(child)
    if len(order) > 0xFFFF:
        refuse("over-large-tree", f"{len(order)} nodes in one tree, at most 65535")
    tree = Tree(depth=max(depth.values()))
    for node in order:
        if left[node] == -1:
            tree.nodes.append((math.nan, 0, MISSING_LEFT, place[node] - 1))
            tree.leaves.append(float(leaf[node]))
            continue
        tree.leaves.append(0.0)
        child, missing_left = place[int(left[node])], bool(default_left[node])
        if threshold[node] == math.inf and compare[node] == 3:
            # Every value is at most infinity: left, and only a missing one may go right. Never below NaN: left - 1 + 1.
            always = (math.nan, int(feature[node]), MISSING_LEFT, child - 1)
            tree.nodes.append(always if missing_left else (1.0, int(feature[node]), ONLY_MISSING, child))
            continue
        exact = below(int(compare[node]), float(threshold[node]))
        plane = MISSING_LEFT if missing_left else MISSING_RIGHT
        tree.nodes.append((exact, int(feature[node]), plane, child))
    return tree


def below(compare: int, threshold: float) -> float:
    """The float32 T with (x op threshold) exactly when (x < T), for every float32 x."""
    if math.isnan(threshold):
        refuse("NaN-threshold")
    with np.errstate(over="ignore"):
        near = np.float32(threshold)
    if compare == 2:  # x < t: the smallest float32 that is at least t
        exact = near if float(near) >= threshold else np.nextafter(near, np.float32(np.inf))
    elif compare == 3:  # x <= t: the next one above the largest float32 that is at most t
        largest = near if float(near) <= threshold else np.nextafter(near, np.float32(-np.inf))
        exact = np.nextafter(largest, np.float32(np.inf))
    else:
        refuse("other-comparison", f"operator {compare}")
    if exact == -np.inf:
        refuse("minus-infinity-threshold")
    return float(exact)


def check_xgboost(path: str) -> None:
    with open(path, encoding="utf-8") as file:
        learner = json.load(file)["learner"]
    if learner["gradient_booster"]["name"] not in ("gbtree", "dart"):
        refuse("linear (gblinear)")
    if int(learner["learner_model_param"].get("num_class", "0")) > 1:
        refuse("multiclass")
    if int(learner["learner_model_param"].get("num_target", "1")) > 1:
        refuse("multi-output")
    objective = learner["objective"]["name"]
    if objective not in SIGMOID_OBJECTIVES | IDENTITY_OBJECTIVES:
        refuse("transformed-output", f"objective {objective}")
    booster = learner["gradient_booster"]
    for tree in booster.get("gbtree", booster)["model"]["trees"]:
        if tree.get("categories_nodes") or any(kind != 0 for kind in tree.get("split_type", [])):
            refuse("categorical")
        if int(tree["tree_param"].get("size_leaf_vector", "1")) > 1:
            refuse("vector-leaf")


def check_lightgbm(path: str) -> None:
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, _, value = line.rstrip("\n").partition("=")
            if name == "end of trees":
                break
            if name in ("num_class", "num_tree_per_iteration") and int(value) > 1:
                refuse("multiclass")
            if name == "average_output":
                refuse("averaged (random forest)")
            if name == "is_linear" and value.strip() == "1":
                refuse("linear tree")
            if name == "objective":
                check_lightgbm_objective(value.split(" "))
            if name == "decision_type":
                kinds = [int(kind) for kind in value.split(" ") if kind]
                if any(kind & 1 for kind in kinds):
                    refuse("categorical")
                # Bits 2 and 3: 0 no missing values, 1 zero is missing, 2 NaN is missing.
                if any((kind >> 2) & 3 == 1 for kind in kinds):
                    refuse("zero-as-missing")


def check_lightgbm_objective(words: list) -> None:
    if words[0] not in SIGMOID_OBJECTIVES | IDENTITY_OBJECTIVES:
        refuse("multiclass" if words[0].startswith("multiclass") else "transformed-output", f"objective {words[0]}")
    if "sqrt" in words:
        refuse("transformed-output", "objective regression sqrt")


def native_scores(path: str, rows: np.ndarray) -> np.ndarray:
    """What the trainer's own predictor answers for float32 rows. XGBoost refuses infinities: it gets the largest float."""
    if path.endswith(".json"):
        import xgboost

        booster = xgboost.Booster(model_file=path)
        finite = np.where(np.isinf(rows), np.copysign(FLOAT_MAX, rows), rows)
        return booster.predict(xgboost.DMatrix(finite, nthread=1)).astype(np.float64)
    import lightgbm

    booster = lightgbm.Booster(model_file=path)
    return np.asarray(booster.predict(rows.astype(np.float64), num_threads=1))
