/*
 * A multilayer perceptron as constant tables and one pass over them, the same for every model.
 *
 *   row ─▸ NaN becomes the mean ─▸ held to low…high ─▸ (x - mean) * scale ─▸ [weights, bias, ReLU] … ─▸ weights, bias ─▸ logit
 *
 * `mean`, `scale`, `low` and `high` are of the rows it was fitted on: a missing value is the usual one, and what lies
 * outside the range that was seen, infinities too, counts as its end. training/mlp_model.py does the very same.
 *
 * Tables are float32, sums are double: the order in which they are added, which is another one in every library, then
 * shows in no digit of the answer. Weights lie input by input, so the inner loop runs over outputs and is vectorised.
 */
#ifndef SANDPIPER_MLP_KERNEL_H
#define SANDPIPER_MLP_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* Widest layer, features included; training/mlp_model.py refuses wider ones. */
#define MLP_WIDTH_MAX 256

typedef struct {
  uint32_t inputs;
  uint32_t outputs;
  const float *weight; /* inputs times outputs values */
  const float *bias;   /* outputs */
} mlp_layer;

typedef struct {
  uint32_t features;
  uint32_t layers;
  const float *mean; /* each of these: per feature */
  const float *scale;
  const float *low;
  const float *high;
  const mlp_layer *layer; /* the last one has one output */
} mlp;

static inline double mlp_logit(const mlp *model, const float *row) {
  double buffer[2][MLP_WIDTH_MAX];
  double *from = buffer[0], *to = buffer[1];
  for (uint32_t i = 0; i < model->features; i++) {
    float value = row[i] != row[i] ? model->mean[i] : row[i];
    value = value < model->low[i] ? model->low[i] : value > model->high[i] ? model->high[i] : value;
    from[i] = ((double)value - model->mean[i]) * model->scale[i];
  }
  for (uint32_t at = 0; at < model->layers; at++) {
    const mlp_layer *layer = model->layer + at;
    for (uint32_t out = 0; out < layer->outputs; out++) to[out] = layer->bias[out];
    for (uint32_t in = 0; in < layer->inputs; in++) {
      const float *weight = layer->weight + (size_t)in * layer->outputs;
      const double value = from[in];
      for (uint32_t out = 0; out < layer->outputs; out++) to[out] += value * weight[out];
    }
    if (at + 1 < model->layers)
      for (uint32_t out = 0; out < layer->outputs; out++) to[out] = to[out] > 0 ? to[out] : 0;
    double *const swap = from;
    from = to;
    to = swap;
  }
  return from[0];
}

#endif
