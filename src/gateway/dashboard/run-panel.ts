/** The figures of the run, its processes, and what is off. */
import { byId, drawRows, make, setText } from "./elements.ts";
import { ageText, countText, latencyParts, latencyText, percentText, solText } from "./format.ts";
import type { PageProcess, PageStatus } from "./status.ts";

const PROCESS_COLUMNS = ["", "state", "number quiet", "quiet", "number", "quiet"] as const;
/** As many as Sandpiper has, so that the table has its height before the first report. */
const PROCESS_ROWS = 8;
/** A market this quiet for so long is trouble: slots come every few hundred ms. */
const LAG_MS_TROUBLE = 5_000;
/** The supervisor reports every second. */
const REPORT_AGE_MS_TROUBLE = 5_000;
/** Messages that wait for the recorder: a busy market's few seconds are no news. */
const BEHIND_SHOWN = 500;
const BEHIND_TROUBLE = 5_000;

export function drawRun(status: PageStatus, nowMs: number): void {
  drawFigures(status, nowMs);
  drawRows(byId("processes"), status.processes.map(processCells), PROCESS_COLUMNS, PROCESS_ROWS);
  drawReport(status);
  drawOff(status);
}

/** A dead supervisor's last report still says "ready": it is shown, but not as the truth. */
function drawReport({ processes, report_age_ms }: PageStatus): void {
  const stale = report_age_ms !== null && report_age_ms > REPORT_AGE_MS_TROUBLE;
  byId("processes").classList.toggle("stale", stale);
  const { length } = processes;
  const ready = processes.filter(({ state }) => state === "ready").length;
  if (length === 0) note("ready", "no supervisor has reported", true);
  else if (stale) note("ready", `supervisor silent for ${ageText(report_age_ms)}: this is what it last knew`, true);
  else note("ready", `${ready} of ${length} ready`, ready < length);
}

function drawOff({ off }: PageStatus): void {
  const key = JSON.stringify(off);
  const details = byId("off");
  if (details.dataset["drawn"] === key) return;
  details.dataset["drawn"] = key;
  details.hidden = off.length === 0;
  setText(byId("off-parts"), `Off: ${off.map(({ part }) => part).join(" · ")}`);
  byId("off-reasons").replaceChildren(
    ...off.flatMap(({ part, why }) => [make("dt", "", part), make("dd", "quiet", why)]),
  );
}

function drawFigures(status: PageStatus, nowMs: number): void {
  const mode = byId("mode");
  setText(mode, status.mode);
  mode.dataset["mode"] = status.mode;
  const upMs = status.started_at === null ? undefined : nowMs - Date.parse(status.started_at);
  setText(byId("run"), upMs === undefined ? "no supervisor" : `up ${ageText(upMs)} · ${status.version}`);

  const profit = BigInt(status.profit_lamports);
  figure("profit", solText(profit), profit < 0n);
  setText(byId("profit-note"), status.landed === 0 ? "nothing landed yet" : `${perLanded(profit, status)} per bundle`);
  figure("landed", countText(status.landed));
  setText(byId("attempts"), `of ${countText(status.attempts)} sent`);
  const share = status.attempts === 0 ? undefined : status.landed / status.attempts;
  setText(byId("landed-note"), share === undefined ? "nothing sent yet" : percentText(Math.min(1, share)));
  figure("exact", status.exact_share === null ? "–" : percentText(status.exact_share));
  figure("count", countText(status.decisions));
  drawStore(status);
  drawHotPath(status);
  drawMarket(status);
}

const perLanded = (profit: bigint, { landed }: PageStatus) => solText(profit / BigInt(landed));

function drawHotPath({ hotpath }: PageStatus): void {
  const { figure: text, unit } = hotpath.p50_ms === null ? { figure: "–", unit: "" } : latencyParts(hotpath.p50_ms);
  figure("p50", text);
  setText(byId("p50-unit"), unit);
  setText(byId("p99"), hotpath.p99_ms === null ? "not measured yet" : `p99 ${latencyText(hotpath.p99_ms)}`);
}

function drawMarket({ market }: PageStatus): void {
  figure("slot", market.slot === null ? "–" : countText(BigInt(market.slot)));
  const lag = market.lag_ms;
  const late = lag !== null && lag > LAG_MS_TROUBLE;
  note("lag", lag === null ? "no agent reports" : `lag ${countText(lag)} ms`, lag === null || late);
}

function drawStore({ store }: PageStatus): void {
  const age = store.totals_age_ms;
  const away = age === null ? "store away" : `store away, sums ${ageText(age)} old`;
  const behind = store.behind < BEHIND_SHOWN ? "" : `, ${countText(store.behind)} waiting`;
  note("store", `${store.reachable ? "on record" : away}${behind}`, !store.reachable || store.behind > BEHIND_TROUBLE);
  byId("store").title = store.why;
}

function processCells({ name, pid, state, core, restarts, last_exit }: PageProcess) {
  const down = state === "stalled" || state === "restarting" || state === "stopped";
  const tone = state === "ready" ? "good" : down ? "trouble" : "quiet";
  return [
    { text: name },
    { text: state, tone },
    { text: pid === 0 ? "" : String(pid) },
    { text: core },
    { text: String(restarts), tone: restarts === 0 ? "quiet" : "" },
    { text: last_exit, title: last_exit },
  ];
}

function figure(id: string, text: string, trouble = false): void {
  setText(byId(id), text);
  byId(id).classList.toggle("trouble", trouble);
}

function note(id: string, text: string, trouble: boolean): void {
  setText(byId(id), text);
  byId(id).classList.toggle("trouble", trouble);
}
