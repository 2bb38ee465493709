/**
 * A session with HashiCorp Vault or OpenBao: signs in by AppRole, reads the KV v2 engine, and keeps its token's lease
 * alive. Vault's HTTP API, version 1:
 *
 *   POST auth/APPROLE/login {role_id, secret_id}  → auth {client_token, lease_duration (s, 0: for ever), renewable}
 *   POST auth/token/renew-self {}                 → auth {lease_duration, …}; when it comes to its end: signs in anew
 *   POST auth/token/revoke-self                     when nobody needs it any more
 *   GET  MOUNT/data/PATH                          → data {data {FIELD: text}, metadata {version}}
 *
 * No secret and no token is ever in an error.
 */
import { readFileSync } from "node:fs";
import type { Config } from "#core/config.ts";
import { CORE_ERROR, errorText, SandpiperError } from "#core/error.ts";
import type { VaultPlace } from "./reference.ts";

export type VaultSettings = {
  /** https://host:port, or http:// on loopback. */
  readonly address: string;
  readonly roleId: string;
  readonly secretId: string;
  /** Where the AppRole method is mounted. */
  readonly appRolePath: string;
  /** Empty: none. */
  readonly namespace: string;
  readonly tlsCaPath: string;
  readonly nowMs?: () => number;
};

const REQUEST_MS_MAX = 5_000;
const ANSWER_BYTES_MAX = 1_048_576;
const TRIES_MAX = 4;
const RETRY_MS = 200;
/** A token is renewed when so much of its lease is over. */
const RENEW_AT_SHARE = 0.5;
/** A renewal that gives less than this is the end of a token's life. */
const LEASE_SECONDS_MIN = 5;

export const vaultSettingsOf = (config: Config, secretId: string): VaultSettings => ({
  address: config["vault.address"],
  roleId: config["vault.roleId"],
  secretId,
  appRolePath: config["vault.appRolePath"],
  namespace: config["vault.namespace"],
  tlsCaPath: config["vault.tlsCaPath"],
});

export class VaultSession {
  readonly #settings: VaultSettings;
  readonly #nowMs: () => number;
  readonly #authority: string | undefined;
  #token = "";
  #renewAtMs = Number.POSITIVE_INFINITY;
  /** How often it signed in, and renewed. */
  logins = 0;
  renewals = 0;

  /** Throws a SandpiperError when the settings cannot work. */
  constructor(settings: VaultSettings) {
    this.#settings = settings;
    this.#nowMs = settings.nowMs ?? Date.now;
    const { address, roleId, secretId, tlsCaPath } = settings;
    const url = URL.parse(address);
    const isLoopback = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(url?.hostname ?? "");
    if (url === null || !(url.protocol === "https:" || (url.protocol === "http:" && isLoopback)))
      throw fault("never", "vault.address as https://…, or http:// on loopback", JSON.stringify(address));
    if (roleId === "" || secretId === "") throw fault("never", "vault.roleId and vault.secretId", "one of them empty");
    this.#authority = tlsCaPath === "" ? undefined : readAuthority(tlsCaPath);
  }

  /** When the token is to be renewed, in ms of the clock. */
  get renewAtMs(): number {
    return this.#renewAtMs;
  }

