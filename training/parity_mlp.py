"""parity_mlp.py: fits networks of several shapes with torch, exports each, compiles it and compares it with torch itself.

Prints JSON lines as parity_kinds.py does: {"kind", "refused"} or {"kind", "passes", "rows", "largest", "float32"}; the last
is how far torch's own float32 is from its float64, on the same rows. Needs torch and numpy, nothing else of training/.
"""

import json
import os
import sys
import tempfile

os.environ["OMP_WAIT_POLICY"] = "passive"
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch

from golden_rows import golden_rows
from library_scores import library_scores
from mlp_model import MultilayerPerceptron, fit_mlp, load_tensors, mlp_scores, read_mlp
from mlp_source import mlp_source
from refusal import Refusal

FEATURES, ROWS, PASSES, SEED = 15, 6_000, 12, 1
# What is changed in a saved model, and must then be refused.
BROKEN = {
    "multi-output": lambda one: {**one, "layers.1.weight": one["layers.1.weight"].repeat(2, 1), "layers.1.bias": torch.zeros(2)},
    "NaN weight": lambda one: {**one, "layers.0.bias": one["layers.0.bias"] * float("nan")},
    "float64": lambda one: {name: tensor.double() for name, tensor in one.items()},
    "convolution": lambda one: {**one, "conv.weight": torch.zeros(1, 1, 3)},
    "cut layer": lambda one: {**one, "layers.0.weight": one["layers.0.weight"][:, :-1]},
    "too wide": lambda one: {
        **one, "layers.0.weight": torch.zeros(300, FEATURES), "layers.0.bias": torch.zeros(300), "layers.1.weight": torch.zeros(1, 300),
    },
    "no network": lambda one: {"anything": torch.zeros(1)},
    "a whole module": lambda one: MultilayerPerceptron([2, 1]),
}  # fmt: skip


def main() -> None:
    rows, landed = sample()
    half, most = ROWS // 2, ROWS * 3 // 4
    parts = [(rows[a:b], landed[a:b], None) for a, b in ((0, half), (half, most), (most, ROWS))]
    with tempfile.TemporaryDirectory() as folder:
        for hidden in (1, 2, 3, 4):
            path = os.path.join(folder, f"{hidden}.pt")
            plan = {"maxDepth": hidden, "trees": PASSES, "learningRate": 0.01}
            passes = fit_mlp(plan, *parts, path, SEED, lambda done, of: None)[2]
            report(folder, f"torch {hidden} hidden", path, passes)
        again = os.path.join(folder, "again.pt")
        fit_mlp({"maxDepth": 1, "trees": PASSES, "learningRate": 0.01}, *parts, again, SEED, lambda done, of: None)
        same = same_tensors(load_tensors(again), load_tensors(os.path.join(folder, "1.pt")))
        print(json.dumps({"kind": "torch fitted twice", "same": same}), flush=True)
        for kind, change in BROKEN.items():
            path = os.path.join(folder, "broken.pt")
            torch.save(change(load_tensors(os.path.join(folder, "1.pt"))), path)
            report(folder, f"torch {kind}", path, 0)


def sample() -> tuple:
    """Rows of very different scales, some constant, some never there, with missing and infinite values."""
    random = np.random.default_rng(7)
    rows = (random.normal(size=(ROWS, FEATURES)) * 10.0 ** random.integers(-3, 5, FEATURES)).astype(np.float32)
    odds = rows[:, 0] / rows[:, 0].std() + rows[:, 1] / rows[:, 1].std() * rows[:, 2] / rows[:, 2].std()
    landed = (odds + random.normal(scale=0.5, size=ROWS) > 0).astype(np.float64)
    rows[:, 3], rows[:, 4] = 7.3, np.nan
    rows[:, 5:9][random.random((ROWS, 4)) < 0.2] = np.nan
    rows[:, 9][random.random(ROWS) < 0.05] = np.inf
    return rows, landed


def report(folder: str, kind: str, path: str, passes: int) -> None:
    try:
        model = read_mlp(path)
    except Refusal as refusal:
        print(json.dumps({"kind": kind, "refused": str(refusal)}), flush=True)
        return
    rows = golden_rows(model.turning_points())
    scores = mlp_scores(path, rows)
    largest = float(np.max(np.abs(library_scores(folder, mlp_source(model, 0.5, []), rows) - scores)))
    network = MultilayerPerceptron([model.features, *[len(bias) for _, bias in model.layers]])
    network.load_state_dict(load_tensors(path))
    with torch.no_grad():
        single = network(torch.from_numpy(rows)).sigmoid().numpy()
    told = {"kind": kind, "passes": passes, "rows": len(rows), "largest": largest}
    print(json.dumps({**told, "float32": float(np.max(np.abs(single - scores)))}), flush=True)


def same_tensors(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


if __name__ == "__main__":
    sys.exit(main())
