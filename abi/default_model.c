/*
 * The model Sandpiper starts with: the chance that an arbitrage bundle lands, as a forest of complete binary trees.
 * The trees are fitted to a written-down prior, not to data (generate-default-model.ts says which); a trained library
 * replaces this one. The score never falls as the tip rises.
 *
 * A tree is MODEL_DEPTH levels of (feature, threshold) in breadth-first order, then its leaves: the walk has no branch
 * to predict and no pointer to follow.
 */
#include "model_abi.h"
#include "default_model_tables.h"

#define NODES ((1 << MODEL_DEPTH) - 1)
#define SCORE_LOW 0.01f
#define SCORE_HIGH 0.99f

static float land_probability(const float *features, size_t length) {
  if (length != MODEL_FEATURES) {
    const float zero = 0.0f;
    return zero / zero;
  }
  float score = MODEL_BASE;
  for (int tree = 0; tree < MODEL_TREES; tree++) {
    int node = 0;
    for (int level = 0; level < MODEL_DEPTH; level++)
      node = 2 * node + 1 + (features[model_split_feature[tree][node]] >= model_split_threshold[tree][node]);
    score += model_leaf[tree][node - NODES];
  }
  return score < SCORE_LOW ? SCORE_LOW : score > SCORE_HIGH ? SCORE_HIGH : score;
}

/* The ABI asks for a predict_mev; until a model of its own exists it is the same forest. */
static const model_abi_v1 table = {
    MODEL_ABI_V1, MODEL_FEATURES, MODEL_THRESHOLD, land_probability, land_probability, 0,
};

const model_abi_v1 *model_abi_v1_export(void) { return &table; }
