import { type Knob, readText } from "#supervise/tuning/knob.ts";

export const lockedMemory: Knob = {
  name: "locked-memory",
  why: "Without the right to lock memory the first touch after a silence may find its page gone",
  reads: 'the limit "Max locked memory" of this process',
  applies: "left to a person: LimitMEMLOCK=infinity of the units in systemd/, or limits.conf",
  undoes: "nothing to undo",
  risk: "A process that locks too much takes memory from all others",
  source: "mlockall(2); systemd.exec(5), LimitMEMLOCK",
  settings: (box) => [
    {
      id: "/proc/self/limits Max locked memory",
      wanted: "unlimited",
      lasts: "boot",
      read: () => /^Max locked memory\s+(\S+)/m.exec(readText(`${box.root}/proc/self/limits`) ?? "")?.[1],
    },
  ],
};
