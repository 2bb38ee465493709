/**
 * The systemd units, made from one table: the supervised layout (one unit that starts everything) and the layout of one
 * unit per process. `bun scripts/systemd.ts` writes them to systemd/, `sandpiper service install` to the machine.
 *
 * Everything is denied that still lets a process work. What stays open, and why: writable executable memory (the JIT),
 * in units that own cores the system calls that place and lock (@resources, @memlock), in all others the one that keeps them
 * away from those cores.
 */

export const SERVICE_PATHS = {
  program: "/opt/sandpiper/current/sandpiper",
  state: "/var/lib/sandpiper",
  config: "/etc/sandpiper",
} as const;

/** All paths and texts of an installation, by path. */
export type ServiceFiles = Readonly<Record<string, string>>;

type Role = {
  readonly name: string;
  readonly about: string;
  /** Other roles that it follows, when they are started together. */
  readonly after: readonly string[];
  /** Only this machine's addresses; otherwise whatever the operator's node and block engine need. */
  readonly network: "loopback" | "any";
  /** It may own a core: place itself, raise its priority, keep its memory. */
  readonly owns: boolean;
  readonly memoryMax: string;
};

const ROLES: readonly Role[] = [
  { name: "clickhouse", about: "embedded ClickHouse", after: [], network: "loopback", owns: false, memoryMax: "8G" },
  { name: "sim", about: "market in the box", after: [], network: "loopback", owns: false, memoryMax: "2G" },
  { name: "feed", about: "market feed", after: ["sim"], network: "any", owns: true, memoryMax: "2G" },
  { name: "arbitrage", about: "arbitrage agent", after: ["feed"], network: "any", owns: true, memoryMax: "2G" },
  { name: "mev", about: "MEV agent", after: ["feed"], network: "any", owns: true, memoryMax: "2G" },
  { name: "recorder", about: "bus to ClickHouse", after: ["clickhouse"], network: "any", owns: false, memoryMax: "2G" },
  { name: "gateway", about: "API and page", after: ["clickhouse"], network: "any", owns: false, memoryMax: "1G" },
  { name: "guard", about: "service-level guard", after: ["arbitrage"], network: "any", owns: false, memoryMax: "512M" },
  { name: "trainer", about: "fits models", after: ["clickhouse"], network: "any", owns: false, memoryMax: "8G" },
];

/** Without it systemd leaves down what ended five times in ten seconds. Exit code 65 is how a process says that it cannot work. */
const NEVER_GIVEN_UP = { StartLimitIntervalSec: "0" } as const;

/** Every unit, and the files of sysusers.d and tmpfiles.d. */
export function serviceFiles(): ServiceFiles {
  const files: Record<string, string> = {
    "sysusers.d/sandpiper.conf": `u sandpiper - "Sandpiper" ${SERVICE_PATHS.state}\n`,
    "tmpfiles.d/sandpiper.conf": `d ${SERVICE_PATHS.state} 0700 sandpiper sandpiper -\nd ${SERVICE_PATHS.config} 0750 root sandpiper -\n`,
    "system/sandpiper.service": supervisedUnit(),
    "system/sandpiper.target": targetUnit(),
    "system/sandpiper-prepare.service": prepareUnit(),
    "system/sandpiper-tune.service": tuneUnit(),
    "system/sandpiper-trace.service": traceUnit(),
  };
  for (const role of ROLES) files[`system/sandpiper-${role.name}.service`] = roleUnit(role);
  return files;
}

function supervisedUnit(): string {
  return unit({
    Unit: {
      Description: "Sandpiper, all processes under its supervisor",
      After: "network-online.target time-sync.target",
      Wants: "network-online.target",
      Conflicts: "sandpiper.target",
      ...NEVER_GIVEN_UP,
    },
    Service: {
      Type: "notify",
      NotifyAccess: "main",
      ExecStart: `${SERVICE_PATHS.program} supervisor --dataDir ${SERVICE_PATHS.state}/data`,
      // A rolling restart: each process in turn.
      ExecReload: "kill -USR2 $MAINPID",
      WatchdogSec: "10s",
      TimeoutStartSec: "120s",
      TimeoutStopSec: "10s",
      Restart: "always",
      RestartSec: "100ms",
      RestartPreventExitStatus: "65",
      ...hardening({ network: "any", owns: true, memoryMax: "80%" }),
    },
    Install: { WantedBy: "multi-user.target" },
  });
}

