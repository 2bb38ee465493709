import type { Box, Knob, Setting } from "#supervise/tuning/knob.ts";

const coalescing = (box: Box, nic: string, pattern: RegExp): string | undefined =>
  pattern.exec(box.run(["ethtool", "-c", nic]) ?? "")?.[1];

function setting(box: Box, nic: string, name: string, wanted: string, pattern: RegExp): Setting {
  return {
    id: `ethtool -C ${nic} ${name}`,
    wanted,
    lasts: "boot",
    read: () => coalescing(box, nic, pattern),
    write: (value) => {
      if (value !== undefined && box.run(["ethtool", "-C", nic, name, value]) === undefined)
        throw new Error(`ethtool -C ${nic} ${name} ${value} was refused`);
    },
  };
}

const adaptive = (box: Box, nic: string) => setting(box, nic, "adaptive-rx", "off", /Adaptive RX: (on|off)/);
const holdBack = (box: Box, nic: string) => setting(box, nic, "rx-usecs", "0", /^rx-usecs:\s*(\d+)/m);

export const nicCoalescing: Knob = {
  name: "nic-coalescing",
  why: "The card holds packets back to raise fewer interrupts: up to 100 µs more for each market update",
  reads: "ethtool -c",
  applies: "ethtool -C: no adaptive coalescing, 0 µs",
  undoes: "ethtool -C with the old values",
  risk: "An interrupt per packet: more CPU at high rates",
  source: "ethtool(8), -C; kernel.org: networking/ethtool-netlink",
  settings: (box) => {
    const settings = box.nics.flatMap((nic) => {
      const shown = box.run(["ethtool", "-c", nic]);
      return shown === undefined ? [] : [adaptive(box, nic), holdBack(box, nic)];
    });
    return settings.length === 0
      ? "no network card here shows its coalescing (no ethtool, or a virtual card)"
      : settings;
  },
};
