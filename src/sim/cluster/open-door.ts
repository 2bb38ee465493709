/** Opens a server of the cluster on loopback, with one clear line when its port is taken. */
import { errorText, SandpiperError } from "#core/error.ts";
import { CLUSTER_ERROR } from "./errors.ts";

/** The doors of the box are for this machine only. */
export const DOOR_HOST = "127.0.0.1";

/** Throws a SandpiperError when `serve` does. */
export function openDoor<Door>(name: string, port: number, serve: () => Door): Door {
  try {
    return serve();
  } catch (thrown) {
    throw new SandpiperError(
      CLUSTER_ERROR.door,
      `Cannot open the ${name} on ${DOOR_HOST}:${port}: a port that is free, was ${errorText(thrown)}`,
      "later",
    );
  }
}
