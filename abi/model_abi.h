/*
 * Model library ABI, version 1: what a shared library must export to be Sandpiper's model.
 *
 * One function, model_abi_v1_export, answers a table that lives as long as the library. Its layout (x86-64, arm64):
 *
 *   byte 0   uint32 abi_version         1; anything else is refused
 *        4   uint32 n_features          length of a feature row
 *        8   float  default_threshold   0..1; a score below it is not acted on
 *       16   predict_fn predict_mev     never null
 *       24   predict_fn predict_arb     may be null
 *       32   predict_fn calibrate_tip   answers 0..1; may be null
 *
 * A predict_fn must be a pure function of its row: no allocation, no lock, no system call, any thread. It answers NaN
 * when `length` is not n_features.
 */
#ifndef SANDPIPER_MODEL_ABI_H
#define SANDPIPER_MODEL_ABI_H

#ifdef __TINYC__
/* The compiler inside Bun brings no C library headers. */
typedef __SIZE_TYPE__ size_t;
typedef unsigned int uint32_t;
#else
#include <stddef.h>
#include <stdint.h>
#endif

#define MODEL_ABI_V1 1u

typedef float (*predict_fn)(const float *features, size_t length);

typedef struct model_abi_v1 {
  uint32_t abi_version;
  uint32_t n_features;
  float default_threshold;
  predict_fn predict_mev;
  predict_fn predict_arb;
  predict_fn calibrate_tip;
} model_abi_v1;

#ifdef __cplusplus
static_assert(sizeof(float) == 4 && sizeof(predict_fn) == 8, "the ABI is for 64-bit machines");
static_assert(sizeof(model_abi_v1) == 40, "the table is 40 bytes");
static_assert(offsetof(model_abi_v1, predict_mev) == 16, "predict_mev is at byte 16");
extern "C"
#else
_Static_assert(sizeof(float) == 4 && sizeof(predict_fn) == 8, "the ABI is for 64-bit machines");
_Static_assert(sizeof(model_abi_v1) == 40, "the table is 40 bytes");
#endif
const model_abi_v1 *model_abi_v1_export(void);

#endif
