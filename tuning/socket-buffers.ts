import { atLeast, type Knob, sysctl } from "#supervise/tuning/knob.ts";

const BUFFER_BYTES = 16_777_216;
const BACKLOG_PACKETS = 5_000;

export const socketBuffers: Knob = {
  name: "socket-buffers",
  why: "A burst of QUIC datagrams that finds the socket's buffer full is lost, and a lost one costs a round trip",
  reads: "/proc/sys/net/core/rmem_max, wmem_max, netdev_max_backlog",
  applies: "writes the value",
  undoes: "writes the old value",
  risk: "Sockets that ask may hold 16 MiB each",
  source: "kernel.org: admin-guide/sysctl/net; quic-go: UDP buffer sizes",
  settings: (box) => [
    sysctl(box, "net.core.rmem_max", `${BUFFER_BYTES}`, { suffices: atLeast(BUFFER_BYTES) }),
    sysctl(box, "net.core.wmem_max", `${BUFFER_BYTES}`, { suffices: atLeast(BUFFER_BYTES) }),
    sysctl(box, "net.core.netdev_max_backlog", `${BACKLOG_PACKETS}`, { suffices: atLeast(BACKLOG_PACKETS) }),
  ],
};
