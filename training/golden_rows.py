"""Rows that a library is proven on: where a model is easily gone wrong, and what the trainer's own predictor answers."""

import numpy as np

ROWS = 20_480
SEED = 20_250_101


def golden_rows(turning_points: list, rows: int = ROWS) -> np.ndarray:
    """float32[rows, features]: values at each feature's turning points (a forest's thresholds, the ends of a network's
    ranges) and one float beside them, values between and outside, NaN and ±inf."""
    random = np.random.default_rng(SEED)
    out = np.empty((rows, len(turning_points)), np.float32)
    for feature, found in enumerate(turning_points):
        out[:, feature] = values_around(np.array(found or [0.0], np.float32), rows, random)
    # A third of the rows has missing values, a sixth infinite ones; the first rows have nothing else.
    missing = np.arange(rows) % 3 == 0
    out[np.logical_and(missing[:, None], random.random(out.shape) < 0.3)] = np.nan
    infinite = np.arange(rows) % 6 == 1
    hit = np.logical_and(infinite[:, None], random.random(out.shape) < 0.3)
    out[hit] = np.where(random.random(int(hit.sum())) < 0.5, np.inf, -np.inf)
    out[0], out[1], out[2], out[3] = np.nan, np.inf, -np.inf, 0.0
    return out


def values_around(thresholds: np.ndarray, rows: int, random: np.random.Generator) -> np.ndarray:
    chosen = random.choice(thresholds, rows)
    low, high = float(thresholds.min()), float(thresholds.max())
    spread = (high - low) * 0.6 + 0.5
    between = random.uniform((low + high) / 2 - spread, (low + high) / 2 + spread, rows)
    kind = random.integers(0, 5, rows)
    up = np.nextafter(chosen, np.float32(np.inf))
    down = np.nextafter(chosen, np.float32(-np.inf))
    return np.select([kind == 0, kind == 1, kind == 2], [chosen, up, down], between.astype(np.float32))


def write_golden(path: str, rows: np.ndarray, columns: dict) -> None:
    """CSV: f0 … fN, then one column per function of the library. A float32 with 9 digits reads back the same."""
    names = [f"f{i}" for i in range(rows.shape[1])]
    with open(path, "w", encoding="ascii") as file:
        file.write(",".join([*names, *columns]) + "\n")
        for place, row in enumerate(rows):
            cells = [f"{value:.9g}" for value in row]
            cells += [f"{values[place]:.17g}" for values in columns.values()]
            file.write(",".join(cells) + "\n")
