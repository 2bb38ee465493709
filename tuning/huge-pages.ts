import { type Box, type Knob, readText, type Setting } from "#supervise/tuning/knob.ts";

/** Where mounts lie on one another the last line is the one that counts, and that a remount changes. */
const OPTIONS = /^\S+ \/dev\/shm tmpfs (\S+)/gm;

function devShm(box: Box): Setting {
  return {
    id: "mount /dev/shm huge",
    wanted: "within_size",
    lasts: "boot",
    read: () => {
      const options = [...(readText(`${box.root}/proc/mounts`) ?? "").matchAll(OPTIONS)].at(-1)?.[1]?.split(",");
      return options?.find((option) => option.startsWith("huge="))?.slice(5) ?? (options && "never");
    },
    suffices: (value) => value !== "never",
    write: (value) => {
      if (box.run(["mount", "-o", `remount,huge=${value ?? "never"}`, "/dev/shm"]) === undefined)
        throw new Error("mount -o remount was refused");
    },
  };
}

export const hugePages: Knob = {
  name: "huge-pages",
  why: "A market ring of megabytes in /dev/shm needs a TLB entry for every 4 KiB that two processes walk through",
  reads: "the options of /dev/shm in /proc/mounts",
  applies: "remounts /dev/shm with huge=within_size",
  undoes: "remounts it with what it was (never, when nothing was said)",
  risk: "A small file in /dev/shm never grows by it; a large one may take up to 2 MiB more than it needs. Nothing of ours maps hugetlbfs, so vm.nr_hugepages stays as it is",
  source: "kernel.org: filesystems/tmpfs, huge=; admin-guide/mm/transhuge, shmem",
  settings: (box) => [devShm(box)],
};
