"""A multilayer perceptron by torch: fits it, reads a saved one and refuses by name what the tables cannot represent, and
predicts with torch itself.

A saved model (.pt) is the state dict of MultilayerPerceptron: float32 `mean`, `scale`, `low`, `high` per feature and
`layers.N.weight`, `layers.N.bias`. What it does with a row, missing and infinite values included, stands in
abi/mlp_kernel.h; `forward` does the very same. Its weights are float32; scores are made in float64 on both sides.
"""

import copy
import io
import re
import zipfile
from dataclasses import dataclass

import numpy as np
import torch

from refusal import refuse

HIDDEN_UNITS = 32
BATCH_ROWS = 256
# It stops when the tune rows have not done better for so many passes.
PATIENCE_PASSES = 15
WEIGHT_DECAY = 1e-4
SCORE_ROWS = 65_536
WIDTH_MAX = 256
LAYERS_MAX = 8
INPUTS = ("mean", "scale", "low", "high")


class MultilayerPerceptron(torch.nn.Module):
    def __init__(self, widths: list):
        super().__init__()
        for name in INPUTS:
            self.register_buffer(name, torch.zeros(widths[0]))
        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in zip(widths, widths[1:]))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Log-odds, one a row."""
        rows = torch.where(torch.isnan(rows), self.mean, rows)
        values = (torch.minimum(torch.maximum(rows, self.low), self.high) - self.mean) * self.scale
        for layer in self.layers[:-1]:
            values = torch.relu(layer(values))
        return self.layers[-1](values)[:, 0]


def fit_mlp(plan: dict, fit: tuple, tune: tuple, judge: tuple, path: str, seed: int, progress) -> tuple:
    """Fits on `fit` until `tune` gets no better, saves the best; answers its scores of tune and judge, and its passes."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    network = MultilayerPerceptron([fit[0].shape[1], *[HIDDEN_UNITS] * plan["maxDepth"], 1])
    for name, values in zip(INPUTS, inputs_of(fit[0])):
        getattr(network, name).copy_(torch.from_numpy(values))
    rows, landed = torch.from_numpy(fit[0]), torch.from_numpy(fit[1].astype(np.float32))
    tuned, tuned_landed = torch.from_numpy(tune[0]), torch.from_numpy(tune[1].astype(np.float32))
    loss_of = torch.nn.functional.binary_cross_entropy_with_logits
    optimizer = torch.optim.Adam(network.parameters(), lr=plan["learningRate"], weight_decay=WEIGHT_DECAY)
    best_loss, best_pass, best = float("inf"), 0, copy.deepcopy(network.state_dict())
    for done in range(1, plan["trees"] + 1):
        for batch in torch.randperm(len(rows)).split(BATCH_ROWS):
            optimizer.zero_grad()
            loss_of(network(rows[batch]), landed[batch]).backward()
            optimizer.step()
        with torch.no_grad():
            loss = float(loss_of(network(tuned), tuned_landed))
        if loss < best_loss:
            best_loss, best_pass, best = loss, done, copy.deepcopy(network.state_dict())
        progress(done, plan["trees"])
        if done - best_pass >= PATIENCE_PASSES:
            break
    content = io.BytesIO()
    torch.save(best, content)
    with open(path, "wb") as file:
        file.write(content.getvalue())
    return mlp_scores(path, tune[0]), mlp_scores(path, judge[0]), best_pass


def inputs_of(rows: np.ndarray) -> list:
    """Mean, one over the standard deviation (0: the feature says nothing), lowest and highest of the finite values."""
    out = [np.zeros(rows.shape[1], np.float32) for _ in INPUTS]
    for place in range(rows.shape[1]):
        values = rows[:, place][np.isfinite(rows[:, place])].astype(np.float64)
        if len(values) == 0:
            continue
        deviation = values.std()
        scale = 1 / deviation if deviation > 1e-12 * max(1.0, abs(values.mean())) else 0.0
        for of, value in zip(out, (values.mean(), scale, values.min(), values.max())):
            of[place] = value
    return out


@dataclass
class Mlp:
    """Float32 arrays: inputs per feature; layers as (weight[outputs, inputs], bias[outputs])."""

    mean: np.ndarray
    scale: np.ndarray
    low: np.ndarray
    high: np.ndarray
    layers: list

    @property
    def features(self) -> int:
        return len(self.mean)

    def turning_points(self) -> list:
        """Per feature the values around which a library is easily wrong."""
        return [[low, mean, high] for low, mean, high in zip(self.low, self.mean, self.high)]


def read_mlp(path: str) -> Mlp:
    tensors = load_tensors(path)
    count = sum(1 for name in tensors if re.fullmatch(r"layers\.\d+\.weight", name))
    names = [f"layers.{at}.{part}" for at in range(count) for part in ("weight", "bias")]
    other = sorted(set(tensors) ^ {*INPUTS, *names})
    if other or count == 0:
        refuse("other-network", f"not a multilayer perceptron: {other[0] if other else 'no layers'}")
    if any(tensor.dtype != torch.float32 for tensor in tensors.values()):
        refuse("other-precision", "weights that are not float32")
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    if not all(np.isfinite(array).all() for array in arrays.values()):
        refuse("not-finite", "a weight that is NaN or infinite")
    layers = [(arrays[f"layers.{at}.weight"], arrays[f"layers.{at}.bias"]) for at in range(count)]
    check_shapes([arrays[name] for name in INPUTS], layers)
    if not ((arrays["low"] <= arrays["mean"]) & (arrays["mean"] <= arrays["high"])).all():
        refuse("other-network", "a mean outside of low to high")
    return Mlp(*[arrays[name] for name in INPUTS], layers)


def check_shapes(inputs: list, layers: list) -> None:
    if len(layers) > LAYERS_MAX:
        refuse("too-deep", f"{len(layers)} layers, at most {LAYERS_MAX}")
    width = inputs[0].size
    if any(array.shape != (width,) for array in inputs):
        refuse("other-network", "mean, scale, low and high of another length")
    for weight, bias in layers:
        if weight.ndim != 2 or weight.shape[1] != width or bias.shape != (weight.shape[0],):
            refuse("other-network", "layers that do not fit one another")
        if max(weight.shape) > WIDTH_MAX:
            refuse("too-wide", f"{max(weight.shape)} values a layer, at most {WIDTH_MAX}")
        width = weight.shape[0]
    if width != 1:
        refuse("multi-output", f"{width} outputs")


def load_tensors(path: str) -> dict:
    if not zipfile.is_zipfile(path):
        refuse("other-network", "not a file that torch.save wrote")
    try:
        # Tensors alone: nothing in the file is run.
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:
        refuse("other-network", "not a state dict, tensors by their names")
    if not isinstance(tensors, dict) or not all(isinstance(one, torch.Tensor) for one in tensors.values()):
        refuse("other-network", "not a state dict, tensors by their names")
    return tensors


def mlp_scores(path: str, rows: np.ndarray) -> np.ndarray:
    """What torch itself answers for float32 rows, in float64."""
    model = read_mlp(path)
    network = MultilayerPerceptron([model.features, *[len(bias) for _, bias in model.layers]])
    network.load_state_dict(load_tensors(path))
    network.double()
    with torch.no_grad():
        parts = [network(part.double()).sigmoid() for part in torch.from_numpy(rows).split(SCORE_ROWS)]
    return torch.cat(parts).numpy()