  /** The text of a field. Throws a SandpiperError: "later" when Vault is away or sealed, "never" when it is not there. */
  async read({ mount, path, field }: VaultPlace): Promise<string> {
    await this.keepAlive();
    const where = `${mount}/data/${path}`;
    let answer = await this.#ask("GET", where);
    if (answer.status === 403 && (await this.#login())) answer = await this.#ask("GET", where);
    if (answer.status !== 200) throw refusal(`${mount}/${path} that its role may read`, answer);
    const value = (answer.body as { data?: { data?: Record<string, unknown> } }).data?.data?.[field];
    if (typeof value !== "string" || value === "")
      throw fault(
        "never",
        `text in field ${field} of ${mount}/${path}`,
        value === undefined ? "no such field" : "none",
      );
    return value;
  }

  /** Signs in when there is no token, renews it when its time has come, signs in anew when it cannot be renewed. */
  async keepAlive(): Promise<void> {
    if (this.#token === "") await this.#login();
    else if (this.#nowMs() >= this.#renewAtMs && !(await this.#renew())) await this.#login();
  }

  /** The token's end; one that cannot be told ends with its lease. */
  async close(): Promise<void> {
    if (this.#token === "") return;
    await this.#ask("POST", "auth/token/revoke-self", {}, 1).catch(() => undefined);
    this.#token = "";
  }

  async #login(): Promise<true> {
    const { roleId, secretId, appRolePath } = this.#settings;
    this.#token = "";
    const answer = await this.#ask("POST", `auth/${appRolePath}/login`, { role_id: roleId, secret_id: secretId });
    const { auth } = answer.body as { auth?: { client_token?: unknown; lease_duration?: unknown } };
    if (answer.status !== 200 || typeof auth?.client_token !== "string")
      throw refusal("a role and secret id that may sign in", answer);
    this.#token = auth.client_token;
    this.#leased(auth.lease_duration);
    this.logins += 1;
    return true;
  }

  async #renew(): Promise<boolean> {
    const answer = await this.#ask("POST", "auth/token/renew-self", {});
    const { auth } = answer.body as { auth?: { lease_duration?: unknown } };
    if (answer.status !== 200 || Number(auth?.lease_duration) < LEASE_SECONDS_MIN) return false;
    this.#leased(auth?.lease_duration);
    this.renewals += 1;
    return true;
  }

  #leased(seconds: unknown): void {
    const lease = typeof seconds === "number" && seconds > 0 ? seconds : Number.POSITIVE_INFINITY;
    this.#renewAtMs = this.#nowMs() + lease * 1_000 * RENEW_AT_SHARE;
  }

  async #ask(method: "GET" | "POST", path: string, body?: object, tries = TRIES_MAX): Promise<Answer> {
    for (let tried = 1; ; tried++) {
      const answer = await this.#askOnce(method, path, body).catch((thrown: unknown) => errorText(thrown));
      // Sealed, standby, too busy or behind: another moment may do.
      const isPassing = typeof answer === "string" || answer.status >= 500 || answer.status === 429;
      if (!isPassing) return answer;
      if (tried >= tries) {
        if (typeof answer === "string") throw fault("later", `Vault at ${this.#settings.address} that answers`, answer);
        throw refusal(`Vault at ${this.#settings.address} that is ready`, answer);
      }
      await Bun.sleep(RETRY_MS * 2 ** (tried - 1));
    }
  }

  async #askOnce(method: string, path: string, body: object | undefined): Promise<Answer> {
    const { address, namespace } = this.#settings;
    const response = await fetch(`${address.replace(/\/+$/, "")}/v1/${path}`, {
      method,
      headers: {
        "X-Vault-Request": "true",
        ...(this.#token !== "" && { "X-Vault-Token": this.#token }),
        ...(namespace !== "" && { "X-Vault-Namespace": namespace }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(this.#authority !== undefined && { tls: { ca: this.#authority } }),
      // A token must not follow a redirect to somewhere else.
      redirect: "error",
      signal: AbortSignal.timeout(REQUEST_MS_MAX),
    });
    const bytes = await response.bytes();
    if (bytes.length > ANSWER_BYTES_MAX) throw new Error(`an answer of ${bytes.length} bytes`);
    return { status: response.status, body: parsed(bytes) };
  }
}

type Answer = { readonly status: number; readonly body: object };

function parsed(bytes: Uint8Array): object {
  try {
    const value: unknown = bytes.length === 0 ? {} : JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** Vault's own words, which name no secret. */
function refusal(want: string, { status, body }: Answer): SandpiperError {
  const { errors } = body as { errors?: unknown };
  const words = Array.isArray(errors) && errors.length > 0 ? `: ${errors.join("; ").slice(0, 200)}` : "";
  return fault(status >= 500 || status === 429 ? "later" : "never", want, `status ${status}${words}`);
}

const fault = (retry: "later" | "never", want: string, was: string) =>
  new SandpiperError(CORE_ERROR.secret, `Cannot read secrets from Vault: ${want}, was ${was}`, retry);

function readAuthority(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    throw fault("never", "vault.tlsCaPath as a readable PEM file", errorText(thrown));
  }
}
