/** The route over a node's RPC: it forwards to the leaders by itself. Without preflight, for that was done here. */
import type { Clock } from "#core/clock.ts";
import { answerOf, type RouteStatus, type SendAnswer, type SendingRoute } from "#execute/route.ts";
import type { Rpc } from "#execute/rpc.ts";

export class RpcRoute implements SendingRoute {
  readonly name = "rpc";
  #inFlight = 0;
  #sent = 0;
  #failed = 0;
  #rttNs = 0;
  #healthy = true;

  constructor(
    private readonly rpc: Rpc,
    private readonly clock: Pick<Clock, "monotonicNs">,
  ) {}

  get health() {
    return {
      healthy: this.#healthy,
      rttNs: this.#rttNs,
      inFlight: this.#inFlight,
      sent: this.#sent,
      failed: this.#failed,
    };
  }

  async send(wire: Uint8Array, routeId: string): Promise<SendAnswer> {
    const startNs = this.clock.monotonicNs();
    this.#inFlight++;
    const config = { encoding: "base64", skipPreflight: true, maxRetries: 0 };
    const answer = await this.rpc("sendTransaction", [Buffer.from(wire).toString("base64"), config]);
    this.#inFlight--;
    this.#rttNs = this.clock.monotonicNs() - startNs;
    this.#healthy = answer.ok || answer.error.code !== 0;
    if (answer.ok) {
      this.#sent++;
      return { kind: "accepted", routeId: String(answer.value) };
    }
    this.#failed++;
    return answerOf(answer.error, "the node", routeId);
  }

  async statuses(routeIds: readonly string[]): Promise<readonly RouteStatus[]> {
    return routeIds.map(() => ({ kind: "pending" }));
  }
}
