/**
 * Who sits before the page. Tokens live in memory alone: a reload signs out, and nothing of them is ever stored. The access
 * token is renewed before it ends; when that fails the page reads on as anybody may (gateway.anonymous) and says so.
 */

export type Role = "viewer" | "admin";
type SignInAnswer = {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
  readonly role: Role;
};

/** An answer of the API that is a refusal, or none at all (code "unreachable"). */
export class ApiTrouble extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Share of its life after which an access token is renewed. */
const RENEW_SHARE = 0.8;

export class Session {
  #tokens: SignInAnswer | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #changed: (() => void)[] = [];
  name = "";
  /** The gateway shows nothing to somebody who is not signed in. */
  needed = false;

  get role(): Role | undefined {
    return this.#tokens?.role;
  }

  token(): string | undefined {
    return this.#tokens?.access_token;
  }

  onChange(call: () => void): void {
    this.#changed.push(call);
  }

  /** Throws an ApiTrouble. */
  async signIn(name: string, password: string): Promise<void> {
    const tokens = await this.#call<SignInAnswer>("/api/auth/sign-in", { name, password });
    this.name = name;
    this.#use(tokens);
  }

  async signOut(): Promise<void> {
    // Whatever the gateway answers, this page forgets.
    await this.#call("/api/auth/sign-out", {}).catch(() => undefined);
    this.#forget();
  }

  /** Throws an ApiTrouble. */
  read<Answer>(path: string): Promise<Answer> {
    return this.#call<Answer>(path);
  }

  /** Throws an ApiTrouble. */
  post<Answer>(path: string, body: object): Promise<Answer> {
    return this.#call<Answer>(path, body);
  }

  async #call<Answer>(path: string, body?: object): Promise<Answer> {
    const headers: Record<string, string> = {};
    if (this.#tokens) headers["Authorization"] = `Bearer ${this.#tokens.access_token}`;
    if (body) headers["Content-Type"] = "application/json";
    const init = body ? { method: "POST", headers, body: JSON.stringify(body) } : { headers };
    let response: Response;
    try {
      response = await fetch(path, init);
    } catch {
      throw new ApiTrouble("unreachable", "the gateway does not answer");
    }
    if (response.ok) {
      this.#need(false, path);
      return (await response.json()) as Answer;
    }
    const { code, message } = await errorOf(response);
    if (code === "sign_in_needed" && body === undefined) this.#need(true, path);
    if (code === "bad_token" && this.#tokens) this.#forget();
    throw new ApiTrouble(code, message);
  }

  #need(needed: boolean, path: string): void {
    if (path.startsWith("/api/auth/") || this.needed === needed) return;
    this.needed = needed;
    this.#tell();
  }

  #use(tokens: SignInAnswer): void {
    this.#tokens = tokens;
    this.needed = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#renew(), tokens.expires_in * 1_000 * RENEW_SHARE);
    this.#tell();
  }

  async #renew(): Promise<void> {
    const refreshToken = this.#tokens?.refresh_token;
    if (refreshToken === undefined) return;
    try {
      this.#use(await this.#call<SignInAnswer>("/api/auth/refresh", { refresh_token: refreshToken }));
    } catch {
      this.#forget();
    }
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#tokens = undefined;
    this.name = "";
    this.#tell();
  }

  #tell(): void {
    for (const call of this.#changed) call();
  }
}

async function errorOf(response: Response): Promise<{ readonly code: string; readonly message: string }> {
  try {
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    return error;
  } catch {
    return { code: "internal", message: `the gateway answered with status ${response.status}` };
  }
}
