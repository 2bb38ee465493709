import { coreMask } from "#supervise/placement/cores.ts";
import { type Knob, kernelFile, listNames, NO_OWNED_CORES, withoutZeros } from "#supervise/tuning/knob.ts";

export const receiveSteering: Knob = {
  name: "receive-steering",
  why: "Software steering may run the network's softirq on an owned core",
  reads: "/sys/class/net/*/queues/rx-*/rps_cpus",
  applies: "writes the mask of the cores that nobody owns",
  undoes: "writes the old value",
  risk: "Less spreading of softirqs",
  source: "kernel.org: networking/scaling, RPS",
  settings: (box) => {
    if (box.plan.seats.length === 0) return NO_OWNED_CORES;
    return box.nics.flatMap((nic) =>
      listNames(`${box.root}/sys/class/net/${nic}/queues`, /^rx-\d+$/).map((queue) =>
        kernelFile(box, `/sys/class/net/${nic}/queues/${queue}/rps_cpus`, coreMask(box.plan.shared), {
          parse: withoutZeros,
        }),
      ),
    );
  },
};
