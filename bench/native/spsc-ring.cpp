// The yardstick of bench/ring.ts: a single-producer single-consumer ring after rigtorp/SPSCQueue's design (indices on
// cache lines of their own, each side caching the other's), with slots of 64 bytes, between two threads or two
// processes on the cores NEAR and FAR. An end that finds nothing to do executes PAUSE, as ours does.
// `spsc-ring threads|processes BATCH COUNT NEAR FAR` answers million messages per second, slots claimed one by one as
// rigtorp's are; with `rows-BATCH` they are claimed by the row, as ours are, which his has not;
// `spsc-ring threads|processes latency|parked COUNT NEAR FAR` answers one-way nanoseconds (half a round trip) at p50,
// p99 and p99.9, with both ends spinning or both sleeping at a futex while there is nothing.
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

constexpr uint32_t kCapacity = 4096;
constexpr int kWords = 16;
using Clock = std::chrono::steady_clock;

struct Slot {
  int32_t words[kWords];
};

struct Ring {
  alignas(64) std::atomic<uint32_t> head{0};
  alignas(64) std::atomic<uint32_t> tail{0};
  alignas(64) std::atomic<uint32_t> parked{0};
  alignas(64) Slot slots[kCapacity];
};

struct Producer {
  Ring &ring;
  uint32_t head = 0, tail_seen = 0;
  Slot *claim() {
    if (head - tail_seen >= kCapacity) {
      tail_seen = ring.tail.load(std::memory_order_acquire);
      if (head - tail_seen >= kCapacity) return nullptr;
    }
    return &ring.slots[head % kCapacity];
  }
  /** Free slots in a row from claim() on. */
  uint32_t claim_row(uint32_t max) {
    uint32_t free = tail_seen + kCapacity - head;
    if (free < max) {
      tail_seen = ring.tail.load(std::memory_order_acquire);
      free = tail_seen + kCapacity - head;
    }
    return std::min({free, kCapacity - head % kCapacity, max});
  }
  void advance(uint32_t slots = 1) { head += slots; }
  void publish() { ring.head.store(head, std::memory_order_release); }
};

struct Consumer {
  Ring &ring;
  uint32_t tail = 0, head_seen = 0;
  Slot *peek() {
    if (tail == head_seen) {
      head_seen = ring.head.load(std::memory_order_acquire);
      if (tail == head_seen) return nullptr;
    }
    return &ring.slots[tail % kCapacity];
  }
  /** Published slots in a row from peek() on. */
  uint32_t peek_row(uint32_t max) {
    uint32_t ready = head_seen - tail;
    if (ready < max) {
      head_seen = ring.head.load(std::memory_order_acquire);
      ready = head_seen - tail;
    }
    return std::min({ready, kCapacity - tail % kCapacity, max});
  }
  void advance(uint32_t slots = 1) { tail += slots; }
  void release() { ring.tail.store(tail, std::memory_order_release); }
};

struct Shared {
  std::atomic<int> arrived{0};
  Ring there, back;
};

static void pin(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  sched_setaffinity(0, sizeof cores, &cores);
}

static bool parks = false;

