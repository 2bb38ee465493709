/**
 * `judge commands FILE.ndjson`: signed commands of other people against the verification that every agent runs. One JSON
 * object a line (docs/judges.md); rows are grouped by what was expected and why. A line that cannot be read is a failure.
 */
import { readFileSync, statSync } from "node:fs";
import { verifyingKey } from "#control/ed25519.ts";
import { admitCommand } from "#control/gate.ts";
import { EVERY_SCOPE, type KeySet, parseScope, type Scope } from "#control/keys.ts";
import { TwoPersonRule } from "#control/two-person.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import { decodeCommand } from "#wire/command.ts";
import { CLI_ERROR } from "./errors.ts";
import type { Verdict } from "./judge-swaps.ts";

const FILE_BYTES_MAX = 268_435_456;
const LINES_MAX = 1_000_000;
/** Rows of the table; further reasons share the last. */
const GROUPS_MAX = 200;
/** Mismatches that are named; all are counted. */
const NAMED_MAX = 20;
const NS_PER_SECOND = 1_000_000_000n;

type Case = {
  readonly command: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly keyId: string;
  readonly expect: "accept" | "apply" | "refuse";
  readonly why: string;
  readonly nowSeconds?: bigint;
  readonly scopes: readonly Scope[];
  readonly session?: string;
};
/** The last nonces of each session, by stream. */
type Sessions = Map<string, Map<string, bigint>>;
type Group = { cases: number; failed: number };

/** Writes a row per expectation and reason, the first mismatches and the closing line. */
export function judgeCommands(path: string, write: (text: string) => void): Verdict {
  const groups = new Map<string, Group>();
  const mismatches: string[] = [];
  const sessions: Sessions = new Map();
  let passed = 0;
  let failed = 0;
  for (const [index, line] of readLines(path).entries()) {
    if (line.trim() === "") continue;
    const item = readCase(line);
    const wrong = item.ok ? mismatch(item.value, sessions) : item.error;
    const group = groupOf(groups, item.ok ? `${item.value.expect.padEnd(8)}${item.value.why}` : "unreadable");
    group.cases += 1;
    if (wrong === undefined) passed += 1;
    else {
      failed += 1;
      group.failed += 1;
      if (mismatches.length < NAMED_MAX) mismatches.push(`line ${index + 1}: ${wrong}`);
    }
  }
  write(row("expect  why", ["cases", "passed", "failed"]));
  for (const [name, { cases, failed: wrong }] of groups) write(row(name, [cases, cases - wrong, wrong]));
  for (const text of mismatches) write(`${text}\n`);
  if (failed > mismatches.length) write(`… and ${failed - mismatches.length} more\n`);
  if (passed + failed === 0) write("no commands: nothing was judged\n");
  write(`${passed} passed, ${failed} failed\n`);
  return { passed, failed };
}

/** What is wrong with the agent's answer, or undefined. */
function mismatch(item: Case, sessions: Sessions): string | undefined {
  const answer = answerTo(item, sessions);
  if (answer.ok) return item.expect === "refuse" ? `accepted; expected a refusal: ${item.why}` : undefined;
  const { stage, words } = answer.error;
  if (item.expect === "refuse" || (item.expect === "accept" && stage === "arguments")) return undefined;
  return `${words}; expected ${item.expect}: ${item.why}`;
}

type No = { readonly stage: "verification" | "arguments"; readonly words: string };

/** The agent's gate, with the line's key, its time, and nonces that end with the judge. */
function answerTo(item: Case, sessions: Sessions): Result<void, No> {
  const keys = keySetOf(item);
  if (!keys.ok) return err({ stage: "verification", words: keys.error });
  const nonces = item.session === undefined ? new Map<string, bigint>() : sessionOf(sessions, item.session);
  const nowSeconds = item.nowSeconds ?? stampOf(item.command);
  const answer = admitCommand(item.command, {
    keys: keys.value,
    nonces: { last: (stream) => nonces.get(stream), take: (stream, nonce) => void nonces.set(stream, nonce) },
    twoPerson: new TwoPersonRule({ scopes: [], windowSeconds: 0n }),
    clock: { wallNs: () => nowSeconds * NS_PER_SECOND },
  });
  if (answer.ok) return ok(undefined);
  const { name, words } = answer.error;
  return err({ stage: name === "argument" ? "arguments" : "verification", words });
}

