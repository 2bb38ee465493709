/*
 * The yardstick of bench/hot-thread.ts: the work of src/decide/hot-loop.ts written in C, record by record the same:
 * ring read, reserves, Moebius screening of the pool's cycles, exact sizing of the winner, features, forest, expected
 * value, gates, decision slot. `hot-loop WORKLOAD MODEL.so EVENTS` prints the hash of all decision records made under a
 * counted clock (equal to that of the TypeScript loop, or the figures mean nothing), then the event-to-decision times of
 * so many events: the workload's, lap after lap.
 *
 * Workload file, little endian: u32 pools, places, model hash (2), snapshotRecords, events, tips, warmUp;
 * f64 inputMax, fee, tipShareMax, missCost, evMin, slotMs; f64 tips[16];
 * u32 feeNumerator[pools]; u32 feeDenominator[pools];
 * i32 hops[4 * places]; i32 starts[pools + 1]; 128-byte records[snapshotRecords + events].
 */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hot-loop-sizing.h"

static int counted_clock;
static double counted_ns;
static inline double now_ns(void) {
  if (counted_clock) return counted_ns;
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void flight_free(int place) {
  flight.sequences[place] = 0;
  flight.count--;
  for (int i = 0; i < HOPS_MAX; i++) {
    int32_t pool = flight.pools[place][i];
    if (pool >= 0 && flight.holder[pool] == place) flight.holder[pool] = -1;
  }
}

static int flight_held(int32_t pool, double at_ns) {
  int place = flight.holder[pool];
  if (place < 0) return 0;
  if (at_ns - flight.sent_ns[place] <= HELD_NS_MAX) return 1;
  flight_free(place);
  return 0;
}

static void flight_hold(double sequence, const int32_t *hops, int count, double at_ns) {
  int place = 0;
  while (place < IN_FLIGHT_MAX && flight.sequences[place] != 0) place++;
  if (place == IN_FLIGHT_MAX) return;
  flight.sequences[place] = sequence;
  flight.sent_ns[place] = at_ns;
  for (int i = 0; i < HOPS_MAX; i++) {
    flight.pools[place][i] = i < count ? hops[i] >> 1 : -1;
    if (i < count) flight.holder[hops[i] >> 1] = (int16_t)place;
  }
  flight.count++;
}

static int same_cycle(int32_t place, int32_t other) {
  return memcmp(cycle_hops + place * HOPS_MAX, cycle_hops + other * HOPS_MAX, HOPS_MAX * sizeof(int32_t)) == 0;
}

static void offer(int32_t place, double input, double profit) {
  for (int i = 0; i < best.count; i++)
    if (best.profits[i] == profit && same_cycle(place, best.places[i])) return;
  int at = best.count < CANDIDATES_MAX ? best.count++ : CANDIDATES_MAX;
  while (at > 0 && best.profits[at - 1] < profit) {
    if (at < CANDIDATES_MAX) {
      best.places[at] = best.places[at - 1];
      best.inputs[at] = best.inputs[at - 1];
      best.profits[at] = best.profits[at - 1];
    }
    at--;
  }
  if (at >= CANDIDATES_MAX) return;
  best.places[at] = place;
  best.inputs[at] = input;
  best.profits[at] = profit;
}

static void screen_cycle(int32_t place, double input_max, double profit_min) {
  double a = 1, b = 1, d = 0;
  const int32_t *hops = cycle_hops + place * HOPS_MAX;
  for (int i = 0; i < HOPS_MAX && hops[i] >= 0; i++) {
    int32_t hop = hops[i];
    double in = reserves[hop], keep = keeps[hop >> 1];
    d = in * d + keep * a;
    a = keep * reserves[hop ^ 1] * a;
    b = in * b;
  }
  if (!(a > b) || !(b > 0)) return;
  double optimum = (sqrt(a) * sqrt(b) - b) / d;
  double input = optimum < input_max ? optimum : input_max;
  double profit = (a * input) / (b + d * input) - input;
  if (profit > profit_min) offer(place, input, profit);
}

static void screen_pool(uint32_t pool, double input_max, double profit_min) {
  double rate_min = 1 + profit_min / input_max - RATE_SLACK;
  for (int32_t place = starts[pool]; place < starts[pool + 1]; place++) {
    const int32_t *hops = cycle_hops + place * HOPS_MAX;
    double rate = rates[hops[0]] * rates[hops[1]];
    if (hops[2] >= 0) rate *= rates[hops[2]];
    if (hops[3] >= 0) rate *= rates[hops[3]];
    if (rate > rate_min) screen_cycle(place, input_max, profit_min);
  }
}

static void set_rates(uint32_t pool) {
  double reserve0 = reserves[2 * pool], reserve1 = reserves[2 * pool + 1];
  double keep = known[pool] && reserve0 > 0 && reserve1 > 0 ? keeps[pool] : 0;
  rates[2 * pool] = keep == 0 ? 0 : (keep * reserve1) / reserve0;
  rates[2 * pool + 1] = keep == 0 ? 0 : (keep * reserve0) / reserve1;
}

static inline double clamp(double value, double low, double high) {
  return value > low ? (value < high ? value : high) : low;
}
static inline double log10_or_zero(double value) { return value > 1 ? log10(value) : 0; }

static void set_tip(float *row, double tip, double gross) {
  row[12] = (float)clamp(log10_or_zero(tip), 0, 12);
  row[13] = (float)clamp(gross > 0 ? tip / gross : 1, 0, 1);
  row[14] = 0;
}

static void fill_row(Decision *out, const Cycle *cycle, double gross, double age_ms) {
  float *row = out->row;
  const uint64_t *amounts = out->amounts;
  double share = 0, fees = 0;
  for (int i = 0; i < cycle->count; i++) {
    double part = (double)amounts[i] / (double)cycle->in[i];
    if (part > share) share = part;
    uint32_t pool = (uint32_t)(cycle->hop[i] >> 1);
    fees += (double)fee_numerator[pool] / (double)fee_denominator[pool] * 10000;
  }
  uint64_t first = cycle->in[0], last = cycle->out[cycle->count - 1];
  double input = (double)amounts[0];
  row[0] = (float)clamp(log10_or_zero(gross), 0, 15);
  row[1] = (float)clamp(log10_or_zero(input), 0, 15);
  row[2] = (float)clamp(input > 0 ? gross / input * 10000 : 0, 0, 10000);
  row[3] = (float)clamp(cycle->count, 2, 4);
  row[4] = (float)clamp(share, 0, 1);
  row[5] = (float)clamp(fees, 0, 2000);
  row[6] = (float)clamp(log10_or_zero((double)(first < last ? first : last)), 0, 18);
  row[7] = (float)clamp(age_ms, 0, 10000);
  row[8] = 0;
  row[9] = 0;
  row[10] = 0.5f;
  row[11] = 0;
  double inputs[11] = {gross, input, cycle->count, share, fees, (double)(first < last ? first : last), age_ms, 0, 0, 0.5, 0};
  memcpy(out->inputs, inputs, sizeof inputs);
}

/* Every field of the slot; 0 when the exact profit does not pay the least tip and the fee. */
static int evaluate(Decision *out, const Record *record, int candidate, double at_ns, double sequence) {
  Cycle cycle = {0};
  const int32_t *hop = cycle_hops + best.places[candidate] * HOPS_MAX;
  for (; cycle.count < HOPS_MAX && hop[cycle.count] >= 0; cycle.count++) {
    cycle.hop[cycle.count] = hop[cycle.count];
    cycle.in[cycle.count] = exact[hop[cycle.count]];
    cycle.out[cycle.count] = exact[hop[cycle.count] ^ 1];
  }
  Sized sized = size_cycle(&cycle, (uint64_t)floor(best.inputs[candidate] + 0.5), (uint64_t)header.input_max);
  double gross = (double)profit_of(sized);
  if (gross <= header.fee + header.ladder[0]) return 0;
  memset(out, 0, sizeof *out);
  out->amounts[0] = sized.input;
  for (int i = 0; i < cycle.count; i++) {
    out->amounts[i + 1] = quote_hop(&cycle, i, out->amounts[i]);
    out->hop[i] = cycle.hop[i];
    out->reserves[2 * i] = cycle.in[i];
    out->reserves[2 * i + 1] = cycle.out[i];
  }
  fill_row(out, &cycle, gross, (at_ns - record->event_ns) / 1e6);
  double ev_best = -INFINITY, tip_best = 0, score_best = 0;
  double most = fmin(gross * header.tip_share_max, gross - header.fee - 1);
  for (uint32_t i = 0; i < header.tips && header.ladder[i] <= most; i++) {
    double tip = header.ladder[i];
    set_tip(out->row, tip, gross);
    double answer = predict(out->row, FEATURES);
    double score = answer > 0 ? (answer < 1 ? answer : 1) : 0;
    double ev = score * (gross - tip - header.fee) - (1 - score) * header.miss_cost;
    if (ev <= ev_best) continue;
    ev_best = ev;
    tip_best = tip;
    score_best = score;
  }
  if (tip_best > 0) set_tip(out->row, tip_best, gross);
  uint32_t reason = PROFITABLE;
  if (tip_best == 0) reason = NO_AFFORDABLE_TIP;
  else if (ev_best < header.ev_min) reason = EV_BELOW_MINIMUM;
  else {
    for (int i = 0; i < cycle.count && reason == PROFITABLE; i++)
      if (flight_held(cycle.hop[i] >> 1, at_ns)) reason = HELD;
    if (reason == PROFITABLE && flight.count >= IN_FLIGHT_MAX) reason = TOO_MANY;
  }
  out->action = reason == PROFITABLE ? 1 : 2;
  out->reason = reason;
  out->sequence = sequence;
  out->slot = record->slot;
  out->event_ns = record->event_ns;
  out->feed_ns = record->feed_ns;
  out->hops = (uint32_t)cycle.count;
  out->tips = header.tips;
  out->features = FEATURES;
  out->transaction = record->transaction;
  out->gross = gross;
  out->fee = header.fee;
  out->tip = tip_best;
  out->net = gross - header.fee - tip_best;
  out->ev = tip_best > 0 ? floor(ev_best + 0.5) : 0;
  out->score = score_best;
  memcpy(out->ladder, header.ladder, header.tips * sizeof(double));
  memcpy(out->model_hash, header.model_hash, sizeof out->model_hash);
  out->shadow_score = NAN;
  out->ev_min = header.ev_min;
  out->tip_share_max = header.tip_share_max;
  out->miss_cost = header.miss_cost;
  return 1;
}

static int overlaps_better(int candidate) {
  const int32_t *own = cycle_hops + best.places[candidate] * HOPS_MAX;
  for (int better = 0; better < candidate; better++) {
    const int32_t *other = cycle_hops + best.places[better] * HOPS_MAX;
    for (int i = 0; i < HOPS_MAX && own[i] >= 0; i++)
      for (int j = 0; j < HOPS_MAX && other[j] >= 0; j++)
        if (own[i] >> 1 == other[j] >> 1) return 1;
  }
  return 0;
}

static void decide_candidates(const Record *record) {
  for (int i = 0; i < best.count; i++) {
    if (overlaps_better(i)) {
      counters.overlapping++;
      continue;
    }
    uint32_t head = atomic_load_explicit(&decision_indices.head, memory_order_relaxed);
    Decision *slot = &decisions[head % DECISION_SLOTS];
    if (!evaluate(slot, record, i, now_ns(), decided + 1)) {
      counters.unprofitable++;
      continue;
    }
    decided++;
    slot->decide_ns = now_ns();
    atomic_store_explicit(&decision_indices.head, head + 1, memory_order_release);
    counters.decisions++;
    if (slot->action != 1) continue;
    counters.sends++;
    flight_hold(slot->sequence, slot->hop, (int)slot->hops, slot->decide_ns);
  }
}

static void count_latency(double ns) {
  uint32_t value = ns > 0 ? (uint32_t)(ns < 1e9 ? ns : 1e9) : 0;
  int exponent = value < 64 ? 5 : 31 - __builtin_clz(value);
  latency_buckets[value < 64 ? value : (uint32_t)((exponent - 5) * 64) + ((value >> (exponent - 6)) & 63)]++;
}

static void decide_group(const Record *record, uint32_t pool) {
  counters.swaps++;
  if (now_ns() - record->feed_ns > EVENT_AGE_NS_MAX) {
    counters.stale++;
    return;
  }
  best.count = 0;
  screen_pool(pool, header.input_max, header.fee + header.ladder[0]);
  counters.cycles += starts[pool + 1] - starts[pool];
  if (best.count > 0) decide_candidates(record);
  count_latency(now_ns() - record->feed_ns);
}

static void do_work(void) {
  uint32_t sequence = atomic_load(&policy_sequence);
  if (sequence != policy_seen) policy_seen = sequence;
  uint32_t tail = atomic_load_explicit(&market_indices.tail, memory_order_relaxed);
  uint32_t head = atomic_load_explicit(&market_indices.head, memory_order_acquire);
  if (head - tail > counters.depth_max) counters.depth_max = head - tail;
  for (int taken = 0; taken < 64 && tail != head; taken++, tail++) {
    const Record *record = &market[tail % MARKET_SLOTS];
    counters.records++;
    if (record->sequence != market_sequence + 1 && market_sequence != 0) counters.gaps++;
    market_sequence = record->sequence;
    uint32_t pool = record->pool;
    for (int side = 0; side < 2; side++) {
      exact[2 * pool + side] = record->reserve[side];
      reserves[2 * pool + side] = (double)record->reserve[side];
    }
    known[pool] = 1;
    set_rates(pool);
    if (flight.holder[pool] >= 0) flight_free(flight.holder[pool]);
    if ((record->flags & 3) == 1) decide_group(record, pool);
  }
  atomic_store_explicit(&market_indices.tail, tail, memory_order_release);
}

static void reset(void) {
  memset(known, 0, header.pools);
  memset(rates, 0, 2 * header.pools * sizeof *rates);
  memset(&flight.count, 0, sizeof flight.count);
  memset(flight.sequences, 0, sizeof flight.sequences);
  for (uint32_t pool = 0; pool < header.pools; pool++) flight.holder[pool] = -1;
  memset(&counters, 0, sizeof counters);
  market_sequence = 0;
  decided = 0;
}

static void put(const Record *source, uint64_t sequence) {
  uint32_t head = atomic_load_explicit(&market_indices.head, memory_order_relaxed);
  Record *slot = &market[head % MARKET_SLOTS];
  *slot = *source;
  slot->sequence = sequence;
  slot->event_ns = slot->feed_ns = now_ns();
  atomic_store_explicit(&market_indices.head, head + 1, memory_order_release);
}

/* How often an event took how long: a counter per ns, above FINE_NS one per COARSE_NS. As in hot-thread-times.ts. */
#define FINE_NS 65536
#define COARSE_NS 1024
#define COARSE 65536
typedef struct { double count, max; uint32_t fine[FINE_NS], coarse[COARSE]; } Times;
static Times plain, deciding;

static void count_time(Times *times, double ns) {
  times->count++;
  if (ns > times->max) times->max = ns;
  if (ns < FINE_NS) times->fine[(uint32_t)ns]++;
  else times->coarse[ns < (double)COARSE * COARSE_NS ? (uint32_t)(ns / COARSE_NS) : COARSE - 1]++;
}

static double quantile(const Times *times, double q) {
  double rank = ceil(q * times->count), below = 0;
  for (uint32_t i = 0; i < FINE_NS; i++)
    if ((below += times->fine[i]) >= rank) return i;
  for (uint32_t i = 0; i < COARSE; i++)
    if ((below += times->coarse[i]) >= rank) return (double)i * COARSE_NS;
  return times->max;
}

static void print_times(const char *name, const Times *times) {
  printf("\"%s\": {\"count\": %.0f, \"p50\": %.0f, \"p99\": %.0f, \"p999\": %.0f, \"max\": %.0f}", name, times->count,
         quantile(times, 0.5), quantile(times, 0.99), quantile(times, 0.999), times->max);
}

/* One turn on one record; with the counted clock the hash of its decision records is taken on, FNV-1a. */
static uint32_t turn(const Record *record, uint64_t sequence, uint32_t hash, int timed) {
  put(record, sequence);
  uint32_t before = atomic_load_explicit(&decision_indices.head, memory_order_relaxed);
  double start = now_ns();
  do_work();
  double elapsed = now_ns() - start;
  uint32_t after = atomic_load_explicit(&decision_indices.head, memory_order_relaxed);
  if (counted_clock)
    for (uint32_t d = before; d != after; d++)
      for (size_t byte = 0; byte < sizeof(Decision); byte++)
        hash = (hash ^ ((const uint8_t *)&decisions[d % DECISION_SLOTS])[byte]) * 16777619u;
  atomic_store_explicit(&decision_indices.tail, after, memory_order_release);
  if (timed) count_time(after == before ? &plain : &deciding, elapsed);
  return hash;
}

/* The snapshot, then the workload's events, over and over until `events` of them have been taken. */
static uint32_t pass(uint64_t events) {
  uint32_t hash = 2166136261u, at = 0;
  reset();
  for (uint64_t i = 0; i < header.snapshots + events; i++) {
    counted_ns = 1e9 + 1000.0 * (double)i;
    hash = turn(&records[at], i + 1, hash, !counted_clock && i >= header.snapshots + header.warm_up);
    if (++at == header.snapshots + header.events) at = header.snapshots;
  }
  return hash;
}

static void *section(FILE *file, size_t bytes) {
  void *memory = malloc(bytes ? bytes : 1);
  if (fread(memory, 1, bytes, file) != bytes) exit(65);
  return memory;
}

int main(int argc, char **argv) {
  if (argc != 4) return 64;
  FILE *file = fopen(argv[1], "rb");
  if (!file || fread(&header, sizeof header, 1, file) != 1) return 66;
  fee_numerator = section(file, 4ul * header.pools);
  fee_denominator = section(file, 4ul * header.pools);
  cycle_hops = section(file, 16ul * header.places);
  starts = section(file, 4ul * (header.pools + 1));
  records = section(file, sizeof(Record) * (header.snapshots + header.events));
  fclose(file);
  void *library = dlopen(argv[2], RTLD_NOW);
  if (!library) return 67;
  const model_abi_v1 *(*export)(void) = (const model_abi_v1 *(*)(void))dlsym(library, "model_abi_v1_export");
  predict = export()->predict_arb;
  reserves = calloc(2 * header.pools, sizeof *reserves);
  exact = calloc(2 * header.pools, sizeof *exact);
  rates = calloc(2 * header.pools, sizeof *rates);
  keeps = calloc(header.pools, sizeof *keeps);
  known = calloc(header.pools, 1);
  flight.holder = calloc(header.pools, sizeof *flight.holder);
  for (uint32_t pool = 0; pool < header.pools; pool++)
    keeps[pool] = 1 - (double)fee_numerator[pool] / (double)fee_denominator[pool];
  counted_clock = 1;
  uint32_t hash = pass(header.events);
  printf("{\"hash\": %u, \"decisions\": %.0f, \"sends\": %.0f, ", hash, counters.decisions, counters.sends);
  counted_clock = 0;
  pass(strtoull(argv[3], NULL, 10) + header.warm_up);
  print_times("plain", &plain);
  printf(", ");
  print_times("deciding", &deciding);
  printf("}\n");
  return 0;
}
