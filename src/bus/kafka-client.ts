/**
 * The door to kafkajs: how the brokers are reached, and zstd through Bun as its codec. Every wait has a limit here; who
 * calls tries again, ever more seldom, so that a broker that comes back is found within RETRY_MS_MAX.
 */
import { readFileSync } from "node:fs";
import net from "node:net";
import tls from "node:tls";
import kafkajs, { type Kafka, type KafkaConfig, type RetryOptions, type SASLOptions } from "kafkajs";
import type { Config } from "#core/config.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { BUS_ERROR } from "./errors.ts";

const CONNECT_MS_MAX = 2_000;
const REQUEST_MS_MAX = 10_000;
const KEEP_ALIVE_MS = 60_000;
/** Longest pause between two tries. */
export const RETRY_MS_MAX = 1_000;
/** kafkajs's own tries of one request; the loops above them have no end but closing. */
export const RETRY: RetryOptions = { initialRetryTime: 50, maxRetryTime: RETRY_MS_MAX, retries: 4 };
const ZSTD_LEVEL = 3;

export const ZSTD = kafkajs.CompressionTypes.ZSTD;

/** What is needed to reach the brokers. */
export type KafkaOptions = {
  /** host:port with commas between. */
  readonly brokers: string;
  readonly clientId: string;
  readonly tls?: KafkaConfig["ssl"];
  readonly sasl?: SASLOptions;
};

export function kafkaOptionsOf(config: Config): KafkaOptions {
  const caPath = config["kafka.tlsCaPath"];
  const mechanism = config["kafka.saslMechanism"];
  const credentials = { username: config["kafka.saslUsername"], password: config["kafka.saslPassword"] };
  return {
    brokers: config["kafka.brokers"],
    clientId: config["kafka.clientId"],
    ...(config["kafka.tls"] === "on" && { tls: caPath === "" ? true : { ca: readAuthority(caPath) } }),
    ...(mechanism !== "none" && { sasl: { mechanism, ...credentials } as SASLOptions }),
  };
}

export function createKafka({ brokers, clientId, tls: ssl, sasl }: KafkaOptions, log: Log): Kafka {
  kafkajs.CompressionCodecs[ZSTD] = () => ({
    compress: async ({ buffer }: { buffer: Buffer }) => Bun.zstdCompressSync(buffer, { level: ZSTD_LEVEL }),
    decompress: async (bytes: Buffer) => Bun.zstdDecompressSync(bytes),
  });
  return new kafkajs.Kafka({
    clientId,
    brokers: brokers.split(",").map((broker) => broker.trim()),
    ...(ssl !== undefined && { ssl }),
    ...(sasl !== undefined && { sasl }),
    connectionTimeout: CONNECT_MS_MAX,
    requestTimeout: REQUEST_MS_MAX,
    retry: RETRY,
    socketFactory: ({ host, port, ssl: secure, onConnect }) => {
      const socket = secure
        ? tls.connect({ host, port, servername: net.isIP(host) ? "" : host, ...secure }, onConnect)
        : net.connect({ host, port }, onConnect);
      // Nagle's algorithm would hold a small batch back until the one before it is acknowledged.
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      return socket;
    },
    logLevel: kafkajs.logLevel.ERROR,
    // What matters is said once by the publisher and the consumers; kafkajs says it on each of its tries.
    logCreator:
      () =>
      ({ namespace, log: entry }) =>
        log.debug(`kafka: ${entry.message}`, { part: namespace }),
  });
}

/** Unreachable, unwilling or broken brokers, in our words. */
export function brokersError(doing: string, thrown: unknown): SandpiperError {
  if (thrown instanceof SandpiperError) return thrown;
  return new SandpiperError(
    BUS_ERROR.brokers,
    `Cannot ${doing}: Kafka brokers that answer, was ${errorText(thrown)}`,
    "later",
    { cause: thrown },
  );
}

function readAuthority(path: string): string[] {
  try {
    return [readFileSync(path, "utf8")];
  } catch (thrown) {
    throw new SandpiperError(
      BUS_ERROR.brokers,
      `Cannot read kafka.tlsCaPath: a readable PEM file, was ${errorText(thrown)}`,
      "never",
      { cause: thrown },
    );
  }
}
