/**
 * The cases of Orca's own swap tests (docs/judges.md): JSON lists, plain or gzipped, one object per case. Read strictly: a
 * case that is not exactly of this form ends the reading with its place.
 */
import { gunzipSync } from "node:zlib";
import { errorText, SandpiperError } from "#core/error.ts";
import { CLI_ERROR } from "./errors.ts";

export type OrcaOutcome = {
  readonly amountA: bigint;
  readonly amountB: bigint;
  readonly nextLiquidity: bigint;
  readonly nextTickIndex: bigint;
  readonly nextSqrtPrice: bigint;
  readonly nextFeeGrowthGlobal: bigint;
  readonly nextProtocolFee: bigint;
};

export type OrcaCase = {
  readonly testId: number;
  readonly description: string;
  readonly tickSpacing: number;
  readonly feeRate: number;
  readonly protocolFeeRate: number;
  readonly liquidity: bigint;
  readonly currTickIndex: number;
  readonly tradeAmount: bigint;
  readonly amountIsInput: boolean;
  readonly aToB: boolean;
  /** The refusal's name, or what the swap does. */
  readonly expected: string | OrcaOutcome;
};

const TEXT_BYTES_MAX = 268_435_456;
const CASES_MAX = 1_000_000;
const U16_MAX = 65_535;
const TICK_MAX = 443_636;
/** Above the whole of a fee there is nothing to share. */
const PROTOCOL_FEE_RATE_MAX = 10_000;
const GZIP_MARKS = [0x1f, 0x8b] as const;

/** Throws a SandpiperError that says what is wrong and where. */
export function readOrcaCases(bytes: Uint8Array): readonly OrcaCase[] {
  const list = parse(bytes);
  if (!Array.isArray(list)) return refuse("a list of cases", JSON.stringify(list).slice(0, 60));
  if (list.length > CASES_MAX) return refuse(`at most ${CASES_MAX} cases`, `${list.length}`);
  return list.map((item: unknown, place) => readCase(item, place));
}

function parse(bytes: Uint8Array): unknown {
  try {
    const zipped = GZIP_MARKS.every((mark, i) => bytes[i] === mark);
    const text = zipped ? gunzipSync(bytes, { maxOutputLength: TEXT_BYTES_MAX }) : bytes;
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch (cause) {
    return refuse("JSON, plain or gzipped", errorText(cause));
  }
}

function readCase(item: unknown, place: number): OrcaCase {
  const fields = fieldsOf(item, `case ${place}`);
  const where = `case ${place} (testId ${String(fields["testId"])})`;
  const flag = (name: string): boolean => {
    const value = fields[name];
    return typeof value === "boolean" ? value : refuse(`${name} of ${where} to be true or false`, String(value));
  };
  return {
    testId: smallNumber(fields, "testId", where, 0, Number.MAX_SAFE_INTEGER),
    description: String(fields["description"] ?? ""),
    tickSpacing: smallNumber(fields, "tickSpacing", where, 1, U16_MAX),
    feeRate: smallNumber(fields, "feeRate", where, 0, U16_MAX),
    protocolFeeRate: smallNumber(fields, "protocolFeeRate", where, 0, PROTOCOL_FEE_RATE_MAX),
    liquidity: wholeNumber(fields, "liquidity", where, 128),
    currTickIndex: smallNumber(fields, "currTickIndex", where, -TICK_MAX, TICK_MAX),
    tradeAmount: wholeNumber(fields, "tradeAmount", where, 64),
    amountIsInput: flag("amountIsInput"),
    aToB: flag("aToB"),
    expected: readExpectation(fields["expectation"], where),
  };
}

function readExpectation(item: unknown, where: string): string | OrcaOutcome {
  const fields = fieldsOf(item, `the expectation of ${where}`);
  const exception = fields["exception"] ?? "";
  if (typeof exception !== "string") return refuse(`exception of ${where} to be text`, String(exception));
  if (exception !== "") return exception;
  return {
    amountA: wholeNumber(fields, "amountA", where, 64),
    amountB: wholeNumber(fields, "amountB", where, 64),
    nextLiquidity: wholeNumber(fields, "nextLiquidity", where, 128),
    nextTickIndex: BigInt(smallNumber(fields, "nextTickIndex", where, -TICK_MAX - 1, TICK_MAX)),
    nextSqrtPrice: wholeNumber(fields, "nextSqrtPrice", where, 128),
    nextFeeGrowthGlobal: wholeNumber(fields, "nextFeeGrowthGlobal", where, 128),
    nextProtocolFee: wholeNumber(fields, "nextProtocolFee", where, 64),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(item: unknown, what: string): Fields {
  // What JSON calls an object has string keys and nothing more is assumed of its values.
  if (typeof item === "object" && item !== null && !Array.isArray(item)) return item as Fields;
  return refuse(`${what} to be an object`, JSON.stringify(item)?.slice(0, 60) ?? "none");
}

function smallNumber(fields: Fields, name: string, where: string, least: number, most: number): number {
  const value = fields[name];
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
  return refuse(`${name} of ${where} to be a whole number from ${least} to ${most}`, String(value));
}

/** Large numbers stand in quotes; small ones may stand bare. */
function wholeNumber(fields: Fields, name: string, where: string, bits: number): bigint {
  const value = fields[name];
  const text = typeof value === "string" || Number.isSafeInteger(value) ? String(value) : "";
  if (/^\d{1,39}$/.test(text) && BigInt(text) < 1n << BigInt(bits)) return BigInt(text);
  return refuse(`${name} of ${where} to be a whole number of ${bits} bits`, String(value));
}

function refuse(want: string, was: string): never {
  throw new SandpiperError(CLI_ERROR.orcaCases, `Cannot read swap cases: ${want}, was ${was}`);
}
