"""fit_model.py FOLDER: fits one model on the rows of FOLDER and says how it does on rows behind those.

Reads FOLDER/plan.json {"library": "xgb" | "lgbm" | "torch", "features": [all, in order], "used": [names], "maxDepth", "trees",
"learningRate"} and fit.f32, tune.f32, judge.f32: little-endian float32 rows of the features, then whether it landed (0 or
1), then the score it had then (NaN: none). The three follow one another in time (src/train/split.ts): the model is fitted on
the first, its number of trees or passes and the calibration on the second, the figures on the third.

For torch "maxDepth" is the number of hidden layers and "trees" the most passes over the rows (mlp_model.py).

Writes FOLDER/model.json, model.txt or model.pt, its .calibration.json beside it, and metrics.json last. Prints {"done", "of"} lines.
The same folder gives the same bytes. Ends with 65 and one line when there is nothing to learn from.
"""

import json
import os
import sys

os.environ["OMP_WAIT_POLICY"] = "passive"
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from refusal import Refusal

BAD_INPUT = 65
SEED = 1
EARLY_STOPPING_ROUNDS = 30
LEAF_ROWS_MIN = 20
CALIBRATION_SLOPE_MAX = 2
CALIBRATION_POINTS_MAX = 32
CALIBRATION_BINS = 5
PROGRESS_EVERY = 10
SCORE_MIN = 1e-6


def main(folder: str) -> int:
    with open(os.path.join(folder, "plan.json"), encoding="utf-8") as file:
        plan = json.load(file)
    parts = [read_rows(os.path.join(folder, f"{name}.f32"), plan) for name in ("fit", "tune", "judge")]
    for name, (_, landed, _) in zip(("fit", "tune", "judge"), parts):
        if len(landed) == 0 or landed.min() == landed.max():
            raise Refusal(f"{name} rows of which some landed and some did not, was {len(landed)} of one kind")
    fit, tune, judge = parts
    fit_library, name, rounds = LIBRARIES[plan["library"]]
    path = os.path.join(folder, name)
    tuned, scores, best = fit_library(plan, fit, tune, judge, path)
    points = calibration(tuned, tune[1])
    with open(f"{path}.calibration.json", "w", encoding="utf-8") as file:
        json.dump({"points": points}, file)
    metrics = {"rows": len(judge[1]), rounds: best, "landedShare": float(judge[1].mean()), **figures(scores, judge[1])}
    # Who always says the share of the rows before knows nothing.
    metrics["baseLogLoss"] = log_loss(np.full(len(judge[1]), fit[1].mean()), judge[1])
    # What calibrate_tip would make of the scores.
    metrics["calibratedLogLoss"] = log_loss(np.interp(scores, *zip(*points)), judge[1])
    had = np.isfinite(judge[2])
    if had.all():
        metrics["inUseLogLoss"] = log_loss(judge[2], judge[1])
    write_last(os.path.join(folder, "metrics.json"), metrics)
    return 0


def read_rows(path: str, plan: dict) -> tuple:
    width = len(plan["features"]) + 2
    rows = np.fromfile(path, "<f4").reshape(-1, width)
    features = rows[:, :-2].copy()
    # What may not be used is the same in every row: no tree can split on it, and the row keeps its width.
    for place, name in enumerate(plan["features"]):
        if name not in plan["used"]:
            features[:, place] = 0
    return features, rows[:, -2].astype(np.float64), rows[:, -1].astype(np.float64)


def fit_xgboost(plan: dict, fit: tuple, tune: tuple, judge: tuple, path: str) -> tuple:
    import xgboost

    class Progress(xgboost.callback.TrainingCallback):
        def after_iteration(self, model, epoch, evals_log):
            progress(epoch + 1, plan["trees"])
            return False

    settings = {
        "objective": "binary:logistic", "eval_metric": "logloss", "tree_method": "hist", "nthread": 1, "seed": SEED,
        "max_depth": plan["maxDepth"], "eta": plan["learningRate"], "min_child_weight": 4,
    }  # fmt: skip
    matrix = [xgboost.DMatrix(part[0], part[1], nthread=1) for part in (fit, tune, judge)]
    booster = xgboost.train(
        settings, matrix[0], plan["trees"], evals=[(matrix[1], "tune")], verbose_eval=False,
        early_stopping_rounds=EARLY_STOPPING_ROUNDS, callbacks=[Progress()],
    )  # fmt: skip
    # A booster that stopped early keeps the trees behind the best one.
    booster = booster[: booster.best_iteration + 1]
    save(path, booster.save_raw("json"))
    return booster.predict(matrix[1]), booster.predict(matrix[2]), booster.num_boosted_rounds()


