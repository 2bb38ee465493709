/** What a view is, and what each is given: the page's state, who is signed in, and the two dialogs that any may open. */
import type { Order } from "#gateway/dashboard/operator/order-dialog.ts";
import type { Session } from "#gateway/dashboard/operator/session.ts";
import type { PageState } from "./page-state.ts";

export type Page = {
  readonly state: PageState;
  readonly session: Session;
  /** Shows what will happen, and gives the order when it is confirmed. */
  readonly order: (order: Order) => void;
};

export type View = {
  /** In the address behind #/. */
  readonly id: string;
  readonly title: string;
  /** Makes its elements, once, the first time that it is shown. */
  readonly build: (host: HTMLElement) => void;
  /** Four times a second while it is shown. Nothing is touched that did not change. */
  readonly draw: (nowMs: number) => void;
  /** Reads what the live stream does not bring: when it is shown, and every `readEveryMs` while it is. May throw. */
  readonly read?: () => Promise<void>;
  readonly readEveryMs?: number;
};
