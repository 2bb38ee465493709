import { type Knob, sysctl } from "#supervise/tuning/knob.ts";

export const tcpLatency: Knob = {
  name: "tcp-latency",
  why: "A connection to a block engine that was silent for a second starts slowly again, and small writes are held back to be joined",
  reads: "/proc/sys/net/ipv4/tcp_slow_start_after_idle, tcp_autocorking",
  applies: "writes the value (of this network namespace)",
  undoes: "writes the old value",
  risk: "More small packets; a burst after a silence may meet a path that has become narrower",
  source: "kernel.org: networking/ip-sysctl",
  settings: (box) => [
    sysctl(box, "net.ipv4.tcp_slow_start_after_idle", "0"),
    sysctl(box, "net.ipv4.tcp_autocorking", "0"),
  ],
};
