/**
 * A bad line: TCP packets of the given ports are lost on loopback, both ways, in the kernel. A small BPF program on the
 * egress hook of `lo` throws them away (tc and clang-22, root); kernels without netem have that much.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Ours among the filters of the device. */
const PRIORITY = "17171";

/** Loses `share` of the packets from and to these ports, 1 is a black hole; answers how to end it. Throws without root. */
export function losePackets(ports: readonly number[], share: number): () => void {
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-loss-"));
  const source = join(folder, "loss.c");
  const object = join(folder, "loss.o");
  writeFileSync(source, programOf(ports, Math.min(2 ** 32 - 1, Math.round(share * 2 ** 32))));
  run(["clang-22", "-target", "bpfel", "-O2", "-c", source, "-o", object]);
  const isOurs = Bun.spawnSync(["tc", "qdisc", "add", "dev", "lo", "clsact"]).success;
  run([
    "tc",
    "filter",
    "add",
    "dev",
    "lo",
    "egress",
    "prio",
    PRIORITY,
    "bpf",
    "da",
    "obj",
    object,
    "sec",
    "classifier",
  ]);
  rmSync(folder, { recursive: true, force: true });
  return () => {
    run(["tc", "filter", "del", "dev", "lo", "egress", "prio", PRIORITY]);
    if (isOurs) run(["tc", "qdisc", "del", "dev", "lo", "clsact"]);
  };
}

function run(command: readonly string[]): void {
  const { success, stderr } = Bun.spawnSync([...command]);
  if (!success) throw new Error(`Cannot lose packets: ${command[0]} as root must work, was ${stderr}`);
}

/** Helpers 26 and 7 of the kernel read bytes of the packet and draw a number; 2 loses it, -1 is no opinion. */
const programOf = (ports: readonly number[], below: number): string => `
static long (*load)(const void *packet, unsigned offset, void *to, unsigned length) = (void *)26;
static unsigned (*draw)(void) = (void *)7;
static int named(unsigned port) { return ${ports.map((port) => `port == ${port}`).join(" || ")}; }
__attribute__((section("classifier"), used)) int lose(void *packet) {
  unsigned char ip[20], tcp[4];
  if (load(packet, 14, ip, 20) < 0 || ip[0] >> 4 != 4 || ip[9] != 6) return -1;
  if (load(packet, 14 + (ip[0] & 15) * 4, tcp, 4) < 0) return -1;
  if (!named(tcp[0] << 8 | tcp[1]) && !named(tcp[2] << 8 | tcp[3])) return -1;
  return draw() < ${below}u ? 2 : -1;
}
__attribute__((section("license"), used)) char granted[] = "GPL";
`;