static void ring_bell(Ring &ring) {
  if (!parks) return;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (ring.parked.load() == 0) return;
  ring.parked.store(0);
  syscall(SYS_futex, &ring.parked, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

static void wait_at(Ring &ring) {
  if (!parks) {
    __builtin_ia32_pause();
    return;
  }
  timespec timeout{1, 0};
  ring.parked.store(1);
  if (ring.head.load() == ring.tail.load()) syscall(SYS_futex, &ring.parked, FUTEX_WAIT, 1, &timeout, nullptr, 0);
  ring.parked.store(0);
}

static void barrier(Shared &shared) {
  shared.arrived++;
  while (shared.arrived.load() < 2) {
  }
}

static void write(Slot *slot, long number) {
  for (int word = 0; word < kWords; word++) slot->words[word] = (int32_t)(number + word);
}

static uint32_t sum_of(const Slot *slot) {
  uint32_t sum = 0;
  for (int word = 0; word < kWords; word++) sum += (uint32_t)slot->words[word];
  return sum;
}

template <bool kRows>
static void produce(Shared &shared, long count, int batch) {
  Producer producer{shared.there};
  barrier(shared);
  for (long sent = 0; sent < count;) {
    int wanted = (int)std::min<long>(batch, count - sent);
    int batched = 0;
    while (batched < wanted) {
      uint32_t row = kRows ? producer.claim_row(wanted - batched) : 1;
      Slot *slot = row > 0 ? producer.claim() : nullptr;
      if (slot == nullptr) break;
      for (uint32_t i = 0; i < row; i++) write(slot + i, sent++);
      producer.advance(row);
      batched += row;
    }
    if (batched > 0)
      producer.publish();
    else
      __builtin_ia32_pause();
  }
}

template <bool kRows>
static void consume(Shared &shared, long count, int batch) {
  Consumer consumer{shared.there};
  barrier(shared);
  auto start = Clock::now();
  uint32_t sum = 0;
  for (long seen = 0; seen < count;) {
    int wanted = (int)std::min<long>(batch, count - seen);
    int batched = 0;
    while (batched < wanted) {
      uint32_t row = kRows ? consumer.peek_row(wanted - batched) : 1;
      Slot *slot = row > 0 ? consumer.peek() : nullptr;
      if (slot == nullptr) break;
      for (uint32_t i = 0; i < row; i++) sum += sum_of(slot + i);
      consumer.advance(row);
      batched += row;
    }
    seen += batched;
    if (batched > 0)
      consumer.release();
    else
      __builtin_ia32_pause();
  }
  std::chrono::duration<double, std::micro> elapsed = Clock::now() - start;
  printf("{\"millionPerSecond\": %.4f, \"sum\": %u}\n", count / elapsed.count(), sum);
}

static void echo(Shared &shared, long count) {
  Consumer consumer{shared.there};
  Producer producer{shared.back};
  barrier(shared);
  for (long i = 0; i < count; i++) {
    Slot *slot;
    while ((slot = consumer.peek()) == nullptr) wait_at(shared.there);
    int32_t value = slot->words[0];
    producer.claim()->words[0] = value;
    producer.advance();
    producer.publish();
    ring_bell(shared.back);
    consumer.advance();
    consumer.release();
  }
}

static void ping(Shared &shared, long count) {
  Producer producer{shared.there};
  Consumer consumer{shared.back};
  std::vector<double> one_way_ns;
  one_way_ns.reserve(count);
  barrier(shared);
  for (long i = 0; i < count; i++) {
    auto start = Clock::now();
    producer.claim()->words[0] = (int32_t)i;
    producer.advance();
    producer.publish();
    ring_bell(shared.there);
    while (consumer.peek() == nullptr) wait_at(shared.back);
    one_way_ns.push_back(std::chrono::duration<double, std::nano>(Clock::now() - start).count() / 2);
    consumer.advance();
    consumer.release();
  }
  std::sort(one_way_ns.begin(), one_way_ns.end());
  auto at = [&](double q) { return one_way_ns[(size_t)(q * (count - 1))]; };
  printf("{\"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f}\n", at(0.5), at(0.99), at(0.999));
}

int main(int argc, char **argv) {
  if (argc != 6) return 64;
  parks = strcmp(argv[2], "parked") == 0;
  bool latency = parks || strcmp(argv[2], "latency") == 0;
  bool rows = strncmp(argv[2], "rows-", 5) == 0;
  int batch = latency ? 1 : atoi(argv[2] + (rows ? 5 : 0));
  long count = atol(argv[3]);
  void *memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 1;
  Shared &shared = *new (memory) Shared;
  std::function<void()> far = [&] {
    pin(atoi(argv[5]));
    latency ? echo(shared, count) : (rows ? produce<true> : produce<false>)(shared, count, batch);
  };
  std::function<void()> near = [&] {
    pin(atoi(argv[4]));
    latency ? ping(shared, count) : (rows ? consume<true> : consume<false>)(shared, count, batch);
  };
  if (strcmp(argv[1], "threads") == 0) {
    std::thread other(far);
    near();
    other.join();
    return 0;
  }
  pid_t child = fork();
  if (child == 0) {
    far();
    _exit(0);
  }
  near();
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}
