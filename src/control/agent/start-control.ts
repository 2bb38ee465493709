/**
 * What every agent with a module runs beside its market loop: its own consumer group on the commands, the desk that
 * answers them, and the acks. In this order for a batch: switchboard, answer file, nonces, acks, place on the bus. Each step is
 * tried until it succeeds, so a command that verified is carried out once and answered once however often the process dies:
 *
 *   died before the answer file   nobody was told: the command comes again and is carried out again
 *   after it                      the next life says the acks that are not on the bus, and passes the commands over
 *
 * With Kafka an ack that was on its way when the process died may stand there twice, in the same bytes.
 */
import type { Bus, Consumer } from "#bus/bus.ts";
import { ensureControlKeys } from "#control/key-files.ts";
import { NonceFile } from "#control/nonces.ts";
import { readSecretKeyFile } from "#control/sign.ts";
import { TwoPersonRule, twoPersonPolicy } from "#control/two-person.ts";
import type { Clock } from "#core/clock.ts";
import type { Config } from "#core/config.ts";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { RunPaths } from "#core/paths.ts";
import type { PolicyFields, Switchboard } from "#memory/switchboard.ts";
import { decodeAck } from "#wire/ack.ts";
import type { ModuleName } from "#wire/command.ts";
import { type Answer, type Answered, readAnswers, writeAnswers } from "./answer-file.ts";
import { type Batch, CommandDesk } from "./command-desk.ts";
import { followKeys } from "./key-source.ts";

export type ControlOptions = {
  /** Name of the process; its group, its files and its ack key are named after it. */
  readonly agent: string;
  readonly module: ModuleName;
  readonly config: Config;
  readonly paths: RunPaths;
  readonly bus: Bus;
  /** This is its one writer. */
  readonly switchboard: Switchboard;
  readonly configured: PolicyFields;
  readonly clock: Clock;
  readonly log: Log;
  /** Told how often an operator has started this agent. */
  readonly onStarts?: (starts: number) => void;
  /** Ends this process cleanly, for the supervisor to start it again; by SIGTERM to itself when left out. */
  readonly restart?: () => void;
};
export type ControlService = { stop(): Promise<void> };

/** Commands answered under one write of the answer file. */
const BATCH_MAX = 64;
const WAIT_MS = 250;
const RETRY_MS = 100;
/** How long a start waits for acks on the bus that it may have said before. */
const OWN_ACKS_WAIT_MS = 500;
const OWN_ACKS_POLL_MAX = 1_000;
const PLACE_EVERY_MS = 10_000;

/** Also from a Worker: the main thread has the clean stop. */
const endProcess = () => void process.kill(process.pid, "SIGTERM");

/**
 * When it returns, the switchboard says what the last commands of an earlier life said; commands are read from then on.
 * Throws a SandpiperError when keys or files cannot be used.
 */
export function startControl(options: ControlOptions): ControlService {
  const { agent, config, paths, log } = options;
  ensureControlKeys(paths, process.env);
  const statePath = paths.controlState(agent);
  const kept = readAnswers(statePath);
  const nonces = new NonceFile(paths.controlNonces(agent));
  const desk = new CommandDesk(kept, {
    ...options,
    keys: followKeys(config["control.keysPath"] || paths.controlKeys, process.env, log),
    nonces,
    twoPerson: new TwoPersonRule(twoPersonPolicy(config)),
    ackKey: { id: `ack-${agent}`, key: readSecretKeyFile(paths.ackSecret(agent)) },
  });
  if (desk.state.trading !== "running" || desk.state.throttlePct > 0)
    log.warn("goes on as commanded before", { trading: desk.state.trading, throttlePct: desk.state.throttlePct });
  const service = new Service(options, desk, nonces, statePath);
  const running = service.run(kept);
  return {
    stop: async () => {
      service.stopping = true;
      await running;
      nonces.close();
    },
  };
}

class Service {
  stopping = false;
  #placeAtMs = performance.now();
  /** The place on the commands has moved behind all that was answered, and no old place on the acks behind it yet. */
  #committed = false;

  constructor(
    private readonly options: ControlOptions,
    private readonly desk: CommandDesk,
    private readonly nonces: NonceFile,
    private readonly statePath: string,
  ) {}

