import { describe, expect, test } from "bun:test";
import type { Address } from "#core/units.ts";
import { testLink } from "./test-market.ts";
import { WalletLinks } from "./wallet-links.ts";

const related = (links: WalletLinks, wallet: string) => [...links.related(wallet as Address).keys()] as string[];

describe("WalletLinks.related()", () => {
  test("goes both ways along a link, and between wallets that one source serves", () => {
    const links = new WalletLinks();
    links.see(testLink("funder", "a", "funding"));
    links.see(testLink("funder", "b", "funding"));
    expect(related(links, "funder")).toEqual(["a", "b"]);
    expect(related(links, "a")).toEqual(["funder", "b"]);
    expect(links.related("a" as Address).get("b" as Address)).toBe("shared funding funder");
  });

  test("never through a wallet that both only sent to", () => {
    const links = new WalletLinks();
    links.see(testLink("a", "exchange", "token transfer"));
    links.see(testLink("b", "exchange", "token transfer"));
    expect(related(links, "a")).toEqual(["exchange"]);
  });

  test("forgets a source that serves too many", () => {
    const links = new WalletLinks();
    for (let i = 0; i < 9; i++) links.see(testLink("relayer", `user ${i}`, "fee payer"));
    expect(related(links, "user 0")).toEqual([]);
    expect(related(links, "relayer")).toEqual([]);
  });

  test("stays within its bound and counts what it forgot", () => {
    const links = new WalletLinks(2);
    for (const from of ["a", "b", "c"]) links.see(testLink(from, `of ${from}`, "funding"));
    expect(related(links, "a")).toEqual([]);
    expect(related(links, "c")).toEqual(["of c"]);
    expect(links.forgotten).toBeGreaterThan(0);
  });
});
