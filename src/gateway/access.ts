/** Everything behind the doors that ask who somebody is: accounts, sessions, keys, commands and the audit of refusals. */
import { followKeys } from "#control/agent/key-source.ts";
import { ensureControlKeys } from "#control/key-files.ts";
import { Audit } from "./audit.ts";
import { AccessTokens, openTokenKey } from "./auth/access-token.ts";
import { openAccounts } from "./auth/accounts.ts";
import { Auth } from "./auth/auth.ts";
import { Sessions } from "./auth/sessions.ts";
import { ControlDesk } from "./control-desk.ts";
import type { GatewayOptions } from "./gateway.ts";

export type Access = {
  readonly auth: Auth;
  readonly control: ControlDesk;
  readonly audit: Audit;
  stop(): Promise<void>;
};

/** Makes keys and the first account when they are missing. Throws a SandpiperError when files cannot be used. */
export async function openAccess(options: GatewayOptions, nowMs: () => number): Promise<Access> {
  const { config, paths, bus, log, environment = process.env } = options;
  const show = options.show ?? ((text) => void process.stdout.write(text));
  ensureControlKeys(paths, environment);
  const wallNs = () => BigInt(Math.round(nowMs() * 1_000)) * 1_000n;
  const keys = followKeys(config["control.keysPath"] || paths.controlKeys, environment, log);
  const accounts = await openAccounts(paths.accounts, (name, password) =>
    show(
      `\nSign in as ${name} with the password ${password}\n(shown this once; kept only as a hash in ${paths.accounts})\n\n`,
    ),
  );
  const control = new ControlDesk({
    bus,
    paths,
    environment,
    signKeyHex: config["control.signKey"],
    keys,
    clock: { wallNs },
    log,
  });
  await control.ready();
  const audit = new Audit({ bus, wallNs, log });
  const auth = new Auth({
    accounts,
    sessions: new Sessions(paths.sessions, nowMs),
    tokens: new AccessTokens(openTokenKey(paths.tokenKey), nowMs),
    keys,
    anonymous: config["gateway.anonymous"],
    audit,
    nowMs,
  });
  return {
    auth,
    control,
    audit,
    stop: async () => {
      audit.stop();
      await control.stop();
    },
  };
}
