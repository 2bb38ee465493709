import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { notifyService, watchdogEveryMs } from "./service-notify.ts";

/** A service manager's end of the socket, which Bun cannot open: it says when it listens, then what it hears. */
const LISTENER = `
import socket, sys
path = sys.argv[1]
one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
one.bind("\\0" + path[1:] if path[0] == "@" else path)
one.settimeout(60)
print("listening", flush=True)
print(one.recv(4096).decode().replace("\\n", "|"), flush=True)
`;

describe("notifyService()", () => {
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-notify-"));
  test.each([join(folder, "socket"), `@sandpiper-${process.pid}`])("is heard at %p", async (path) => {
    const listener = Bun.spawn(["python3", "-c", LISTENER, path], { stdout: "pipe", stderr: "inherit" });
    const reader = listener.stdout.getReader();
    const hear = async () => new TextDecoder().decode((await reader.read()).value).trim();
    expect(await hear()).toBe("listening");
    expect(notifyService("READY=1\nSTATUS=trading", path)).toBe(true);
    expect(await hear()).toBe("READY=1|STATUS=trading");
    await listener.exited;
    rmSync(folder, { recursive: true, force: true });
  });

  test("says no where nobody listens, and where there is no manager", () => {
    expect(notifyService("READY=1", "/nowhere/at/all")).toBe(false);
    expect(notifyService("READY=1", "")).toBe(false);
    expect(notifyService("READY=1", `/${"x".repeat(200)}`)).toBe(false);
  });
});

describe("watchdogEveryMs()", () => {
  test("is half of what the manager allows, for the process it watches", () => {
    expect(watchdogEveryMs({ WATCHDOG_USEC: "10000000" })).toBe(5_000);
    expect(watchdogEveryMs({ WATCHDOG_USEC: "10000000", WATCHDOG_PID: String(process.pid) })).toBe(5_000);
    expect(watchdogEveryMs({ WATCHDOG_USEC: "10000000", WATCHDOG_PID: "1" })).toBeUndefined();
    expect(watchdogEveryMs({})).toBeUndefined();
    expect(watchdogEveryMs({ WATCHDOG_USEC: "x" })).toBeUndefined();
  });
});