function keySetOf({ keyId, publicKey, scopes }: Case): Result<KeySet, string> {
  try {
    return ok(new Map([[keyId, { id: keyId, key: verifyingKey(publicKey), scopes, revoked: false }]]));
  } catch (thrown) {
    return err(errorText(thrown));
  }
}

/** The command's own time, for a line without one; what does not decode is refused for that, at any time. */
function stampOf(command: Uint8Array): bigint {
  try {
    return decodeCommand(command).tsSeconds;
  } catch {
    return 0n;
  }
}

function sessionOf(sessions: Sessions, name: string): Map<string, bigint> {
  const nonces = sessions.get(name) ?? new Map<string, bigint>();
  sessions.set(name, nonces);
  return nonces;
}

function readCase(line: string): Result<Case, string> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return err("Cannot read a case: JSON, was something else");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return err("Cannot read a case: a JSON object, was something else");
  const fields = new Map<string, unknown>(Object.entries(value));
  try {
    return ok(caseOf(fields));
  } catch (thrown) {
    return err(errorText(thrown));
  }
}

function caseOf(fields: ReadonlyMap<string, unknown>): Case {
  const text = (name: string) => {
    const value = fields.get(name);
    return typeof value === "string" ? value : refuse(`text in ${name}`, value);
  };
  const hex = (name: string) =>
    /^([0-9a-f]{2})*$/i.test(text(name))
      ? Buffer.from(text(name), "hex")
      : refuse(`hexadecimal digits in ${name}`, name);
  const expect = text("expect");
  if (expect !== "accept" && expect !== "apply" && expect !== "refuse")
    refuse("expect accept, apply or refuse", expect);
  const now = fields.get("now");
  if (now !== undefined && !(Number.isSafeInteger(now) && Number(now) >= 0)) refuse("now in Unix seconds", now);
  const scopes = fields.get("scopes") ?? [];
  if (!Array.isArray(scopes)) refuse("scopes as a list", scopes);
  return {
    command: hex("command_hex"),
    publicKey: hex("pubkey_hex"),
    keyId: text("pubkey_id"),
    expect,
    why: fields.has("why") ? text("why") : "",
    scopes: fields.has("scopes") ? scopes.map((scope: unknown) => parseScope(scope, "a case")) : EVERY_SCOPE,
    ...(now === undefined ? {} : { nowSeconds: BigInt(Number(now)) }),
    ...(fields.has("session") ? { session: text("session") } : {}),
  };
}

function refuse(want: string, was: unknown): never {
  const shown = (JSON.stringify(was) ?? "nothing").slice(0, 80);
  throw new SandpiperError(CLI_ERROR.commandCases, `Cannot read a case: ${want}, was ${shown}`);
}

function groupOf(groups: Map<string, Group>, wanted: string): Group {
  const name = groups.has(wanted) || groups.size < GROUPS_MAX ? wanted : "… others";
  const group = groups.get(name) ?? { cases: 0, failed: 0 };
  groups.set(name, group);
  return group;
}

function row(name: string, figures: readonly (string | number)[]): string {
  const shown = name.length > 56 ? `${name.slice(0, 55)}…` : name;
  return `${shown.replaceAll(/\s/g, " ").padEnd(57)}${figures.map((figure) => String(figure).padStart(8)).join("")}\n`;
}

function readLines(path: string): string[] {
  let text: string;
  try {
    if (statSync(path).size > FILE_BYTES_MAX) throw new Error(`more than ${FILE_BYTES_MAX} bytes`);
    text = readFileSync(path, "utf8");
  } catch (thrown) {
    throw new SandpiperError(CLI_ERROR.commandCases, `Cannot read ${path}: a file of cases, was ${errorText(thrown)}`);
  }
  const lines = text.split("\n");
  if (lines.length > LINES_MAX)
    throw new SandpiperError(CLI_ERROR.commandCases, `Cannot judge ${path}: ${LINES_MAX} lines, was ${lines.length}`);
  return lines;
}
