/** The sign-in dialog and the corner of the bar that says who is signed in. */
import { byId, setText } from "#gateway/dashboard/parts/elements.ts";
import type { Session } from "./session.ts";

export class SignIn {
  readonly #session: Session;
  readonly #dialog = byId("sign-in") as HTMLDialogElement;
  #then: (() => void) | undefined;

  constructor(session: Session) {
    this.#session = session;
    byId("sign-in-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit(new FormData(event.target as HTMLFormElement));
    });
    byId("sign-in-close").addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("close", () => {
      (byId("sign-in-form") as HTMLFormElement).reset();
      this.#then = undefined;
    });
    byId("who").addEventListener("click", () => (session.role ? void session.signOut() : this.ask("")));
    session.onChange(() => this.#draw());
    this.#draw();
  }

  /** Asks for a name and a password, says what for, and goes on with `then` once somebody is in. */
  ask(what: string, then?: () => void): void {
    this.#then = then;
    setText(byId("sign-in-what"), what);
    setText(byId("sign-in-trouble"), "");
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  async #submit(form: FormData): Promise<void> {
    const button = byId("sign-in-go") as HTMLButtonElement;
    button.disabled = true;
    setText(byId("sign-in-trouble"), "");
    try {
      await this.#session.signIn(String(form.get("name")), String(form.get("password")));
      const then = this.#then;
      this.#dialog.close();
      then?.();
    } catch (thrown) {
      setText(byId("sign-in-trouble"), (thrown as Error).message);
    } finally {
      button.disabled = false;
    }
  }

  #draw(): void {
    const { role, name, needed } = this.#session;
    setText(byId("who-name"), role ? `${name} · ${role}` : "");
    setText(byId("who"), role ? "Sign out" : "Sign in");
    document.body.dataset["role"] = role ?? "nobody";
    if (needed && !role && !this.#dialog.open) this.ask("This gateway shows nothing to somebody it does not know.");
  }
}
