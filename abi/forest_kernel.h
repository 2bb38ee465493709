/*
 * A forest of decision trees as constant tables and one walk over them, the same for every model.
 *
 * A node is 8 bytes: threshold, plane, left. The walk goes to `left` while the value is below the threshold and to
 * `left + 1` otherwise. A leaf's threshold is NaN, nothing is below NaN, and its `left` is itself minus one: the walk
 * stays. So every tree of a group can take as many steps as the deepest one, eight trees at a time, without a branch.
 *
 * A missing value (NaN) goes where the node says, without a test per node: the row is laid out three times. In plane f
 * NaN is minus infinity (always left), in plane f + features it stays NaN (never below anything: right), and plane
 * f + 2 * features is 0 for every value, infinite ones too, and NaN for a missing one: nodes that only ask for that.
 *
 * LightGBM takes what is within 1e-35 of zero for zero before it walks; so does this when `zero` says so.
 *
 * Leaves are summed in double, as LightGBM does; XGBoost sums in float, which is where the last digit may differ.
 */
#ifndef SANDPIPER_FOREST_KERNEL_H
#define SANDPIPER_FOREST_KERNEL_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define FOREST_LANES 8

typedef struct {
  float threshold;
  uint16_t plane;
  uint16_t left;
} forest_node;

typedef struct {
  uint32_t groups;
  const uint8_t *depth;    /* steps, per group */
  const uint32_t *start;   /* first node, per tree: groups * FOREST_LANES */
  const forest_node *node; /* of all trees, one after another */
  const float *leaf;       /* beside each node */
  double base;
} forest;

static inline void forest_planes(const float *row, float *planes, int features, float zero) {
  for (int i = 0; i < features; i++) {
    const float value = fabsf(row[i]) <= zero ? 0.0f : row[i];
    planes[i] = value != value ? -INFINITY : value;
    planes[i + features] = value;
    planes[i + 2 * features] = value != value ? value : 0.0f;
  }
}

static inline double forest_sum(const forest *model, const float *planes) {
  double sum[FOREST_LANES] = {0};
  for (uint32_t group = 0; group < model->groups; group++) {
    const uint32_t *start = model->start + group * FOREST_LANES;
    const forest_node *tree[FOREST_LANES];
    uint32_t at[FOREST_LANES];
#pragma GCC unroll 8
    for (int lane = 0; lane < FOREST_LANES; lane++) {
      tree[lane] = model->node + start[lane];
      at[lane] = 0;
    }
    for (int step = 0; step < model->depth[group]; step++) {
#pragma GCC unroll 8
      for (int lane = 0; lane < FOREST_LANES; lane++) {
        const forest_node node = tree[lane][at[lane]];
        at[lane] = node.left + !(planes[node.plane] < node.threshold);
      }
    }
#pragma GCC unroll 8
    for (int lane = 0; lane < FOREST_LANES; lane++) sum[lane] += model->leaf[start[lane] + at[lane]];
  }
  double total = model->base;
  for (int lane = 0; lane < FOREST_LANES; lane++) total += sum[lane];
  return total;
}

#endif