  async run(kept: Answered): Promise<void> {
    const { bus, agent } = this.options;
    const commands = bus.consumer({ group: `${agent}-control`, topics: ["control-commands-proto"], start: "first" });
    const acks = bus.consumer({ group: `${agent}-control-acks`, topics: ["control-acks-proto"], start: "next" });
    await this.#until("take up the acks of an earlier life", () => this.#sayOwed(kept, acks));
    while (!this.stopping) await this.#turn(commands, acks);
    await Promise.all([commands.close(), acks.close()]);
  }

  async #turn(commands: Consumer, acks: Consumer): Promise<void> {
    if (performance.now() - this.#placeAtMs > PLACE_EVERY_MS)
      await this.#try("move on behind old acks", () => this.#movePlace(acks));
    let messages: Awaited<ReturnType<Consumer["poll"]>> = [];
    await this.#try("read commands", async () => {
      if (await commands.wait(WAIT_MS)) messages = await commands.poll(BATCH_MAX);
    });
    if (messages.length === 0) return;
    const batch = this.desk.answer(messages.filter(({ key }) => key === this.options.module));
    const kept = batch.fresh.length === 0 || (await this.#keep(batch));
    if (!kept || !(await this.#until("move on behind the commands", () => commands.commit()))) return;
    this.#committed = true;
    if (batch.restart) (this.options.restart ?? endProcess)();
  }

  /** False only when the process is told to stop before it succeeds; the next life then does what is left. */
  async #keep(batch: Batch): Promise<boolean> {
    return (
      (await this.#until("keep what was answered", async () => writeAnswers(this.statePath, batch))) &&
      (await this.#until("take nonces", async () => this.#takeNonces(batch))) &&
      (await this.#say(batch.fresh))
    );
  }

  /** Those that are not taken yet: a retry, or an earlier life, may have taken some. */
  #takeNonces({ nonces }: Answered): void {
    this.nonces.takeAll(nonces.filter(([stream, nonce]) => nonce > (this.nonces.last(stream) ?? 0n)));
  }

  /** Each by itself: what the bus took is not said again. An ack on the bus says that its change of limits is there, too. */
  async #say(answers: readonly Answer[]): Promise<boolean> {
    const { bus, module } = this.options;
    const said = answers.map(async ({ ack, policy }) => {
      const told = this.#until("say a change of limits", async () => {
        if (policy !== undefined) await bus.publish("policy-updates-proto", module, policy);
      });
      return (
        (await told) &&
        (await this.#until("say an ack", async () => {
          await bus.publish("control-acks-proto", decodeAck(ack).requestId, ack);
        }))
      );
    });
    return (await Promise.all(said)).every((done) => done);
  }

  async #sayOwed(kept: Answered, acks: Consumer): Promise<void> {
    await acks.ready();
    this.#takeNonces(kept);
    const owed = new Map(kept.answers.map((answer) => [Buffer.from(answer.ack).toString("base64"), answer]));
    let deadline = performance.now() + OWN_ACKS_WAIT_MS;
    while (owed.size > 0 && performance.now() < deadline) {
      if (!(await acks.wait(deadline - performance.now()))) break;
      const messages = await acks.poll(OWN_ACKS_POLL_MAX);
      for (const { value } of messages) owed.delete(Buffer.from(value).toString("base64"));
      // A busy bus always has news: only those of this topic are a reason to go on.
      if (messages.length > 0) deadline = performance.now() + OWN_ACKS_WAIT_MS;
    }
    await this.#say([...owed.values()]);
  }

  /**
   * Nothing is owed between two turns, and what was answered does not come again once it was committed: first the answers
   * are forgotten, then the next life need not look for acks before this place.
   */
  async #movePlace(acks: Consumer): Promise<void> {
    this.#placeAtMs = performance.now();
    if (!this.#committed) return;
    writeAnswers(this.statePath, this.desk.forgetAnswers());
    while ((await acks.poll(OWN_ACKS_POLL_MAX)).length > 0);
    await acks.commit();
    this.#committed = false;
  }

  async #until(what: string, work: () => Promise<void>): Promise<boolean> {
    while (!(await this.#try(what, work))) {
      if (this.stopping) return false;
      await Bun.sleep(RETRY_MS);
    }
    return true;
  }

  async #try(what: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (thrown) {
      this.options.log.error(`Cannot ${what} now: ${errorText(thrown)}`);
      return false;
    }
  }
}
