/**
 * Controls that add risk: while the guard is RED they are disabled and say why. An operator who has read the runbook may
 * unlock them for a minute; what takes risk away (stop, throttle, kill, roll back) is never disabled.
 */
import type { PageState } from "#gateway/dashboard/parts/page-state.ts";
import type { PageGuardState } from "#gateway/dashboard/parts/status.ts";
import { button } from "./layout.ts";

const UNLOCKED_MS = 60_000;
let unlockedUntilMs = 0;

export const isRed = (guard: PageGuardState | null | undefined): boolean =>
  guard === undefined || guard === null || guard.killed || guard.violated.length > 0 || guard.throttle_pct > 0;

export const riskyLocked = (state: PageState): boolean =>
  isRed(state.status?.guard) && performance.now() >= unlockedUntilMs;

export const unlockRisky = (): void => {
  unlockedUntilMs = performance.now() + UNLOCKED_MS;
};

/** A button that follows the guard. */
export function riskyButton(state: PageState, text: string, press: () => void): HTMLButtonElement {
  const made = button(text, press, "risky");
  followLock(state, made);
  return made;
}

/** All of them, each time the page draws. */
export function drawRisky(state: PageState): void {
  for (const made of document.querySelectorAll<HTMLButtonElement>("button.risky")) followLock(state, made);
}

function followLock(state: PageState, made: HTMLButtonElement): void {
  const locked = riskyLocked(state);
  if (made.disabled !== locked) made.disabled = locked;
  const title = locked ? "disabled while the guard is RED (Guard view)" : "";
  if (made.title !== title) made.title = title;
}
