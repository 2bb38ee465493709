/**
 * An order before it is given: what will happen, in words, then one deliberate confirmation, then what the agents answered.
 * A kill wears red over the whole dialog and its button has the focus: K, Enter, and nothing is sent any more.
 */
import { byId, make, setText } from "#gateway/dashboard/parts/elements.ts";
import { latencyText } from "#gateway/dashboard/parts/format.ts";
import type { Session } from "./session.ts";
import type { SignIn } from "./sign-in.ts";

export type Order = {
  readonly title: string;
  /** What will happen, one sentence each. */
  readonly consequences: readonly string[];
  readonly confirm: string;
  readonly danger: boolean;
  readonly give: (session: Session) => Promise<readonly string[]>;
};
export type Action = "start" | "stop" | "restart" | "throttle" | "policy" | "kill";

type CommandAnswer = {
  readonly request_id: string;
  readonly acks: readonly {
    readonly agent: string;
    readonly answer: string;
    readonly words: string;
    readonly trading: string;
    readonly throttle_pct: number;
  }[];
};

/** How long a command waits for the agents' signed answers. */
const ACK_WAIT_MS = 5_000;

export class OrderDialog {
  readonly #session: Session;
  readonly #signIn: SignIn;
  readonly #dialog = byId("order") as HTMLDialogElement;
  #order: Order | undefined;

  constructor(session: Session, signIn: SignIn) {
    this.#session = session;
    this.#signIn = signIn;
    byId("order-cancel").addEventListener("click", () => this.#dialog.close());
    byId("order-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#give();
    });
  }

  /** Shows what will happen; somebody who may not command signs in first. */
  open(order: Order): void {
    if (this.#dialog.open) return;
    if (this.#session.role !== "admin") {
      this.#signIn.ask(`${order.title} needs an admin.`, () => this.open(order));
      return;
    }
    this.#order = order;
    this.#dialog.dataset["danger"] = String(order.danger);
    setText(byId("order-title"), order.title);
    byId("order-consequences").replaceChildren(...order.consequences.map((line) => make("li", "", line)));
    byId("order-answers").replaceChildren();
    setText(byId("order-go"), order.confirm);
    setText(byId("order-cancel"), "Leave it");
    (byId("order-go") as HTMLButtonElement).disabled = false;
    byId("order-go").hidden = false;
    this.#dialog.showModal();
    byId(order.danger ? "order-go" : "order-cancel").focus();
  }

  async #give(): Promise<void> {
    const order = this.#order;
    const button = byId("order-go") as HTMLButtonElement;
    if (!order || button.disabled) return;
    button.disabled = true;
    setText(byId("order-answers"), "given; waiting for the agents …");
    try {
      const answers = await order.give(this.#session);
      byId("order-answers").replaceChildren(...answers.map((line) => make("p", "", line)));
      button.hidden = true;
      setText(byId("order-cancel"), "Close");
      byId("order-cancel").focus();
    } catch (thrown) {
      byId("order-answers").replaceChildren(make("p", "trouble", (thrown as Error).message));
      button.disabled = false;
    }
  }
}

/** Gives one command to a module and tells what its agent answered. Throws an ApiTrouble. */
export async function command(
  session: Session,
  module: string,
  action: Action,
  args: object = {},
): Promise<readonly string[]> {
  const startedMs = performance.now();
  const { acks, request_id: id } = await session.post<CommandAnswer>(`/api/control/module/${module}:${action}`, {
    ...args,
    wait_ms: ACK_WAIT_MS,
  });
  const took = latencyText(performance.now() - startedMs);
  if (acks.length === 0)
    return [`${module}: no answer within ${ACK_WAIT_MS / 1_000} s; the command ${id} is on record`];
  return acks.map(({ agent, answer, words, trading, throttle_pct: pct }) => {
    const state = `${trading}${pct > 0 ? `, passes over ${pct} %` : ""}`;
    return answer === "applied" ? `${agent}: ${state} (${took})` : `${agent}: ${answer}: ${words} (${state})`;
  });
}

/** Kills every module at once; one that does not answer does not hold up the others. */
export const killOrder = (modules: readonly string[]): Order => ({
  title: "Kill: stop all trading now",
  consequences: [
    `Every agent (${modules.join(", ")}) sends nothing from this moment, over any restart of process or machine.`,
    "Bundles that have already left are followed to their end.",
    "Only an explicit Start by an admin ends it.",
  ],
  confirm: "Kill now",
  danger: true,
  give: async (session) => {
    const answers = await Promise.all(
      modules.map((module) =>
        command(session, module, "kill").catch((thrown: unknown) => [`${module}: ${(thrown as Error).message}`]),
      ),
    );
    return answers.flat();
  },
});
