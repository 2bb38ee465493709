/** A UDP proxy on loopback that delays and drops datagrams, both ways: netem for machines whose kernel has none. */
import { createSocket, type Socket } from "node:dgram";
import { seededRandom } from "#core/random.ts";

export type LinkOptions = {
  /** Each way. */
  readonly delayMs: number;
  /** Of datagrams, each way, 0..1; 1 is a black hole. */
  readonly lossShare: number;
};

export class LossyLink {
  readonly #random = seededRandom("lossy link");
  readonly #back = new Map<number, Socket>();
  readonly #front = createSocket("udp4");

  private constructor(
    private readonly to: number,
    private readonly options: LinkOptions,
  ) {}

  static async open(to: string, options: LinkOptions): Promise<LossyLink> {
    const link = new LossyLink(Number(to.split(":")[1]), options);
    await new Promise<void>((bound) => link.#front.bind(0, "127.0.0.1", bound));
    link.#front.on("message", (bytes, from) => {
      let back = link.#back.get(from.port);
      if (back === undefined) {
        back = createSocket("udp4");
        back.on("message", (answer) => link.#pass(() => link.#front.send(answer, from.port, "127.0.0.1")));
        link.#back.set(from.port, back);
      }
      const socket = back;
      link.#pass(() => socket.send(bytes, link.to, "127.0.0.1"));
    });
    return link;
  }

  get address(): string {
    return `127.0.0.1:${this.#front.address().port}`;
  }

  close(): void {
    this.#front.close();
    for (const socket of this.#back.values()) socket.close();
    this.#back.clear();
  }

  #pass(send: () => void): void {
    if (this.#random.unit() < this.options.lossShare) return;
    setTimeout(() => {
      try {
        send();
      } catch {
        // Closed in the meantime: lost as the rest.
      }
    }, this.options.delayMs);
  }
}
