/*
 * model-latency OURS.so TL2CGEN.so LLEAVES.so LIBXGBOOST.so MODEL.json ROWS.f32: ns of one row through our library, TL2cgen's
 * code, lleaves' code and XGBoost's C API (in-place prediction of one dense row, one thread), called from C, in turns.
 * Prints "name p50 p99 largest difference from ours" a line.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "model_abi.h"

/* A round of one way at a time: one call of another would push the model out of the caches. */
enum { WAYS = 4, FEATURES = 15, ROWS_MAX = 4096, ROUNDS = 10, CALLS = 2000, WARM = 500 };

union entry {
  int missing;
  float value;
};
typedef void (*tl2cgen_fn)(union entry *row, int margin, float *result);
typedef void (*lleaves_fn)(const float *rows, float *results, int32_t start, int32_t end);
typedef int (*xgb_predict_fn)(void *, const char *, const char *, void *, const uint64_t **, uint64_t *, const float **);

static float rows[ROWS_MAX][FEATURES];
static predict_fn ours;
static tl2cgen_fn tl2cgen;
static lleaves_fn lleaves;
static xgb_predict_fn xgboost;
static void *booster;

static float call_ours(const float *row) { return ours(row, FEATURES); }

static float call_tl2cgen(const float *row) {
  union entry entries[FEATURES];
  float result = 0;
  for (int i = 0; i < FEATURES; i++) entries[i].value = row[i];
  tl2cgen(entries, 0, &result);
  return result;
}

static float call_lleaves(const float *row) {
  float result = 0;
  lleaves(row, &result, 0, 1);
  return result;
}

static float call_xgboost(const float *row) {
  char where[160];
  snprintf(where, sizeof where, "{\"data\":[%llu,true],\"shape\":[1,%d],\"typestr\":\"<f4\",\"version\":3}",
           (unsigned long long)(uintptr_t)row, FEATURES);
  const uint64_t *shape;
  uint64_t dimensions;
  const float *result;
  static const char settings[] =
      "{\"type\":0,\"iteration_begin\":0,\"iteration_end\":0,\"strict_shape\":false,\"cache_id\":0,\"missing\":NaN}";
  if (xgboost(booster, where, settings, NULL, &shape, &dimensions, &result)) exit(3);
  return result[0];
}

static int64_t now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void *open_or_die(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    exit(2);
  }
  return library;
}

int main(int count, char **argument) {
  if (count != 7) return 64;
  FILE *file = fopen(argument[6], "rb");
  const size_t found = file ? fread(rows, sizeof rows[0], ROWS_MAX, file) : 0;
  if (found != ROWS_MAX) return 65;
  const model_abi_v1 *(*export)(void) =
      (const model_abi_v1 *(*)(void))dlsym(open_or_die(argument[1]), "model_abi_v1_export");
  ours = export()->predict_arb;
  tl2cgen = (tl2cgen_fn)dlsym(open_or_die(argument[2]), "predict");
  lleaves = (lleaves_fn)dlsym(open_or_die(argument[3]), "forest_root");
  void *library = open_or_die(argument[4]);
  int (*create)(void **, uint64_t, void **) = (int (*)(void **, uint64_t, void **))dlsym(library, "XGBoosterCreate");
  int (*load)(void *, const char *) = (int (*)(void *, const char *))dlsym(library, "XGBoosterLoadModel");
  int (*set)(void *, const char *, const char *) =
      (int (*)(void *, const char *, const char *))dlsym(library, "XGBoosterSetParam");
  xgboost = (xgb_predict_fn)dlsym(library, "XGBoosterPredictFromDense");
  if (create(NULL, 0, &booster) || load(booster, argument[5]) || set(booster, "nthread", "1")) return 3;

  static const char *const names[WAYS] = {"ours", "tl2cgen", "lleaves", "xgboost"};
  float (*const calls[WAYS])(const float *) = {call_ours, call_tl2cgen, call_lleaves, call_xgboost};
  static int64_t taken[WAYS][ROUNDS * CALLS];
  double largest[WAYS] = {0};
  static float expected[ROWS_MAX];
  for (int round = 0; round < ROUNDS; round++)
    for (int which = 0; which < WAYS; which++)
      for (int call = -WARM; call < CALLS; call++) {
        const int place = (round * CALLS + call + WARM) % ROWS_MAX;
        const int64_t before = now();
        const float answer = calls[which](rows[place]);
        const int64_t after = now();
        if (call >= 0) taken[which][round * CALLS + call] = after - before;
        if (which == 0) expected[place] = answer;
        largest[which] = fmax(largest[which], fabs((double)answer - expected[place]));
      }
  for (int which = 0; which < WAYS; which++) {
    qsort(taken[which], ROUNDS * CALLS, sizeof(int64_t), ascending);
    printf("%s %lld %lld %.3g\n", names[which], (long long)taken[which][ROUNDS * CALLS / 2],
           (long long)taken[which][ROUNDS * CALLS * 99 / 100], largest[which]);
  }
  return 0;
}
