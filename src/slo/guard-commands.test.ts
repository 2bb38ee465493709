import { expect, test } from "bun:test";
import type { CommandRequest } from "#control/commander.ts";
import { createLog } from "#core/log.ts";
import { GuardCommands } from "./guard-commands.ts";

const QUIET = createLog({ process: "test", level: "error", format: "text" });
const action = (kind: "throttle" | "kill" | "lift" | "restore", throttlePct = 0) =>
  ({ kind, throttlePct, because: undefined }) as const;

test("GuardCommands sends each order once, the newest when the bus was away, and nothing for a lift", async () => {
  const sent: string[] = [];
  let away = true;
  const commands = new GuardCommands(async ({ action: name, args }: CommandRequest) => {
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
});