def fit_lightgbm(plan: dict, fit: tuple, tune: tuple, judge: tuple, path: str) -> tuple:
    import lightgbm

    settings = {
        "objective": "binary", "metric": "binary_logloss", "num_threads": 1, "deterministic": True, "seed": SEED,
        "force_row_wise": True, "verbosity": -1, "max_depth": plan["maxDepth"],
        "num_leaves": min(2 ** plan["maxDepth"], 255), "learning_rate": plan["learningRate"],
        "min_data_in_leaf": min(LEAF_ROWS_MIN, max(1, len(fit[1]) // 10)),
    }  # fmt: skip
    train = lightgbm.Dataset(fit[0], fit[1])
    booster = lightgbm.train(
        settings, train, plan["trees"], valid_sets=[lightgbm.Dataset(tune[0], tune[1], reference=train)],
        callbacks=[
            lightgbm.early_stopping(EARLY_STOPPING_ROUNDS, verbose=False),
            lambda env: progress(env.iteration + 1, plan["trees"]),
        ],
    )  # fmt: skip
    best = booster.best_iteration or booster.current_iteration()
    save(path, booster.model_to_string(num_iteration=best).encode())
    saved = lightgbm.Booster(model_file=path)
    tuned, judged = (saved.predict(part[0].astype(np.float64), num_threads=1) for part in (tune, judge))
    return tuned, judged, best


def fit_torch(plan: dict, fit: tuple, tune: tuple, judge: tuple, path: str) -> tuple:
    from mlp_model import fit_mlp

    return fit_mlp(plan, fit, tune, judge, path, SEED, progress)


# How each is fitted, what its model file is called, and what its rounds are.
LIBRARIES = {
    "xgb": (fit_xgboost, "model.json", "trees"),
    "lgbm": (fit_lightgbm, "model.txt", "trees"),
    "torch": (fit_torch, "model.pt", "passes"),
}


def calibration(scores: np.ndarray, landed: np.ndarray) -> list:
    """[[score, share], …] ascending: pools of neighbours, as isotonic regression makes them (Ayer et al. 1955)."""
    order = np.argsort(scores, kind="stable")
    pools = []
    for score, hit in zip(scores[order], landed[order]):
        pools.append([float(score), float(hit), 1])
        while len(pools) > 1 and pools[-2][1] / pools[-2][2] >= pools[-1][1] / pools[-1][2]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last)]
    points = [[score / count, hits / count] for score, hits, count in pools]
    step = max(1, -(-len(points) // CALIBRATION_POINTS_MAX))
    kept = points[::step]
    # As float32 two may fall together; each must lie above the one before.
    kept = [point for i, point in enumerate(kept) if i == 0 or np.float32(point[0]) > np.float32(kept[i - 1][0])]
    # A steeper rise is a jump of few rows, which makes much of a score's last bits: no library could be held to it. A share
    # that is cut is too low, never too high.
    for (score_before, share_before), point in zip(kept, kept[1:]):
        point[1] = min(point[1], share_before + CALIBRATION_SLOPE_MAX * (point[0] - score_before))
    return kept


def figures(scores: np.ndarray, landed: np.ndarray) -> dict:
    return {
        "auc": auc(scores, landed),
        "logLoss": log_loss(scores, landed),
        "brier": float(np.mean((scores - landed) ** 2)),
        "calibrationGap": calibration_gap(scores, landed),
    }


def log_loss(scores: np.ndarray, landed: np.ndarray) -> float:
    scores = np.clip(scores, SCORE_MIN, 1 - SCORE_MIN)
    return float(-np.mean(landed * np.log(scores) + (1 - landed) * np.log(1 - scores)))


def auc(scores: np.ndarray, landed: np.ndarray) -> float:
    """The share of pairs of one that landed and one that did not which the scores put in the right order; a tie is half."""
    order = np.sort(scores)
    ranks = (np.searchsorted(order, scores, "left") + np.searchsorted(order, scores, "right") + 1) / 2
    hits = landed.sum()
    return float((ranks[landed == 1].sum() - hits * (hits + 1) / 2) / (hits * (len(landed) - hits)))


def calibration_gap(scores: np.ndarray, landed: np.ndarray) -> float:
    """Mean distance, over bins of as many rows each, between the mean score and the share that landed."""
    order = np.argsort(scores, kind="stable")
    bins = [part for part in np.array_split(order, CALIBRATION_BINS) if len(part) > 0]
    return float(sum(len(part) * abs(scores[part].mean() - landed[part].mean()) for part in bins) / len(scores))


def progress(done: int, of: int) -> None:
    if done % PROGRESS_EVERY == 0:
        print(json.dumps({"done": done, "of": of}), flush=True)


def save(path: str, content: bytes | bytearray) -> None:
    """The trainers' own writers do not say why a full disk took only half."""
    with open(path, "wb") as file:
        file.write(content)


def write_last(path: str, content: dict) -> None:
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump(content, file)
    os.replace(f"{path}.new", path)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except Refusal as refusal:
        sys.stderr.write(f"Cannot fit: {refusal}\n")
        sys.exit(BAD_INPUT)
    except Exception as error:
        sys.stderr.write(f"Cannot fit: {type(error).__name__}: {error}\n")
        sys.exit(1)
