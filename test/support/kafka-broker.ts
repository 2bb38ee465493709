/**
 * A real Apache Kafka broker (KRaft, one node, loopback, a temporary folder) for tests and benchmarks, with the tools of
 * its distribution. The jars come from Maven Central once (test/support/kafka/pom.xml) and stay under node_modules/.cache.
 * Without Maven or Java the tests that need it are skipped, loudly; where CI is set that is a failure.
 */
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const KAFKA_VERSION = "4.3.1";
const ROOT = join(import.meta.dir, "..", "..");
const CACHE = join(ROOT, "node_modules", ".cache");
const JARS = join(CACHE, `kafka-${KAFKA_VERSION}`);
const POM = join(import.meta.dir, "kafka", "pom.xml");
const COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
const CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg";
const START_MS_MAX = 120_000;
const LOOK_MS = 50;
/** Few threads and a serial collector: a broker beside tests on two cores. */
const JAVA_FLAGS = ["-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"];

export type KafkaBroker = {
  /** host:port */
  readonly address: string;
  /** Starts it again after stop() or kill(), on the same port and folder. */
  start(): Promise<void>;
  /** SIGTERM, and waits for its end. */
  stop(): Promise<void>;
  /** SIGKILL, and waits for its end. */
  kill(): Promise<void>;
  /** Runs a tool of the distribution, such as org.apache.kafka.tools.consumer.ConsoleConsumer; answers its stdout. */
  tool(mainClass: string, args: readonly string[], stdin?: string): Promise<string>;
  /** The end of it, folder and all. */
  discard(): Promise<void>;
};

/** True when a broker can be started here. Where CI is set a missing part is an error. */
export function kafkaAvailable(): boolean {
  const missing = ["java", "mvn"].filter((command) => Bun.which(command) === null);
  if (missing.length === 0 || (existsSync(JARS) && !missing.includes("java"))) return true;
  const line = `Cannot start a Kafka broker: Java and Maven, was without ${missing.join(" and ")}`;
  if (process.env["CI"]) throw new Error(line);
  process.stderr.write(`SKIPPED: ${line}\n`);
  return false;
}

/** A broker that talks TLS and wants its clients to sign in by SASL/PLAIN. */
export type Secured = {
  /** PKCS#12 with the broker's key and certificate, which is its own authority. */
  readonly keystorePath: string;
  readonly keystorePassword: string;
  readonly username: string;
  readonly password: string;
};

export async function startKafkaBroker(secured?: Secured): Promise<KafkaBroker> {
  await fetchJars();
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-kafka-"));
  const [port, controllerPort] = freePorts();
  const properties = join(folder, "server.properties");
  writeFileSync(properties, propertiesOf(folder, port, controllerPort, secured));
  const client = join(folder, "client.properties");
  writeFileSync(client, secured ? clientPropertiesOf(secured) : "");
  await java("kafka.tools.StorageTool", ["format", "-t", CLUSTER_ID, "-c", properties]);
  const address = `127.0.0.1:${port}`;
  let child: Bun.Subprocess | undefined;
  const end = async (signal: NodeJS.Signals) => {
    child?.kill(signal);
    await child?.exited;
    child = undefined;
  };
  const start = async () => {
    const log = openSync(join(folder, "broker.log"), "a");
    child = Bun.spawn(["java", ...JAVA_FLAGS, "-cp", `${JARS}/*`, "kafka.Kafka", properties], {
      stdin: "ignore",
      stdout: log,
      stderr: log,
    });
    const deadline = performance.now() + START_MS_MAX;
    while (!(await accepts(port))) {
      if (performance.now() > deadline || child.exitCode !== null)
        throw new Error(`Cannot start Kafka:\n${readFileSync(join(folder, "broker.log"), "utf8").slice(-4_000)}`);
      await Bun.sleep(LOOK_MS);
    }
    // The port is open before the broker serves: this ends when it does.
    await java("org.apache.kafka.tools.TopicCommand", [
      "--bootstrap-server",
      address,
      "--command-config",
      client,
      "--list",
    ]);
  };
  await start();
  return {
    address,
    start,
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
    tool: java,
    discard: async () => {
      await end("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function fetchJars(): Promise<void> {
  if (existsSync(JARS)) return;
  mkdirSync(CACHE, { recursive: true });
  const beside = mkdtempSync(`${JARS}-`);
  const maven = Bun.spawn(["mvn", "-q", "-B", "-f", POM, COPY, `-DoutputDirectory=${beside}`], { stderr: "inherit" });
  if ((await maven.exited) !== 0) throw new Error("Cannot fetch Kafka: Maven with its registry, was a failure");
  try {
    renameSync(beside, JARS);
  } catch {
    // Another process was first.
    rmSync(beside, { recursive: true, force: true });
  }
}

async function java(mainClass: string, args: readonly string[], stdin = ""): Promise<string> {
  const child = Bun.spawn(["java", ...JAVA_FLAGS, "-cp", `${JARS}/*`, mainClass, ...args], {
    stdin: new Blob([stdin]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`${mainClass} failed:\n${err.slice(-4_000)}`);
  return out;
}

function freePorts(): [number, number] {
  const listeners = [0, 0].map((port) =>
    Bun.listen({ hostname: "127.0.0.1", port, socket: { data: () => undefined } }),
  );
  const ports = listeners.map((listener) => listener.port);
  for (const listener of listeners) listener.stop(true);
  return ports as [number, number];
}

async function accepts(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

const PLAIN_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule";

const clientPropertiesOf = ({ keystorePath, keystorePassword, username, password }: Secured) => `
security.protocol=SASL_SSL
ssl.truststore.location=${keystorePath}
ssl.truststore.password=${keystorePassword}
ssl.truststore.type=PKCS12
sasl.mechanism=PLAIN
sasl.jaas.config=${PLAIN_LOGIN} required username="${username}" password="${password}";
`;

const securedProperties = ({ keystorePath, keystorePassword, username, password }: Secured) => `
ssl.keystore.location=${keystorePath}
ssl.keystore.password=${keystorePassword}
ssl.keystore.type=PKCS12
ssl.truststore.location=${keystorePath}
ssl.truststore.password=${keystorePassword}
ssl.truststore.type=PKCS12
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.clients.plain.sasl.jaas.config=${PLAIN_LOGIN} required username="${username}" password="${password}" user_${username}="${password}";
`;

const propertiesOf = (folder: string, port: number, controllerPort: number, secured?: Secured) => `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listeners=CLIENTS://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=CLIENTS://127.0.0.1:${port}
listener.security.protocol.map=CLIENTS:${secured ? "SASL_SSL" : "PLAINTEXT"},CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENTS
${secured ? securedProperties(secured) : ""}
log.dirs=${join(folder, "logs")}
num.network.threads=1
num.io.threads=2
background.threads=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
`;
