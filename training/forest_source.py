"""A Forest as C: constant tables for abi/forest_kernel.h and the exported table of abi/model_abi.h."""

import math

from c_source import export_source, number, table
from model_file import Forest, Tree

LANES = 8


def forest_source(forest: Forest, threshold: float, calibration: list) -> str:
    trees = [tree for tree in forest.trees if tree.depth > 0]
    # A tree of one leaf is a constant.
    base = forest.base + sum(tree.leaves[0] for tree in forest.trees if tree.depth == 0)
    trees.sort(key=lambda tree: tree.depth)
    while len(trees) % LANES:
        trees.insert(0, Tree(nodes=[(math.nan, 0, 0, 0), (math.nan, 0, 0, 0)], leaves=[0.0, 0.0], depth=0))
    groups = [trees[at : at + LANES] for at in range(0, len(trees), LANES)]
    starts, total = [], 0
    for tree in trees:
        starts.append(total)
        total += len(tree.nodes)
    nodes = [
        f"{{{number(at)},{feature + plane * forest.features},{left}}}"
        for tree in trees
        for at, feature, plane, left in tree.nodes
    ]
    score = "1 / (1 + exp(-ALPHA * sum))" if forest.alpha else "sum"
    return "\n".join(
        [
            "/* Written by training/export_model.py. */",
            '#include "model_abi.h"',
            '#include "forest_kernel.h"',
            '#include "calibration_kernel.h"',
            f"#define FEATURES {forest.features}",
            f"#define ALPHA {forest.alpha!r}",
            table("uint8_t", "depth", [str(max(tree.depth for tree in group)) for group in groups] or ["0"]),
            table("uint32_t", "start", [str(start) for start in starts] or ["0"]),
            table("forest_node", "node", nodes or ["{0,0,0}"]),
            table("float", "leaf", [number(leaf) for tree in trees for leaf in tree.leaves] or ["0"]),
            f"static const forest model = {{{len(groups)}, depth, start, node, leaf, {base!r}}};",
            "static float score(const float *row, size_t length) {",
            "  float planes[3 * FEATURES];",
            "  if (length != FEATURES) return NAN;",
            f"  forest_planes(row, planes, FEATURES, {number(forest.zero)});",
            "  const double sum = forest_sum(&model, planes);",
            f"  return (float)({score});",
            "}",
            export_source(threshold, calibration),
        ]
    )
