/**
 * The page in Chromium: first paint, how large its script is, and whether it keeps drawing while messages pour in.
 *
 *   bun bench/page.ts [messages a second = 5000] [seconds = 20]
 *
 * Compared with itself at rest: the same page with the stream open and nothing on it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { createLog } from "#core/log.ts";
import { runPaths } from "#core/paths.ts";
import { encodeEnvelope } from "#wire/envelope.ts";
import { SeededEnvelopes } from "../test/support/seeded-envelopes.ts";
import { machine, median, short, table } from "./report.ts";

const perSecond = Number(process.argv[2] ?? 5_000);
const seconds = Number(process.argv[3] ?? 20);
const LOADS = 5;
const STEP_MS = 20;
const STEPS_AT_ONCE = 5;
const CHROMIUM = "/usr/bin/chromium";

let refused = 0;

type Figures = { frames: number; long: number; longest: number; longMs: number };

const folder = mkdtempSync(join(tmpdir(), "sandpiper-page-"));
const log = createLog({ process: "bench", level: "error", format: "text" });
const bus = openEmbeddedBus({ path: runPaths(folder).bus, lingerMs: 1, retainMiB: 512, log });
const gateway = Bun.spawn([process.execPath, join(import.meta.dir, "fan-out-gateway.ts"), folder], {
  stdout: "pipe",
  stderr: "inherit",
});
const port = Number(Buffer.from((await gateway.stdout.getReader().read()).value ?? []).toString());
const url = `http://127.0.0.1:${port}/`;
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
const paints: number[] = [];
for (let i = 0; i < LOADS; i++) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url, { waitUntil: "networkidle" }).catch(() => undefined);
  paints.push(
    await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN),
  );
  await context.close();
}
const html = await (await fetch(url)).text();
const scripts = [...html.matchAll(/<script[^>]*src="([^"]+)"/g)].map(([, path]) => path ?? "");
const sizes = await Promise.all(
  [...scripts, "/live-worker.js"].map(async (path) => {
    const bytes = new Uint8Array(await (await fetch(new URL(path, url))).arrayBuffer());
    return [path, bytes.length, Bun.gzipSync(bytes).length] as const;
  }),
);

const page = await browser.newPage({ viewport: { width: 1366, height: 860 } });
await page.goto(url);
await page.locator('#bar[data-link="live"]').waitFor({ timeout: 60_000 });
const way = await page.getAttribute("#bar", "data-way");
const rows: string[][] = [];
for (const [name, view, rate] of [
  ["at rest, Now", "now", 0],
  [`${perSecond}/s, Now`, "now", perSecond],
  [`${perSecond}/s, Decisions`, "decisions", perSecond],
] as const) {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, `#/${view}`);
  await page.waitForTimeout(2_000);
  const stopped = publish(rate);
  await page.waitForTimeout(1_000);
  const figures = await page.evaluate(watch, seconds * 1_000);
  const published = await stopped();
  rows.push([
    name,
    String(Math.round(published / (seconds + 1))),
    short(figures.frames / seconds),
    String(figures.long),
    short(figures.longest),
    short((100 * figures.longMs) / (seconds * 1_000)),
  ]);
}
const skipped = (await page.textContent("#link")) ?? "";
process.stdout.write(
  `first contentful paint: ${short(median(paints))} ms, median of ${LOADS} (${paints.map(short).join(", ")})\n`,
);
for (const [path, raw, packed] of sizes)
  process.stdout.write(`${path}: ${(raw / 1_024).toFixed(1)} kB, ${(packed / 1_024).toFixed(1)} kB by gzip\n`);
const head = ["page", "messages/s", "frames/s", "long tasks", "longest, ms", "in long tasks, %"];
process.stdout.write(
  `\nover ${way} (${skipped}); steps the bus refused: ${refused}\n\n${table(head, rows)}\n\n${machine()}\n`,
);
await browser.close();
gateway.kill("SIGTERM");
await gateway.exited;
await bus.close();
rmSync(folder, { recursive: true, force: true });
process.exit(0);

/** Publishes until the answer is called, which tells how many. */
function publish(rate: number): () => Promise<number> {
  const seeds = new SeededEnvelopes("page-bench");
  const startedMs = performance.now();
  let published = 0;
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - startedMs;
    // What the machine could not publish in its time is not made up for in one burst.
    const due = Math.min(
      Math.floor((elapsedMs / 1_000) * rate) - published,
      Math.ceil((rate * STEPS_AT_ONCE * STEP_MS) / 1_000),
    );
    const sent = Array.from({ length: Math.max(0, due) }, () => encodeEnvelope(seeds.next(Date.now()).decision));
    published += sent.length;
    void Promise.all(sent.map((bytes) => bus.publish("arbitrage-decisions-proto", "k", bytes))).catch(() => {
      refused++;
    });
  }, STEP_MS);
  return async () => {
    clearInterval(timer);
    return published;
  };
}

/** In the browser: frames drawn, and tasks longer than 50 ms. */
function watch(ms: number): Promise<Figures> {
  return new Promise((resolve) => {
    const figures = { frames: 0, long: 0, longest: 0, longMs: 0 };
    const observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) {
        figures.long++;
        figures.longMs += duration;
        figures.longest = Math.max(figures.longest, duration);
      }
    });
    observer.observe({ type: "longtask" });
    const startedMs = performance.now();
    const frame = () => {
      figures.frames++;
      if (performance.now() - startedMs < ms) requestAnimationFrame(frame);
      else {
        observer.disconnect();
        resolve(figures);
      }
    };
    requestAnimationFrame(frame);
  });
}
