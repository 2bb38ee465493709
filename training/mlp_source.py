"""A multilayer perceptron as C: constant tables for abi/mlp_kernel.h and the exported table of abi/model_abi.h."""

from c_source import export_source, number, table


def mlp_source(model, threshold: float, calibration: list) -> str:
    """`model` is an Mlp (mlp_model.py)."""
    tables, layers = [], []
    for name in ("mean", "scale", "low", "high"):
        tables.append(table("float", name, [number(value) for value in getattr(model, name)]))
    for at, (weight, bias) in enumerate(model.layers):
        # Input by input, as the kernel walks it.
        tables.append(table("float", f"weight_{at}", [number(value) for value in weight.T.ravel()]))
        tables.append(table("float", f"bias_{at}", [number(value) for value in bias]))
        layers.append(f"{{{weight.shape[1]}, {weight.shape[0]}, weight_{at}, bias_{at}}}")
    return "\n".join(
        [
            "/* Written by training/export_model.py. */",
            "#include <math.h>",
            '#include "model_abi.h"',
            '#include "mlp_kernel.h"',
            '#include "calibration_kernel.h"',
            f"#define FEATURES {model.features}",
            *tables,
            table("mlp_layer", "layer", layers),
            f"static const mlp model = {{FEATURES, {len(layers)}, mean, scale, low, high, layer}};",
            "static float score(const float *row, size_t length) {",
            "  if (length != FEATURES) return NAN;",
            "  return (float)(1 / (1 + exp(-mlp_logit(&model, row))));",
            "}",
            export_source(threshold, calibration),
        ]
    )
