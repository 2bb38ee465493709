/*
 * check_model LIBRARY GOLDEN.csv TOLERANCE: does the library answer what the trainer's own predictor answered?
 *
 * GOLDEN.csv (docs/judges.md): a header, then a row per line; columns named predict_mev, predict_arb or calibrate_tip
 * hold what that function must answer, all others are the features in order. Numbers as text, nan, inf and -inf too.
 * Ends with 0 when every answer is within TOLERANCE; prints the largest difference of each function.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "model_abi.h"

#define COLUMNS_MAX 4200
#define LINE_BYTES_MAX (1 << 20)
#define SECONDS_MAX 120

static const char *const NAMES[3] = {"predict_mev", "predict_arb", "calibrate_tip"};

static int refuse(const char *why, const char *what) {
  fprintf(stderr, "Cannot check the model: %s, was %s\n", why, what);
  return 1;
}

int main(int count, char **argument) {
  if (count != 4) return refuse("LIBRARY GOLDEN.csv TOLERANCE", "another command line");
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  alarm(SECONDS_MAX);
  void *library = dlopen(argument[1], RTLD_NOW | RTLD_LOCAL);
  if (!library) return refuse("a library that opens", dlerror());
  const model_abi_v1 *(*export)(void) = (const model_abi_v1 *(*)(void))dlsym(library, "model_abi_v1_export");
  if (!export) return refuse("model_abi_v1_export", "absent");
  const model_abi_v1 *table = export();
  if (!table || table->abi_version != MODEL_ABI_V1) return refuse("a table of ABI version 1", "another");
  if (!table->predict_mev) return refuse("predict_mev", "null");
  if (!(table->default_threshold >= 0 && table->default_threshold <= 1))
    return refuse("a default threshold from 0 to 1", "another");
  const predict_fn functions[3] = {table->predict_mev, table->predict_arb, table->calibrate_tip};
  const double tolerance = atof(argument[3]);

  FILE *file = fopen(argument[2], "r");
  if (!file) return refuse("golden rows that open", argument[2]);
  char *line = malloc(LINE_BYTES_MAX);
  if (!line || !fgets(line, LINE_BYTES_MAX, file)) return refuse("a header", "nothing");
  static signed char function_of[COLUMNS_MAX];
  int columns = 0;
  uint32_t features = 0;
  for (char *name = strtok(line, ",\r\n"); name && columns < COLUMNS_MAX; name = strtok(NULL, ",\r\n"), columns++) {
    function_of[columns] = -1;
    for (int i = 0; i < 3; i++)
      if (strcmp(name, NAMES[i]) == 0) function_of[columns] = (signed char)i;
    if (function_of[columns] < 0) features++;
    else if (!functions[function_of[columns]]) return refuse(name, "null");
  }
  if (features != table->n_features) return refuse("as many features as the library", "another number");
  float *row = malloc(sizeof(float) * (features + 1));
  if (!row) return refuse("memory", "none");

  double largest[3] = {0};
  unsigned long rows = 0, wrong = 0;
  while (fgets(line, LINE_BYTES_MAX, file)) {
    double expected[3] = {NAN, NAN, NAN};
    char *at = line;
    uint32_t feature = 0;
    for (int column = 0; column < columns; column++) {
      char *end;
      const double value = strtod(at, &end);
      if (end == at) return refuse("a number in every column", line);
      if (function_of[column] < 0) row[feature++] = (float)value;
      else expected[function_of[column]] = value;
      at = *end == ',' ? end + 1 : end;
    }
    rows++;
    for (int i = 0; i < 3; i++) {
      if (isnan(expected[i])) continue;
      const float answer = functions[i](row, features);
      const double difference = fabs((double)answer - expected[i]);
      if (!(difference <= tolerance)) wrong++;
      if (!(difference <= largest[i])) largest[i] = difference;
    }
  }
  for (int i = 0; i < 3; i++)
    if (functions[i]) printf("%s: largest difference %.3g on %lu rows\n", NAMES[i], largest[i], rows);
  if (rows == 0) return refuse("golden rows", "none");
  if (!isnan(functions[0](row, features + 1))) return refuse("NaN for a row of another length", "a number");
  if (wrong > 0) fprintf(stderr, "%lu answers differ by more than %g\n", wrong, tolerance);
  return wrong > 0;
}