function targetUnit(): string {
  return unit({
    Unit: {
      Description: "Sandpiper, one unit per process",
      Wants: ROLES.filter(({ name }) => name !== "sim")
        .map(({ name }) => `sandpiper-${name}.service`)
        .join(" "),
      Conflicts: "sandpiper.service",
    },
    Install: { WantedBy: "multi-user.target" },
  });
}

function roleUnit({ name, about, after, network, owns, memoryMax }: Role): string {
  const order = ["sandpiper-prepare.service", ...after.map((one) => `sandpiper-${one}.service`)];
  return unit({
    Unit: {
      Description: `Sandpiper ${name}: ${about}`,
      PartOf: "sandpiper.target",
      Requires: "sandpiper-prepare.service",
      After: [...(network === "any" ? ["network-online.target"] : []), ...order].join(" "),
      Wants: network === "any" ? "network-online.target" : undefined,
      ...NEVER_GIVEN_UP,
    },
    Service: {
      Type: "notify",
      NotifyAccess: "main",
      ExecStart: `${SERVICE_PATHS.program} agent ${name} --dataDir ${SERVICE_PATHS.state}/data`,
      EnvironmentFile: `-${SERVICE_PATHS.config}/${name}.env`,
      WatchdogSec: "10s",
      TimeoutStartSec: "60s",
      TimeoutStopSec: "8s",
      Restart: "always",
      RestartSec: "100ms",
      RestartPreventExitStatus: "65",
      ...hardening({ network, owns, memoryMax }),
    },
    Install: { WantedBy: "sandpiper.target" },
  });
}

/** What the supervisor does before the first process: keys, rings, heartbeats. */
function prepareUnit(): string {
  return unit({
    Unit: { Description: "Sandpiper: keys and shared memory", PartOf: "sandpiper.target" },
    Service: {
      Type: "oneshot",
      RemainAfterExit: "yes",
      ExecStart: `${SERVICE_PATHS.program} service prepare --dataDir ${SERVICE_PATHS.state}/data`,
      ...hardening({ network: "loopback", owns: false, memoryMax: "512M" }),
    },
  });
}

function tuneUnit(): string {
  return unit({
    Unit: {
      Description: "Sandpiper: tuning of this machine, undone at stop",
      Before: "sandpiper.service sandpiper.target",
    },
    Service: {
      Type: "oneshot",
      RemainAfterExit: "yes",
      ExecStart: `-${SERVICE_PATHS.program} tune apply --record ${SERVICE_PATHS.state}-tuning/tuning.json`,
      ExecStop: `${SERVICE_PATHS.program} tune undo --record ${SERVICE_PATHS.state}-tuning/tuning.json`,
      StateDirectory: "sandpiper-tuning",
      // It writes /proc/sys, /sys and /etc/default/grub.d: that is its work. All else is denied.
      ProtectHome: "yes",
      PrivateTmp: "yes",
      NoNewPrivileges: "yes",
      RestrictNamespaces: "yes",
      RestrictSUIDSGID: "yes",
      RestrictAddressFamilies: "AF_INET AF_NETLINK AF_UNIX",
      IPAddressDeny: "any",
      CapabilityBoundingSet: "CAP_SYS_ADMIN CAP_NET_ADMIN CAP_DAC_OVERRIDE",
      SystemCallArchitectures: "native",
      LockPersonality: "yes",
    },
    Install: { WantedBy: "multi-user.target" },
  });
}

