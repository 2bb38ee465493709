/** Every knob of tuning/, in the order in which they are shown and applied. */
import { busyPolling } from "#tuning/busy-polling.ts";
import { clocksource } from "#tuning/clocksource.ts";
import { cpuGovernor } from "#tuning/cpu-governor.ts";
import { hugePages } from "#tuning/huge-pages.ts";
import { idleStates } from "#tuning/idle-states.ts";
import { irqAffinity } from "#tuning/irq-affinity.ts";
import { kernelCommandLine } from "#tuning/kernel-command-line.ts";
import { kernelWorkers } from "#tuning/kernel-workers.ts";
import { lockedMemory } from "#tuning/locked-memory.ts";
import { lockupWatchdog } from "#tuning/lockup-watchdog.ts";
import { memoryCompaction } from "#tuning/memory-compaction.ts";
import { memoryStatistics } from "#tuning/memory-statistics.ts";
import { nicCoalescing } from "#tuning/nic-coalescing.ts";
import { numaBalancing } from "#tuning/numa-balancing.ts";
import { receiveSteering } from "#tuning/receive-steering.ts";
import { samePageMerging } from "#tuning/same-page-merging.ts";
import { socketBuffers } from "#tuning/socket-buffers.ts";
import { swap } from "#tuning/swap.ts";
import { tcpLatency } from "#tuning/tcp-latency.ts";
import { timerMigration } from "#tuning/timer-migration.ts";
import { transparentHugePages } from "#tuning/transparent-huge-pages.ts";
import type { Knob } from "./knob.ts";

export const KNOBS: readonly Knob[] = [
  kernelCommandLine,
  irqAffinity,
  kernelWorkers,
  receiveSteering,
  idleStates,
  cpuGovernor,
  timerMigration,
  numaBalancing,
  swap,
  transparentHugePages,
  hugePages,
  memoryCompaction,
  memoryStatistics,
  samePageMerging,
  lockedMemory,
  socketBuffers,
  tcpLatency,
  busyPolling,
  nicCoalescing,
  lockupWatchdog,
  clocksource,
];
