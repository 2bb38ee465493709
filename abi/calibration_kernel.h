/*
 * From a score to the share of such scores that came true: straight lines between points, flat beyond both ends.
 * The points are fitted on rows that the model was not fitted on (training/fit_model.py).
 */
#ifndef SANDPIPER_CALIBRATION_KERNEL_H
#define SANDPIPER_CALIBRATION_KERNEL_H

#include <stdint.h>

/* `points` is at least 1; `from` ascends. NaN gives NaN. */
static inline float calibrate(float score, const float *from, const float *to, uint32_t points) {
  if (score != score) return score;
  if (!(score > from[0])) return to[0];
  for (uint32_t i = 1; i < points; i++)
    if (score < from[i]) return to[i - 1] + (to[i] - to[i - 1]) * ((score - from[i - 1]) / (from[i] - from[i - 1]));
  return to[points - 1];
}

#endif