/** Beside a supervised run, whose threads it watches; ends for good where the kernel lets it watch nothing. */
function traceUnit(): string {
  return unit({
    Unit: {
      Description: "Sandpiper: probes in the kernel, for the metrics of a run",
      After: "sandpiper.service",
      PartOf: "sandpiper.service",
      ...NEVER_GIVEN_UP,
    },
    Service: {
      ExecStart: `${SERVICE_PATHS.program} trace --dataDir ${SERVICE_PATHS.state}/data`,
      TimeoutStopSec: "15s",
      Restart: "always",
      RestartSec: "5s",
      RestartPreventExitStatus: "65",
      MemoryMax: "1G",
      // It loads programs into the kernel, reads who runs, and writes one file into the run's folder. All else is denied.
      CapabilityBoundingSet: "CAP_BPF CAP_PERFMON CAP_SYS_ADMIN CAP_SYS_RESOURCE CAP_DAC_OVERRIDE",
      ReadWritePaths: `${SERVICE_PATHS.state}/data/run`,
      ProtectSystem: "strict",
      ProtectHome: "yes",
      ProtectKernelModules: "yes",
      ProtectClock: "yes",
      ProtectControlGroups: "yes",
      ProtectHostname: "yes",
      PrivateTmp: "yes",
      PrivateNetwork: "yes",
      NoNewPrivileges: "yes",
      RestrictNamespaces: "yes",
      RestrictRealtime: "yes",
      RestrictSUIDSGID: "yes",
      RestrictAddressFamilies: "AF_UNIX",
      SystemCallArchitectures: "native",
      LockPersonality: "yes",
      UMask: "0022",
    },
    Install: { WantedBy: "sandpiper.service" },
  });
}

type Hardening = Pick<Role, "network" | "owns" | "memoryMax">;

function hardening({ network, owns, memoryMax }: Hardening): Record<string, string | undefined> {
  return {
    User: "sandpiper",
    Group: "sandpiper",
    StateDirectory: "sandpiper",
    StateDirectoryMode: "0700",
    WorkingDirectory: SERVICE_PATHS.state,
    UMask: "0077",
    LimitNOFILE: "65536",
    LimitCORE: "0",
    LimitMEMLOCK: owns ? "infinity" : "64M",
    LimitNICE: owns ? "-10" : undefined,
    MemoryMax: memoryMax,
    TasksMax: "2048",
    OOMScoreAdjust: owns ? "-500" : "0",
    CapabilityBoundingSet: "",
    AmbientCapabilities: "",
    NoNewPrivileges: "yes",
    LockPersonality: "yes",
    KeyringMode: "private",
    PrivateDevices: "yes",
    PrivateIPC: "yes",
    PrivateTmp: "yes",
    PrivateUsers: "yes",
    ProcSubset: "all",
    ProtectClock: "yes",
    ProtectControlGroups: "yes",
    ProtectHome: "yes",
    ProtectHostname: "yes",
    ProtectKernelLogs: "yes",
    ProtectKernelModules: "yes",
    ProtectKernelTunables: "yes",
    ProtectProc: "invisible",
    ProtectSystem: "strict",
    RemoveIPC: "yes",
    RestrictAddressFamilies: "AF_INET AF_INET6 AF_UNIX",
    RestrictNamespaces: "yes",
    RestrictRealtime: "yes",
    RestrictSUIDSGID: "yes",
    SystemCallArchitectures: "native",
    SystemCallErrorNumber: "EPERM",
    SystemCallFilter: `@system-service${owns ? " @memlock" : ""}\nSystemCallFilter=~@privileged${owns ? "" : " @resources\nSystemCallFilter=sched_setaffinity"}`,
    IPAddressDeny: network === "loopback" ? "any" : undefined,
    IPAddressAllow: network === "loopback" ? "localhost" : undefined,
  };
}

type Sections = Readonly<Record<string, Readonly<Record<string, string | undefined>>>>;

function unit(sections: Sections): string {
  const parts = Object.entries(sections).map(([name, lines]) => {
    const text = Object.entries(lines).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]));
    return `[${name}]\n${text.join("\n")}\n`;
  });
  return `# Made by \`bun scripts/systemd.ts\` from src/supervise/service/units.ts; settings of your own go into a drop-in.\n${parts.join("\n")}`;
}
