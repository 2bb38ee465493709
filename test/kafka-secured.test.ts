/** A broker that talks TLS and wants its clients to sign in: reached by configuration alone, and refused in plain words. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBus } from "#bus/open.ts";
import { loadConfig } from "#core/config.ts";
import { createLog } from "#core/log.ts";
import { runPaths } from "#core/paths.ts";
import { type KafkaBroker, kafkaAvailable, startKafkaBroker } from "./support/kafka-broker.ts";
import { eventually } from "./support/supervised-run.ts";

const ROOT = join(import.meta.dir, "..");
const START_MS_MAX = 120_000;
const TEST_MS_MAX = 120_000;
const PASSWORD = "a-password-of-the-desk";
const log = createLog({ process: "test", level: "error", format: "text" });
const folder = mkdtempSync(join(tmpdir(), "sandpiper-kafka-secured-"));
const caPath = join(folder, "authority.pem");
let broker: KafkaBroker;

function keytool(...args: string[]): string {
  const done = Bun.spawnSync(["keytool", ...args], { stdout: "pipe", stderr: "pipe" });
  if (done.exitCode !== 0) throw new Error(`keytool: ${done.stdout}${done.stderr}`);
  return done.stdout.toString();
}

const flags = (password: string) => [
  ...["--dataDir", join(folder, "data"), "--bus.engine", "kafka", "--kafka.brokers", broker.address],
  ...["--kafka.tls", "on", "--kafka.tlsCaPath", caPath],
  ...["--kafka.saslMechanism", "plain", "--kafka.saslUsername", "desk", "--kafka.saslPassword", password],
];

describe.skipIf(!kafkaAvailable())("Kafka with TLS and SASL", () => {
  beforeAll(async () => {
    const keystorePath = join(folder, "broker.p12");
    const store = ["-keystore", keystorePath, "-storetype", "PKCS12", "-storepass", "changeit", "-alias", "broker"];
    const names = ["-dname", "CN=127.0.0.1", "-ext", "SAN=IP:127.0.0.1", "-ext", "BC=ca:true"];
    keytool("-genkeypair", ...store, "-keyalg", "EC", "-groupname", "secp256r1", "-validity", "2", ...names);
    await Bun.write(caPath, keytool("-exportcert", "-rfc", ...store));
    broker = await startKafkaBroker({
      keystorePath,
      keystorePassword: "changeit",
      username: "desk",
      password: PASSWORD,
    });
  }, START_MS_MAX);

  afterAll(async () => {
    await broker?.discard();
    rmSync(folder, { recursive: true, force: true });
  }, START_MS_MAX);

  /** What it says without the runtime's warning of a timer that kafkajs sets to a time before now. */
  const topics = (args: readonly string[]) => {
    const done = Bun.spawnSync([process.execPath, "src/cli/main.ts", "topics", ...args], { cwd: ROOT });
    const said = done.stderr.toString().split("\n");
    const ours = said.filter((line) => !/TimeoutNegativeWarning|^Timeout duration|--trace-warnings/.test(line));
    return { exitCode: done.exitCode, out: done.stdout.toString(), says: ours.join("\n") };
  };

  test(
    "topics are made, and a message goes out and comes back, over TLS and signed in",
    async () => {
      const made = topics(flags(PASSWORD));
      expect(made.says).toBe("");
      expect(made.out).toContain("bundle-outcomes-proto      made");
      const { config } = loadConfig({ environment: {}, flags: flags(PASSWORD) });
      const bus = await openBus(config, runPaths(config.dataDir), log, "secured");
      try {
        const consumer = bus.consumer({ group: "secured", topics: ["policy-updates-proto"], start: "first" });
        await bus.publish("policy-updates-proto", "k", new TextEncoder().encode("over TLS"));
        const message = await eventually("the message", async () => (await consumer.poll(1))[0]);
        expect(new TextDecoder().decode(message.value)).toBe("over TLS");
      } finally {
        await bus.close();
      }
    },
    TEST_MS_MAX,
  );

  test(
    "a wrong password and an unknown authority are refused in a line that shows no password",
    () => {
      const wrong = topics(flags("not-the-password"));
      expect(wrong.exitCode).not.toBe(0);
      expect(wrong.says).toMatch(/^Cannot set up the topics: .*[Aa]uthentication failed/);
      expect(wrong.says).not.toContain("not-the-password");
      const at = flags(PASSWORD).indexOf("--kafka.tlsCaPath");
      const unknown = topics(flags(PASSWORD).toSpliced(at, 2));
      expect(unknown.exitCode).not.toBe(0);
      expect(unknown.says).toMatch(/^Cannot set up the topics: .*certificate/);
    },
    TEST_MS_MAX,
  );
});
