/* What the C hot loop works on: ring slots as the TypeScript side lays them out, the market's state, the counters. */
#ifndef HOT_LOOP_STATE_H
#define HOT_LOOP_STATE_H

#include <stdatomic.h>
#include <stdint.h>

#include "../../abi/model_abi.h"

#define HOPS_MAX 4
#define CANDIDATES_MAX 8
#define IN_FLIGHT_MAX 64
#define STEPS_MAX 4
#define RATE_SLACK 1e-9
#define FEATURES 15
#define MARKET_SLOTS 8192u
#define DECISION_SLOTS 1024u
#define HELD_NS_MAX 90e9
#define EVENT_AGE_NS_MAX 1e9
typedef unsigned __int128 u128;

enum { PROFITABLE = 1, EV_BELOW_MINIMUM = 4, HELD = 5, TOO_MANY = 6, NO_AFFORDABLE_TIP = 7 };

typedef struct {
  uint32_t pools, places, model_hash[2], snapshots, events, tips, warm_up;
  double input_max, fee, tip_share_max, miss_cost, ev_min, slot_ms, ladder[16];
} Header;

typedef struct {
  uint32_t kind, flags;
  uint64_t sequence, slot;
  double event_ns, feed_ns;
  uint32_t pool, transaction;
  uint64_t reserve[2];
  uint64_t unused[8];
} Record;

typedef struct {
  uint32_t action, reason;
  double sequence;
  uint64_t slot;
  double event_ns, feed_ns, decide_ns;
  uint32_t hops, tips, features, transaction;
  int32_t hop[4];
  uint64_t amounts[5];
  double gross, fee, tip, net, ev, score, ladder[16];
  float row[32];
  uint64_t reserves[8];
  uint8_t no_ticks[24];
  uint32_t model_hash[2], shadow_hash[2];
  double shadow_score, inputs[11], ev_min, tip_share_max, miss_cost;
  uint8_t unused[376];
} Decision;
_Static_assert(sizeof(Record) == 128 && sizeof(Decision) == 1024, "slots are as the TypeScript side lays them out");

typedef struct {
  _Alignas(64) _Atomic uint32_t head;
  _Alignas(64) _Atomic uint32_t tail;
} Indices;

static Header header;
static uint32_t *fee_numerator, *fee_denominator;
static int32_t *cycle_hops, *starts;
static Record *records;
static predict_fn predict;

static Indices market_indices, decision_indices;
static Record market[MARKET_SLOTS];
static Decision decisions[DECISION_SLOTS];

static double *reserves, *keeps, *rates;
static uint64_t *exact;
static uint8_t *known;
static _Atomic uint32_t policy_sequence = 2;
static uint32_t policy_seen;
static struct {
  double records, swaps, stale, cycles, overlapping, unprofitable, decisions, sends, gaps, depth_max;
} counters;
static uint32_t latency_buckets[2432];

static struct {
  int count;
  int32_t places[CANDIDATES_MAX];
  double inputs[CANDIDATES_MAX], profits[CANDIDATES_MAX];
} best;
static struct {
  int count;
  double sequences[IN_FLIGHT_MAX], sent_ns[IN_FLIGHT_MAX];
  int32_t pools[IN_FLIGHT_MAX][HOPS_MAX];
  int16_t *holder;
} flight;
static uint64_t market_sequence;
static double decided;

#endif
