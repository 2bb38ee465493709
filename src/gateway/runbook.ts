/** The pages of docs/runbook, taken into the program so that they are there in the compiled binary, at night, without a network. */
import budgetBurn from "#docs/runbook/budget-burn.md" with { type: "text" };
import busDown from "#docs/runbook/bus-down.md" with { type: "text" };
import chainLag from "#docs/runbook/chain-lag.md" with { type: "text" };
import clockError from "#docs/runbook/clock-error.md" with { type: "text" };
import clockStep from "#docs/runbook/clock-step.md" with { type: "text" };
import coreTaken from "#docs/runbook/core-taken.md" with { type: "text" };
import falseQuotes from "#docs/runbook/false-quotes.md" with { type: "text" };
import guardDead from "#docs/runbook/guard-dead.md" with { type: "text" };
import guardKilled from "#docs/runbook/guard-killed.md" with { type: "text" };
import guardThrottles from "#docs/runbook/guard-throttles.md" with { type: "text" };
import hotPathP99 from "#docs/runbook/hot-path-p99.md" with { type: "text" };
import landedShare from "#docs/runbook/landed-share.md" with { type: "text" };
import lossPerHour from "#docs/runbook/loss-per-hour.md" with { type: "text" };
import lostTrades from "#docs/runbook/lost-trades.md" with { type: "text" };
import marketDropped from "#docs/runbook/market-dropped.md" with { type: "text" };
import marketLag from "#docs/runbook/market-lag.md" with { type: "text" };
import poison from "#docs/runbook/poison.md" with { type: "text" };
import processDown from "#docs/runbook/process-down.md" with { type: "text" };
import processRestarts from "#docs/runbook/process-restarts.md" with { type: "text" };
import recorderBehind from "#docs/runbook/recorder-behind.md" with { type: "text" };
import recordsDropped from "#docs/runbook/records-dropped.md" with { type: "text" };
import sendP99 from "#docs/runbook/send-p99.md" with { type: "text" };
import storeDown from "#docs/runbook/store-down.md" with { type: "text" };
import supervisorSilent from "#docs/runbook/supervisor-silent.md" with { type: "text" };

const PAGES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "budget-burn": budgetBurn,
    "bus-down": busDown,
    "chain-lag": chainLag,
    "clock-error": clockError,
    "clock-step": clockStep,
    "core-taken": coreTaken,
    "false-quotes": falseQuotes,
    "guard-dead": guardDead,
    "guard-killed": guardKilled,
    "guard-throttles": guardThrottles,
    "hot-path-p99": hotPathP99,
    "landed-share": landedShare,
    "loss-per-hour": lossPerHour,
    "lost-trades": lostTrades,
    "market-dropped": marketDropped,
    "market-lag": marketLag,
    poison,
    "process-down": processDown,
    "process-restarts": processRestarts,
    "recorder-behind": recorderBehind,
    "records-dropped": recordsDropped,
    "send-p99": sendP99,
    "store-down": storeDown,
    "supervisor-silent": supervisorSilent,
  }),
);

/** The page of an alarm as Markdown, or undefined for another name. */
export const runbookPage = (name: string): string | undefined => PAGES.get(name);
