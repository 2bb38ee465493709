import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SandpiperError } from "#core/error.ts";
import { GATEWAY_ERROR } from "#gateway/errors.ts";
import { nextCursor, readDecisionQuery, readNoQuery, readOutcomeQuery, readProfitQuery } from "./query.ts";

const url = (search: string) => new URL(`http://localhost/?${search}`);

describe("readDecisionQuery()", () => {
  test("answers what was asked for, and a hundred rows when nothing was", () => {
    expect(readDecisionQuery(url(""))).toEqual({ limit: 100 });
    expect(readDecisionQuery(url("limit=1000&before=17.arb-1&action=send&reason=below_ev_min"))).toEqual({
      limit: 1_000,
      before: { ns: 17n, id: "arb-1" },
      action: "send",
      reason: "below_ev_min",
    });
  });

  test.each([
    ["limit=0", /limit: a whole number from 1 to 1000, was "0"/],
    ["limit=1001", /limit: a whole number/],
    ["limit=-1", /limit: a whole number/],
    ["limit=1e2", /limit: a whole number/],
    ["limit=0x10", /limit: a whole number/],
    ["limit=%205", /limit: a whole number/],
    ["limit=", /limit: a whole number/],
    ["limit=5&limit=6", /limit: given once, was "given twice"/],
    ["before=yesterday", /before: the next of an earlier answer or nanoseconds/],
    ["before=9223372036854775808", /before: the next/],
    ["before=-1", /before: the next/],
    ["action=SEND", /action: send or skip/],
    ["reason=a%27%20OR%201=1", /reason: 1 to 64 letters/],
    [`reason=${"a".repeat(65)}`, /reason: 1 to 64 letters/],
    ["landed=true", /the query: one of limit, before, action, reason, was "landed"/],
    ["__proto__=1", /the query: one of/],
    ["constructor=1", /the query: one of/],
  ])("refuses %s", (search, text) => {
    expect(() => readDecisionQuery(url(search))).toThrow(text);
  });
});

test("readOutcomeQuery() reads landed as a word, never as a number", () => {
  expect(readOutcomeQuery(url("landed=false&limit=1"))).toEqual({ limit: 1, landed: false });
  expect(() => readOutcomeQuery(url("landed=0"))).toThrow(/landed: true or false/);
});

test("readProfitQuery() and readNoQuery() refuse what they do not know", () => {
  expect(readProfitQuery(url(""))).toEqual({ points: 240 });
  expect(() => readProfitQuery(url("points=1"))).toThrow(/points: a whole number from 2 to 1000/);
  expect(() => readNoQuery(url("limit=1"))).toThrow(/the query: one of nothing, was "limit"/);
});

test("nextCursor() leads on exactly when a page was full, and its text is read back", () => {
  const cursor = (row: { ns: bigint; id: string }) => row;
  const rows = [
    { ns: 9n, id: "b" },
    { ns: 8n, id: "a.b" },
  ];
  expect(nextCursor(rows, 3, cursor)).toBeNull();
  expect(nextCursor([], 3, cursor)).toBeNull();
  const next = nextCursor(rows, 2, cursor);
  expect(readDecisionQuery(url(`before=${next}`)).before).toEqual({ ns: 8n, id: "a.b" });
});

test("every query is answered or refused with this room's code, whatever it is", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom("limit", "before", "action", "reason", "x"), fc.string())),
      (pairs) => {
        try {
          readDecisionQuery(url(new URLSearchParams(pairs).toString()));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(SandpiperError);
          expect((thrown as SandpiperError).code).toBe(GATEWAY_ERROR.query);
        }
      },
    ),
  );
});
