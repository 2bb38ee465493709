/** The TPU engine that the options name; the built-in one, and why, where the native one cannot be had. */
import type { Clock } from "#core/clock.ts";
import type { Config } from "#core/config.ts";
import type { Log } from "#core/log.ts";
import type { TlsIdentity } from "./certificate.ts";
import { NativeTpuClient, nativeTpuMissing } from "./native-tpu-client.ts";
import { TpuClient } from "./tpu-client.ts";
import type { TpuEngine } from "./tpu-engine.ts";

export function openTpuEngine(
  identity: TlsIdentity,
  parts: { readonly config: Config; readonly clock: Pick<Clock, "monotonicNs">; readonly log: Log },
): TpuEngine {
  const { config, clock, log } = parts;
  if (config["execute.tpuEngine"] === "native") {
    const why = nativeTpuMissing();
    if (why === undefined) return new NativeTpuClient({ identity, controller: config["execute.tpuController"] });
    log.warn("no native TPU engine, the built-in one sends", { why });
  }
  return new TpuClient({ identity, monotonicNs: () => clock.monotonicNs() });
}
