"""What every model's C source is made of: numbers, tables, and the exported table of abi/model_abi.h."""

import math

import numpy as np

LINE_ITEMS = 16


def export_source(threshold: float, calibration: list) -> str:
    """The end of every model's source: `score` becomes the exported table."""
    low = [number(point[0]) for point in calibration]
    high = [number(point[1]) for point in calibration]
    function = [
        table("float", "calibrated_from", low),
        table("float", "calibrated_to", high),
        "static float calibrated(const float *row, size_t length) {",
        f"  return calibrate(score(row, length), calibrated_from, calibrated_to, {len(calibration)});",
        "}",
    ]
    return "\n".join(
        [
            *(function if calibration else []),
            "static const model_abi_v1 exported = {",
            f"    MODEL_ABI_V1, FEATURES, {number(threshold)}, score, score, {'calibrated' if calibration else '0'},",
            "};",
            '__attribute__((visibility("default"))) const model_abi_v1 *model_abi_v1_export(void) { return &exported; }',
            "",
        ]
    )


def number(value: float) -> str:
    """A float32 that reads back as the same bits."""
    if math.isnan(value):
        return "NAN"
    if math.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    return f"{float(np.float32(value)).hex()}f"


def table(kind: str, name: str, items: list) -> str:
    lines = [",".join(items[at : at + LINE_ITEMS]) for at in range(0, len(items), LINE_ITEMS)]
    return f"static const {kind} {name}[] __attribute__((aligned(64))) = {{\n" + ",\n".join(lines) + "};"
