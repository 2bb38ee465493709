/**
 * What the embedded engine finds in its folder at each start: its settings, its users with the sha256 of the password,
 * and the message formats. All of it is made again from this version's texts; only the password stays.
 *
 *   <folder>/etc/config.xml, users.xml     mode 0600
 *   <folder>/etc/config.d/kafka.xml
 *   <folder>/etc/config.d/storage.xml      mode 0600; only when old rows go to S3
 *   <folder>/formats/*.proto               the engine's working folder: `realtime:Envelope` is looked up there
 *   <folder>/tables/                       the data
 */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import config from "#clickhouse/config.xml" with { type: "text" };
import kafka from "#clickhouse/kafka.xml" with { type: "text" };
import storage from "#clickhouse/storage.xml" with { type: "text" };
import users from "#clickhouse/users.xml" with { type: "text" };
import { readJsonFile, writeFileAtomic } from "#core/atomic-file.ts";
import { SandpiperError } from "#core/error.ts";
import control from "#proto/control.proto" with { type: "text" };
import jobs from "#proto/jobs.proto" with { type: "text" };
import realtime from "#proto/realtime.proto" with { type: "text" };
import { STORE_ERROR } from "./errors.ts";

const PASSWORD_BYTES = 32;

export type EngineFiles = {
  readonly config: string;
  readonly formats: string;
  readonly tables: string;
  /** What the macro `start` of the engine that reads these files says. */
  readonly startId: string;
};

/** Where old rows go. */
export type ColdStorage = {
  /** `http(s)://host/bucket/folder/`. */
  readonly endpoint: string;
  readonly keyId: string;
  readonly secret: string;
};

export function writeEngineFiles(folder: string, port: number, secretPath: string, cold?: ColdStorage): EngineFiles {
  const files = {
    config: join(folder, "etc", "config.xml"),
    users: join(folder, "etc", "users.xml"),
    formats: join(folder, "formats"),
    tables: join(folder, "tables"),
    startId: randomUUID(),
  };
  mkdirSync(files.tables, { recursive: true, mode: 0o700 });
  const sha256 = createHash("sha256").update(ensurePassword(secretPath)).digest("hex");
  const values = { USERS_PATH: files.users, HTTP_PORT: String(port), START_ID: files.startId };
  writeFileAtomic(files.users, fill(String(users), { APP_PASSWORD_SHA256: sha256 }), 0o600);
  writeFileAtomic(files.config, fill(String(config), values), 0o600);
  writeFileAtomic(join(folder, "etc", "config.d", "kafka.xml"), String(kafka), 0o600);
  const storagePath = join(folder, "etc", "config.d", "storage.xml");
  if (cold) writeFileAtomic(storagePath, storageText(cold), 0o600);
  else rmSync(storagePath, { force: true });
  const formats = { "realtime.proto": realtime, "control.proto": control, "jobs.proto": jobs };
  for (const [name, text] of Object.entries(formats)) writeFileAtomic(join(files.formats, name), text);
  return files;
}

/** The password of user `app`; made on the first start. */
function ensurePassword(secretPath: string): string {
  const stored = readJsonFile(secretPath);
  if (typeof stored === "object" && stored !== null && "app" in stored && typeof stored.app === "string")
    return stored.app;
  if (stored !== undefined)
    throw new SandpiperError(
      STORE_ERROR.secret,
      `Cannot start ClickHouse: {"app": password} in ${secretPath}, was something else`,
    );
  const password = randomBytes(PASSWORD_BYTES).toString("base64url");
  writeFileAtomic(secretPath, JSON.stringify({ app: password }), 0o600);
  chmodSync(dirname(secretPath), 0o700);
  return password;
}

/** The server's file, with values where it names variables: an environment can be read by others than a 0600 file. */
function storageText({ endpoint, keyId, secret }: ColdStorage): string {
  const values: Readonly<Record<string, string>> = { ENDPOINT: endpoint, KEY_ID: keyId, SECRET: secret };
  const named = String(storage).replaceAll(
    /<(\w+) from_env="SANDPIPER_CLICKHOUSE_S3_(\w+)"\/>/g,
    (_, element: string, name: string) => `<${element}>@${name}@</${element}>`,
  );
  return fill(named, values);
}

const XML_ENTITY: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Puts values in the place of @NAME@. (String() above: an .xml import is typed as a document, and is its text here.) */
function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/@([A-Z0-9_]+)@/g, (_, name: string) =>
    (values[name] ?? "").replaceAll(/[&<>"]/g, (character) => XML_ENTITY[character] ?? character),
  );
}
