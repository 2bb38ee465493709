import { expect, test } from "bun:test";
import type { CommandRequest } from "#control/commander.ts";
import { loadConfig } from "#core/config.ts";
import { createLog } from "#core/log.ts";
import { decodeAudit, encodeAudit } from "#wire/audit.ts";
import { GuardCommands } from "./guard-commands.ts";
import { guardEvent } from "./guard-event.ts";
import { objectivesOf } from "./objectives.ts";

const QUIET = createLog({ process: "test", level: "error", format: "text" });
const action = (kind: "throttle" | "kill" | "lift" | "restore", throttlePct = 0) =>
  ({ kind, throttlePct, because: undefined }) as const;

test("GuardCommands sends each order once, the newest when the bus was away, and nothing for a lift", async () => {
  const sent: string[] = [];
  let away = true;
  const ids: string[] = [];
  const commands = new GuardCommands(async ({ action: name, args, requestId = "" }: CommandRequest) => {
    ids.push(requestId);
    if (away) throw new Error("no bus");
    sent.push(`${name} ${args?.get("throttle_pct") ?? ""}`);
  }, QUIET);
  commands.order(action("throttle", 50));
  await commands.tryNow();
  commands.order(action("throttle", 90));
  await commands.tryNow();
  away = false;
  await commands.tryNow();
  await commands.tryNow();
  commands.order(action("kill", 90));
  await Promise.all([commands.tryNow(), commands.tryNow()]);
  commands.order(action("lift"));
  await commands.tryNow();
  expect(sent).toEqual(["throttle 90", "kill "]);
  expect(commands.overtaken).toBe(1);
  // A command that is tried again is the same request.
  expect(new Set(ids).size).toBe(3);
});

test("guardEvent() holds what the guard did, for which request, and the figures that made it", () => {
  const [objective] = objectivesOf(loadConfig({ environment: {}, flags: [] }).config);
  if (objective === undefined) throw new Error("no objective");
  const because = { objective, value: 31.25, samples: 1_204, state: "violated" } as const;
  const { case: kind, value } = guardEvent("arbitrage", "r-1", { kind: "throttle", throttlePct: 50, because });
  expect(kind).toBe("guard");
  expect(value).toMatchObject({
    module: "arbitrage",
    action: "throttle",
    requestId: "r-1",
    figures: { throttle_pct: "50", objective: objective.name, value: "31.25", samples: "1204" },
  });
  const decoded = decodeAudit(encodeAudit(7n, guardEvent("arbitrage", "r-2", action("restore")))).event;
  expect(decoded).toMatchObject({ case: "guard", value: { action: "restore", figures: { throttle_pct: "0" } } });
});
