/**
 * Words to the service manager: sd_notify(3) is one datagram to the Unix socket that $NOTIFY_SOCKET names. Bun has no
 * Unix datagrams, so this is the C library's sendto(2).
 */
import { ptr } from "bun:ffi";
import { libc } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
/** sockaddr_un: the family, then a path of at most 107 bytes. */
const PATH_BYTES_MAX = 107;

let socket = -1;

/**
 * Says `state` ("READY=1", "WATCHDOG=1", lines joined by \n) to the service manager; false when there is none, or it could
 * not be reached. Never waits and never throws: a manager that is busy hears the next one.
 */
export function notifyService(state: string, path = process.env["NOTIFY_SOCKET"]): boolean {
  if (path === undefined || (path[0] !== "/" && path[0] !== "@")) return false;
  const name = new TextEncoder().encode(path);
  if (name.length > PATH_BYTES_MAX) return false;
  if (socket < 0) socket = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const address = new Uint8Array(new ArrayBuffer(2 + PATH_BYTES_MAX + 1));
  address[0] = AF_UNIX;
  address.set(name, 2);
  // "@" stands for the zero byte of an abstract name, which ends with its length; a path ends with a zero byte.
  if (path[0] === "@") address[2] = 0;
  const addressBytes = 2 + name.length + (path[0] === "@" ? 0 : 1);
  const message = new Uint8Array(new ArrayBuffer(state.length * 3));
  const { written } = new TextEncoder().encodeInto(state, message);
  return libc.sendto(socket, ptr(message), written, MSG_NOSIGNAL, ptr(address), addressBytes) === written;
}

/** How often the service manager wants to hear WATCHDOG=1, ms: half of what it allows; undefined when it watches nobody here. */
export function watchdogEveryMs(environment: Readonly<Record<string, string | undefined>>): number | undefined {
  const allowedUs = Number(environment["WATCHDOG_USEC"] ?? "");
  const pid = environment["WATCHDOG_PID"];
  if (!(allowedUs > 0) || (pid !== undefined && pid !== String(process.pid))) return undefined;
  return Math.max(1, Math.floor(allowedUs / 2_000));
}
