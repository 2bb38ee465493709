/**
 * The page in Chromium: first paint, how many bytes of script are sent, and whether it keeps drawing while messages pour in.
 *
 *   bun bench/page.ts [messages a second = 5000] [seconds = 20]
 *
 * Compared, in the same run, with an empty page whose spinner turns in the same Chromium: at rest, and while the same
 * messages are published and packed beside it. Where the time goes stands beside each: the page's own thread by what it
 * did (Chromium's counters), and the CPU of each process that shares the machine.
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
import { CpuMeter, mainThread } from "./page-meters.ts";
import { machine, median, short, table } from "./report.ts";

const perSecond = Number(process.argv[2] ?? 5_000);
const seconds = Number(process.argv[3] ?? 20);
const LOADS = 5;
const STEP_MS = 20;
const STEPS_AT_ONCE = 5;
const CHROMIUM = "/usr/bin/chromium";
const VIEWPORT = { width: 1366, height: 860 };
const SPINNER = `data:text/html,<!doctype html><title>spinner</title><style>@keyframes turn { to { rotate: 360deg } }
  div { width: 40px; height: 40px; border: 4px solid gray; border-top-color: white; border-radius: 50%25; animation: turn 1s linear infinite }</style><div></div>`;

let refused = 0;

type Figures = { frames: number; longMs: number[] };

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
const meter = await CpuMeter.open(browser, gateway.pid);

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
process.stdout.write(
  `first contentful paint: ${short(median(paints))} ms, median of ${LOADS} (${paints.map(short).join(", ")})\n`,
);
const kB = (bytes: number) => `${(bytes / 1_000).toFixed(1)} kB`;
const sent = await bytesSent();
for (const [path, bytes] of sent) process.stdout.write(`${path}: ${kB(bytes)} sent\n`);
process.stdout.write(`sent in all: ${kB([...sent.values()].reduce((sum, bytes) => sum + bytes, 0))}\n`);

const rows: string[][] = [];
const costs: string[][] = [];
const longTasks: string[] = [];
let way = "";
let skipped = "";
for (const [name, address, rate] of [
  ["spinner, at rest", SPINNER, 0],
  [`spinner, ${perSecond}/s`, SPINNER, perSecond],
  ["Now, at rest", `${url}#/now`, 0],
  [`Now, ${perSecond}/s`, `${url}#/now`, perSecond],
  [`Decisions, ${perSecond}/s`, `${url}#/decisions`, perSecond],
] as const) {
  const page = await browser.newPage({ viewport: VIEWPORT });
  await page.goto(address);
  const isDesk = address !== SPINNER;
  if (isDesk) await page.locator('#bar[data-link="live"]').waitFor({ timeout: 60_000 });
  await page.waitForTimeout(2_000);
  const stopped = publish(rate);
  await page.waitForTimeout(1_000);
  const thread = await mainThread(page);
  await meter.begin();
  const figures = await page.evaluate(watch, seconds * 1_000);
  const cpu = await meter.end();
  const did = await thread.did();
  const published = await stopped();
  const longMs = figures.longMs.reduce((sum, ms) => sum + ms, 0);
  rows.push([
    name,
    String(Math.round(published / (seconds + 1))),
    short(figures.frames / seconds),
    String(figures.longMs.length),
    short(Math.max(0, ...figures.longMs)),
    short(longMs / seconds),
  ]);
  costs.push([
    name,
    ...[did.scriptMs, did.styleMs, did.layoutMs, did.otherMs].map((ms) => short(ms / seconds)),
    ...[cpu.renderer, cpu.gpu, cpu.browser, cpu.gateway, cpu.publisher].map((ms) => short(ms / seconds / 10)),
  ]);
  if (figures.longMs.length > 0) longTasks.push(`${name}: ${figures.longMs.map((ms) => ms.toFixed(0)).join(", ")} ms`);
  if (isDesk) {
    way = (await page.getAttribute("#bar", "data-way")) ?? "";
    skipped = (await page.textContent("#link")) ?? "";
  }
  await page.close();
}
const head = ["page", "messages/s", "frames/s", "long tasks", "longest, ms", "in long tasks, ms/s"];
const costHead = [
  ...["page", "script, ms/s", "style, ms/s", "layout, ms/s", "paint and other, ms/s"],
  ...["renderer, %", "compositor, %", "browser, %", "gateway, %", "publisher, %"],
];
process.stdout.write(`\nover ${way} (${skipped}); steps the bus refused: ${refused}\n\n${table(head, rows)}\n\n`);
process.stdout.write(
  `The page's own thread, and the CPU of each process in % of a core:\n\n${table(costHead, costs)}\n\n`,
);
process.stdout.write(`long tasks: ${longTasks.length === 0 ? "none" : `\n${longTasks.join("\n")}`}\n\n${machine()}\n`);
await browser.close();
gateway.kill("SIGTERM");
await gateway.exited;
await bus.close();
rmSync(folder, { recursive: true, force: true });
process.exit(0);

/** Path to bytes of the body as sent to a browser that takes what Chromium does, of the scripts of the page and its worker. */
async function bytesSent(): Promise<Map<string, number>> {
  const html = await (await fetch(url)).text();
  const paths = [...html.matchAll(/<script[^>]*src="([^"]+)"/g)].map(([, path]) => path ?? "");
  const headers = { "Accept-Encoding": "gzip, deflate, br, zstd" };
  const bytes = new Map<string, number>();
  for (const path of [...paths, "/live-worker.js"]) {
    const body = await (await fetch(new URL(path, url), { headers, decompress: false })).bytes();
    bytes.set(path, body.length);
  }
  return bytes;
}

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
    const figures: Figures = { frames: 0, longMs: [] };
    const observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) figures.longMs.push(duration);
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
