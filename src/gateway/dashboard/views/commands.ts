/**
 * The control river as the ledger keeps it: commands with their signature and acks, refused attempts, policies, what the guard
 * did. The chosen line's proof is checked here in the browser: hashed up to the root, and the root's signature.
 */

import { type Inclusion, leafIsIn, rootIsSigned, type SignedRoot } from "#gateway/dashboard/operator/verify-leaf.ts";
import { type Cell, drawRows, make, tableOf } from "#gateway/dashboard/parts/elements.ts";
import { ageText, clockText, countText, shortAddress } from "#gateway/dashboard/parts/format.ts";
import type { Page, View } from "#gateway/dashboard/parts/view.ts";
import { decodeCommand } from "#wire/command.ts";
import { choice, facts, section } from "./layout.ts";

type Leaf = { readonly index: number; readonly leaf: string };
type Entry = Readonly<Record<string, unknown>> & { readonly kind: string; readonly atNs: string };
type Row = { readonly index: number; readonly entry: Entry };

const COLUMNS = ["number quiet", "number quiet wide", "", "", "", "wide", "mono quiet wide"] as const;
const ROWS = 20;
const KINDS = [
  ["orders", "Orders"],
  ["refused", "Refused"],
  ["all", "Everything"],
] as const;
const PROOF_TRIES = 4;

export function commandsView({ session }: Page): View {
  let parts: ReturnType<typeof build> | undefined;
  let rows: readonly Row[] = [];
  let which = "orders";
  let chosen: number | undefined;
  return {
    id: "commands",
    title: "Commands",
    build: (host) => {
      parts = build(host);
    },
    readEveryMs: 2_000,
    read: async () => {
      const { leaves } = await session.read<{ leaves: Leaf[] }>("/api/ledger/leaves?limit=200");
      rows = leaves.map(({ index, leaf }) => ({ index, entry: JSON.parse(leaf) as Entry }));
    },
    draw: (nowMs) => {
      if (!parts) return;
      const present = shown().find(({ entry }) => entry.kind === "command") ?? shown()[0];
      if (chosen === undefined && present) void choose(present);
      drawRows(
        parts.body,
        shown()
          .slice(0, ROWS)
          .map((row) => cells(row, nowMs, row.index === chosen)),
        COLUMNS,
        ROWS,
      );
    },
  };

  function shown(): readonly Row[] {
    if (which === "all") return rows;
    if (which === "refused") return rows.filter(({ entry }) => entry.kind === "refused");
    return rows.filter(({ entry }) => entry.kind !== "refused");
  }

  function build(host: HTMLElement) {
    const filter = choice("river", "Which entries", KINDS, (value) => {
      which = value;
    });
    const table = tableOf("river", ["Age", "Leaf", "Kind", "What", "Who", "Answer", "Request"], COLUMNS);
    table.body.addEventListener("click", ({ target }) => {
      const link = target instanceof Element ? target.closest("tr")?.querySelector("a") : undefined;
      const row = rows.find(({ index }) => String(index) === link?.dataset["id"]);
      if (row) void choose(row);
    });
    const proof = make("div", "proof");
    proof.append(make("p", "empty", "The ledger is empty."));
    host.append(make("div", "pair", section("Orders and answers", table.scroll, filter), section("Proof", proof)));
    return { body: table.body, proof };
  }

  async function choose(row: Row): Promise<void> {
    chosen = row.index;
    parts?.proof.replaceChildren(make("p", "quiet", "checking the proof …"));
    const elements = [...(await proofElements(row.index)), ...entryElements(row)];
    if (chosen === row.index) parts?.proof.replaceChildren(...elements);
  }

  async function proofElements(index: number): Promise<HTMLElement[]> {
    try {
      const { leaf, root } = await proven(index);
      const [included, signed] = [await leafIsIn(leaf), await rootIsSigned(root)];
      const line = (good: boolean, yes: string, no: string) =>
        make("p", good ? "verdict good" : "verdict trouble", good ? `✓ ${yes}` : `✗ ${no}`);
      return [
        line(included, `leaf ${index} is in the tree of ${countText(leaf.size)} leaves`, "the leaf is not in the tree"),
        line(signed, "the root is signed by the ledger's key", "the root's signature is wrong"),
        make("p", "quiet", `checked in this browser, ${leaf.proof.length} hashes`),
        facts([
          ["Root", mono(leaf.root)],
          ["Key", mono(root.verifier)],
        ]),
      ];
    } catch (thrown) {
      return [make("p", "trouble", `Cannot check the proof: ${(thrown as Error).message}`)];
    }
  }

  /** A leaf and the signed root of the same size: the ledger may grow between the two answers. */
  async function proven(index: number): Promise<{ readonly leaf: Inclusion; readonly root: SignedRoot }> {
    for (let tries = 0; tries < PROOF_TRIES; tries++) {
      const root = await session.read<SignedRoot>("/api/ledger/checkpoint");
      const leaf = await session.read<Inclusion>(`/api/ledger/leaves/${index}`);
      if (leaf.root === root.root) return { leaf, root };
    }
    throw new Error("a root that stands still, was one that grows");
  }
}

