/** Sandwiches by others, newest first; the chosen one drawn: its legs around its victims in the order of execution, and why it is believed. */
import { type Cell, drawRows, make, setText, tableOf } from "#gateway/dashboard/parts/elements.ts";
import {
  ageText,
  countText,
  exactSolText,
  percentText,
  shortAddress,
  solText,
  wordsText,
} from "#gateway/dashboard/parts/format.ts";
import type { Page, View } from "#gateway/dashboard/parts/view.ts";
import { facts, section } from "./layout.ts";

type Sandwich = {
  readonly decision_id: string;
  readonly type: string;
  readonly slot: string;
  readonly first_slot: string;
  readonly leader: string;
  readonly attackers: readonly string[];
  readonly gross_lamports: string;
  readonly fee_lamports: string;
  readonly tip_lamports: string;
  readonly net_lamports: string;
  readonly victims_loss_lamports: string;
  readonly victims_unpriced: number;
  readonly score: number;
  readonly leg_roles: readonly string[];
  readonly leg_wallets: readonly string[];
  readonly leg_signatures: readonly string[];
  readonly leg_pools: readonly string[];
  readonly leg_amounts_in: readonly string[];
  readonly leg_amounts_out: readonly string[];
  readonly victim_wallets: readonly string[];
  readonly victim_signatures: readonly string[];
  readonly victim_losses_lamports: readonly string[];
  readonly evidence: readonly string[];
  readonly decide_ns: string;
};

const COLUMNS = ["number quiet", "", "mono", "number wide", "number", "number", "number wide", "number wide"] as const;
const ROWS = 12;

export function sandwichesView({ session }: Page): View {
  let parts: ReturnType<typeof build> | undefined;
  let rows: readonly Sandwich[] = [];
  let chosen = "";
  return {
    id: "sandwiches",
    title: "Sandwiches",
    build: (host) => {
      parts = build(host);
    },
    readEveryMs: 4_000,
    read: async () => {
      rows = (await session.read<{ sandwiches: Sandwich[] }>("/api/sandwiches?limit=50")).sandwiches;
    },
    draw: (nowMs) => {
      if (!parts) return;
      const present = rows.find(({ decision_id: id }) => id === chosen) ?? rows[0];
      drawRows(
        parts.body,
        rows.slice(0, ROWS).map((row) => cells(row, nowMs, row === present)),
        COLUMNS,
        ROWS,
      );
      const key = present?.decision_id ?? "";
      if (parts.drawing.dataset["drawn"] === key) return;
      parts.drawing.dataset["drawn"] = key;
      parts.drawing.replaceChildren(...(present ? drawn(present) : [make("p", "empty", "No sandwich was found yet.")]));
      setText(parts.which, present ? `${wordsText(present.type)}, slot ${countText(BigInt(present.slot))}` : "");
    },
  };

  function build(host: HTMLElement) {
    const table = tableOf(
      "sandwiches",
      ["Age", "Kind", "Attacker", "Slot", "Net", "Victims lost", "Victims", "Score"],
      COLUMNS,
    );
    table.body.addEventListener("click", ({ target }) => {
      const link = target instanceof Element ? target.closest("tr")?.querySelector("a") : undefined;
      const id = link?.dataset["id"] ?? "";
      if (id !== "") chosen = id;
    });
    const drawing = make("div", "sandwich");
    const which = make("span", "quiet");
    host.append(
      make("div", "pair", section("Sandwiches by others", table.scroll), section("Legs and victims", drawing, which)),
    );
    return { body: table.body, drawing, which };
  }
}

function cells(row: Sandwich, nowMs: number, chosen: boolean): Cell[] {
  const tone = chosen ? "chosen" : "";
  return [
    { text: ageText(nowMs - Number(BigInt(row.decide_ns) / 1_000_000n)), tone },
    { text: wordsText(row.type), tone, href: "#/sandwiches", id: row.decision_id },
    { text: row.attackers.map(shortAddress).join(" "), title: row.attackers.join("\n"), tone },
    { text: countText(BigInt(row.slot)), tone },
    { text: solText(BigInt(row.net_lamports)), tone },
    { text: lostText(row, solText), tone: `${row.victims_loss_lamports === "0" ? "quiet" : "trouble"} ${tone}` },
    { text: countText(row.victim_wallets.length), tone },
    { text: row.score.toFixed(3), tone },
  ];
}

/** What is not known is not nothing. */
const lostText = (row: Sandwich, text: (lamports: bigint) => string): string =>
  row.victims_loss_lamports === "0" && row.victims_unpriced > 0 ? "not known" : text(BigInt(row.victims_loss_lamports));

type Step = { readonly role: string; readonly wallet: string; readonly signature: string; readonly says: string };

/** Front legs, victims, back legs: the order in which they ran, as the record tells their roles. */
function steps(row: Sandwich): Step[] {
  const legs = row.leg_roles.map((role, i) => ({
    role,
    wallet: row.leg_wallets[i] ?? "",
    signature: row.leg_signatures[i] ?? "",
    says: `${countText(BigInt(row.leg_amounts_in[i] ?? 0))} in, ${countText(BigInt(row.leg_amounts_out[i] ?? 0))} out`,
  }));
  const victims = row.victim_wallets.map((wallet, i) => {
    const lost = BigInt(row.victim_losses_lamports[i] ?? 0);
    const says = lost === 0n ? "loss not known" : `lost ${exactSolText(lost)} SOL`;
    return { role: "victim", wallet, signature: row.victim_signatures[i] ?? "", says };
  });
  return [...legs.filter(({ role }) => role === "front"), ...victims, ...legs.filter(({ role }) => role !== "front")];
}

function drawn(row: Sandwich): HTMLElement[] {
  const legs = steps(row).map(({ role, wallet, signature, says }) => {
    const who = make("span", "mono", `${wallet.slice(0, 6)}…${wallet.slice(-4)}`);
    who.title = `${wallet}\n${signature}`;
    return make("li", role, make("strong", "", role), who, make("span", "", says));
  });
  const evidence = row.evidence.map((line) => make("li", "", line));
  return [
    make("ol", "legs", ...legs),
    facts([
      ["Gross", exactSolText(BigInt(row.gross_lamports))],
      ["Fees", exactSolText(-BigInt(row.fee_lamports))],
      ["Tips", exactSolText(-BigInt(row.tip_lamports))],
      ["Net of the attacker", exactSolText(BigInt(row.net_lamports)), "trouble"],
      ["Victims lost", lostText(row, exactSolText), row.victims_loss_lamports === "0" ? "quiet" : "trouble"],
      ["Score", percentText(row.score)],
      ["Pools", [...new Set(row.leg_pools)].map(shortAddress).join(" ")],
      ["Leader", row.leader === "" ? "not known" : `${row.leader.slice(0, 8)}…`],
    ]),
    make("h3", "", "Why it is believed"),
    make("ul", "evidence", ...evidence),
  ];
}
