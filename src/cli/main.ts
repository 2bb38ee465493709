/**
 * `sandpiper <command>`: the one door for people. Each command is a file of this folder or a room's main function; this
 * file only finds it, and turns an error into one line and an exit code.
 */
import { errorText, SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { readConfig } from "#core/read-config.ts";
import { readConfigWithSecrets } from "#core/secrets/secrets.ts";
import { VERSION } from "#core/version.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { runSupervisor } from "#supervise/supervisor.ts";
import { runBacktest } from "./backtest/backtest.ts";
import { printConfig } from "./config.ts";
import { runDoctor } from "./doctor.ts";
import { runExplain } from "./explain.ts";
import { runJudge } from "./judge.ts";
import { runKeys } from "./keys.ts";
import { runLedger } from "./ledger.ts";
import { runMev } from "./mev-scan.ts";
import { runMigrate } from "./migrate.ts";
import { runModels } from "./models.ts";
import { runNonces } from "./nonces.ts";
import { runPlacement } from "./placement.ts";
import { runPolicy } from "./policy.ts";
import { runPools } from "./pools.ts";
import { runQuery } from "./query.ts";
import { runRecord } from "./record.ts";
import { runRelease } from "./release.ts";
import { runReplay } from "./replay.ts";
import { runRing } from "./ring.ts";
import { runArm, runRisk } from "./risk.ts";
import { runService } from "./service.ts";
import { runSign } from "./sign.ts";
import { runTips } from "./tips.ts";
import { runTop } from "./top.ts";
import { runTopics } from "./topics.ts";
import { runTrace } from "./trace.ts";
import { runTrain } from "./train.ts";
import { runTune } from "./tune.ts";

type Command = { readonly about: string; run(args: readonly string[]): Promise<number> };

const COMMANDS: Readonly<Record<string, Command>> = {
  supervisor: {
    about: "start everything and watch it (flags: any option, for example --mode replay --replay.path FILE)",
    run: async (args) => runSupervisor(await readConfigWithSecrets(args, process.env), args),
  },
  config: {
    about: "print every option, its value and where it came from",
    run: async (args) => printConfig(readConfig(args, process.env)),
  },
  fork: {
    about: "a private copy of a cluster (--market.rpcUrl URL), fetched as it is asked for and kept equal",
    // The local cluster takes a tenth of a second to load: not before every other command.
    run: async (args) => (await import("./fork.ts")).runFork(args),
  },
  record: {
    about: "record the market, or import others' files: [PATH] --out FOLDER [--seconds N]",
    run: runRecord,
  },
  replay: {
    about: "replay a recording, or recorded blocks, through the agents: PATH --out FOLDER [--from --to --speed]",
    run: (args) => runReplay(args),
  },
  backtest: {
    about:
      "what the agent would have earned on a recording: PATH [--out FOLDER] [--json] [--latencyMs N] [--from --to]",
    run: (args) => runBacktest(args),
  },
  pools: {
    about: "the pools that are followed, with the names of their tokens [--json]",
    run: (args) => runPools(args),
  },
  judge: {
    about: "check Sandpiper on your own data (docs/judges.md): swaps, dex, orca, commands, merkle, mev, model, replay",
    run: runJudge,
  },
  explain: {
    about: "make a decision again from its record, number by number: DECISION_ID, or random N of them",
    run: runExplain,
  },
  models: {
    about: "versions of the models: list, diff, shadow, promote, rollback, retire",
    run: (args) => runModels(args),
  },
  train: {
    about: "training jobs: start LIBRARY START END [name=value …], list, cancel ID",
    run: (args) => runTrain(args, Date.now()),
  },
  migrate: { about: "bring ClickHouse's tables to this version", run: runMigrate },
  query: { about: "ask the tables: SQL, or a named view; without either it lists the views", run: runQuery },
  topics: { about: "make the topics on Kafka (kafka.brokers) as planned, and print what is there", run: runTopics },
  keys: { about: "keys of operators: new FILE --id ID, list FILE", run: runKeys },
  sign: { about: "sign a command: MODULE:ACTION [name=value …] --issuer NAME --key FILE --id ID", run: runSign },
  ledger: {
    about: "the signed record: verify FOLDER, prove FOLDER INDEX, export FOLDER OUT, append",
    run: (args) => runLedger(args),
  },
  mev: {
    about:
      "sandwiches and atomic arbitrages: scan FILE|FOLDER [--json], a labelled run: simulate --seed S --swaps N --out FILE, or backruns PATH",
    run: (args) => runMev(args),
  },
  nonces: {
    about: "durable nonce accounts of the wallet: create, show (--execute.nonceAccounts N)",
    run: (args) => runNonces(args),
  },
  policy: { about: "the last hours under another policy: try [--ev-min N] [--ladder N,…] [--hours N]", run: runPolicy },
  doctor: { about: "what is wrong on this box, and which page of the runbook says what to do", run: runDoctor },
  top: {
    about: "the run in a terminal, live, with everything else down [--once]",
    run: (args) => runTop(args, createSystemClock().monotonicNs),
  },
  arm: {
    about: "let live transactions leave for a while: --minutes N, or --off",
    run: (args) => runArm(args, Date.now()),
  },
  risk: { about: "the risk limits and their books; resume lifts a halt", run: (args) => runRisk(args, Date.now()) },
  tips: {
    about: "what other tip policies would have earned on recorded decisions: evaluate [FILE.ndjson] [--json]",
    run: (args) => runTips(args),
  },
  tune: { about: "this machine's knobs: check, apply, undo, report [--only KNOB,…]", run: runTune },
  trace: {
    about: "watch a run from inside the kernel: waits for a core, ways of datagrams [--seconds N], as root",
    run: runTrace,
  },
  ring: { about: "what is in a ring of /dev/shm, also of dead processes: FILE", run: runRing },
  service: {
    about: "systemd units: install, uninstall, list [--root FOLDER]; prepare makes keys and rings",
    run: runService,
  },
  release: {
    about: "versions on this machine: install FOLDER|TARBALL, rollback [NAME], list [--root FOLDER]",
    run: runRelease,
  },
  placement: { about: "this machine's cores, and which thread gets which", run: runPlacement },
  version: {
    about: "print the version",
    run: async () => {
      process.stdout.write(`${VERSION}\n`);
      return EXIT_CODE.ok;
    },
  },
};

function usage(): string {
  const lines = Object.entries(COMMANDS).map(([name, { about }]) => `  ${name.padEnd(12)} ${about}`);
  return ["usage: sandpiper <command> [flags]", "", ...lines, ""].join("\n");
}

/** Runs one command; answers the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const asked = name === undefined || name === "help" || name === "--help";
    process[asked ? "stdout" : "stderr"].write(
      asked ? usage() : `Cannot run ${name}: a known command, was ${name}\n${usage()}`,
    );
    return asked ? EXIT_CODE.ok : EXIT_CODE.usage;
  }
  try {
    return await command.run(rest);
  } catch (thrown) {
    process.stderr.write(`${errorText(thrown)}\n`);
    if (!(thrown instanceof SandpiperError) && thrown instanceof Error) process.stderr.write(`${thrown.stack}\n`);
    return thrown instanceof SandpiperError && thrown.retry === "never" ? EXIT_CODE.badInput : EXIT_CODE.failure;
  }
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