const text = (entry: Entry, name: string): string => (typeof entry[name] === "string" ? (entry[name] as string) : "");

function cells({ index, entry }: Row, nowMs: number, present: boolean): Cell[] {
  const tone = present ? "chosen" : "";
  const { what, who, answer } = words(entry);
  const bad = entry.kind === "refused" || answer.startsWith("refused");
  const request = text(entry, "requestId");
  return [
    { text: ageText(nowMs - Number(BigInt(entry.atNs) / 1_000_000n)), tone },
    { text: String(index), tone },
    { text: entry.kind, href: "#/commands", id: String(index), tone },
    { text: what, tone },
    { text: who, tone },
    { text: answer, title: answer, tone: `${bad ? "trouble" : ""} ${tone}` },
    { text: request.length > 12 ? `${request.slice(0, 11)}…` : request, title: request, tone },
  ];
}

/** What an entry says, in three words of its own kind. */
function words(entry: Entry): { readonly what: string; readonly who: string; readonly answer: string } {
  switch (entry.kind) {
    case "command":
      return {
        what: `${text(entry, "action")} ${text(entry, "module")}`,
        who: text(entry, "issuer"),
        answer: `key ${text(entry, "keyId")}`,
      };
    case "ack":
      return {
        what: "answer",
        who: text(entry, "agent"),
        answer: [text(entry, "state"), text(entry, "reason")].filter(Boolean).join(": "),
      };
    case "guard":
      return { what: `${text(entry, "action")} ${text(entry, "module")}`, who: "guard", answer: text(entry, "reason") };
    case "policy":
      return { what: "limits changed", who: text(entry, "module"), answer: "" };
    case "model":
      return {
        what: `model ${shortAddress(text(entry, "after"))}`,
        who: text(entry, "module"),
        answer: text(entry, "reason"),
      };
    case "training-ack":
      return {
        what: `job ${text(entry, "jobId").slice(0, 8)}`,
        who: "trainer",
        answer: `${text(entry, "state")} ${text(entry, "message")}`,
      };
    default:
      return {
        what: text(entry, "door") || entry.kind,
        who: text(entry, "who"),
        answer: `${text(entry, "code")}: ${text(entry, "reason")}`,
      };
  }
}

function entryElements({ entry }: Row): HTMLElement[] {
  const lines: [string, string | HTMLElement][] = [["When", clockText(BigInt(entry.atNs))]];
  if (entry.kind === "command") lines.push(...commandLines(text(entry, "message")));
  for (const [name, value] of Object.entries(entry))
    if (!["kind", "atNs", "message"].includes(name))
      lines.push([name, mono(typeof value === "string" ? value : JSON.stringify(value))]);
  return [make("h3", "", `The ${entry.kind}`), facts(lines)];
}

function commandLines(hex: string): [string, string | HTMLElement][] {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  try {
    const { args, sig, sigAlg, nonce } = decodeCommand(bytes);
    const signature = [...sig].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return [
      ["Arguments", [...args].map(([key, value]) => `${key} ${value}`).join(", ") || "none"],
      ["Signature", mono(signature)],
      ["By", sigAlg],
      ["Nonce", nonce.toString()],
    ];
  } catch {
    return [["Message", mono(hex)]];
  }
}

function mono(value: string): HTMLElement {
  const made = make("span", "mono", value);
  made.title = value;
  return made;
}
