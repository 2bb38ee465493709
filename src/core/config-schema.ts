/**
 * Every option of Sandpiper: one table, from which the file, the environment and the flags are read, `sandpiper config`
 * prints, and the `Config` type is made. A key `gateway.port` is `[gateway] port = …` in sandpiper.toml,
 * SANDPIPER_GATEWAY_PORT in the environment and --gateway.port as a flag.
 */

import { choice, number, type Option, port, text, whole, wholes } from "./config-options.ts";

export const CONFIG_SCHEMA = {
  mode: choice(["sim", "replay", "fork", "live"], "sim", "which market and which execution; see README"),
  dataDir: text("./data", "folder of everything that outlives the process: keys, bus, tables, models"),
  "data.freeMiBMin": whole(256, 1, 1_000_000, "MiB that must be free under dataDir at start; less is refused"),
  "log.level": choice(["debug", "info", "warn", "error"], "info", "least severe line that is written"),
  "log.format": choice(["text", "json"], "text", "text for people, json for machines"),

  "gateway.host": text(
    "127.0.0.1",
    "address the page and the API listen on; loopback only: others come through a proxy with TLS",
  ),
  "gateway.port": port(8080, "TCP port of the page and the API"),
  "gateway.publicOrigin": text(
    "",
    "origin under which a proxy with TLS serves the page (https://desk.example), answered beside loopback; needs gateway.anonymous none",
  ),
  "gateway.liveClientsMax": whole(64, 1, 10_000, "most pages that are fed live at the same time; the next is refused"),
  "gateway.liveClientsPerAddressMax": whole(64, 1, 10_000, "most of them from one network address"),
  "gateway.webTransport": choice(
    ["auto", "off"],
    "auto",
    "live data over HTTP/3 (UDP, same port number) when native/ is built; WebSocket is always there",
  ),
  "gateway.tlsCertificatePath": text(
    "",
    "PEM chain for WebTransport, read again every hour; empty: own certificates that the page takes by their hash",
  ),
  "gateway.tlsKeyPath": text("", "PEM key of that certificate"),

  "gateway.anonymous": choice(
    ["viewer", "none"],
    "viewer",
    "what whoever reaches the port may do without signing in: read everything, or nothing. Commands always need an admin",
  ),

  "control.keysPath": text("", "key file of those who may give commands; empty: keys/control.json under dataDir"),
  "control.signKey": text(
    "",
    "where the API's signing secret is kept, 64 hexadecimal digits (only the gateway reads it); empty: keys/control.hex under dataDir",
    true,
  ),
  "control.twoPerson": text(
    "",
    "scopes module:action, with commas between, whose commands need two keys, for example *:kill,mev:policy; empty: none",
  ),
  "control.twoPersonSeconds": whole(
    60,
    1,
    3_600,
    "seconds in which the second key must sign what the first one signed",
  ),

  "sim.seed": text("1", "same seed, same market flow"),
  "sim.slotMs": whole(400, 1, 10_000, "ms per slot of the local cluster"),
  "sim.rpcPort": port(8899, "JSON-RPC of the local cluster"),
  "sim.wsPort": port(8900, "WebSocket of the local cluster"),
  "sim.tpuPort": whole(
    0,
    0,
    65_535,
    "QUIC (UDP) door of the local cluster's leader, open when execute.hedge is not none; 0 takes a free port, which getClusterNodes tells",
  ),
  "sim.blockEnginePort": port(8901, "Jito JSON-RPC of the local block engine"),
  "sim.wallet": text(
    "",
    "public key that genesis funds with SOL, wrapped SOL and token accounts; the trading wallet's when left out",
  ),
  "sim.concentratedPools": whole(8, 0, 8, "concentrated-liquidity pools in the sim; 0 for none"),
  "sim.rivals": whole(1, 0, 16, "rival arbitrageurs in the sim"),
  "sim.sandwichShare": number(0.1, 0, 1, "share of the sim's larger purchases that somebody sandwiches; 0 for none"),
  "sim.tradesPerSlot": number(4, 0, 200, "scripted trades per slot, on average"),

  "fork.walletSol": whole(
    100,
    0,
    1_000_000,
    "SOL, and as many wrapped, that the wallet has at least on a fork; the origin knows nothing of it",
  ),
  "fork.rejoinSlots": whole(
    75,
    0,
    1_000_000,
    "slots after which pools that our trades moved go back to the origin's state; 0 keeps them apart for ever. A gap that the market did not close in them is there again",
  ),

  "market.rpcUrl": text("", "JSON-RPC of a node of the network, http(s)://…; it may hold a key", true),
  "market.wsUrl": text("", "WebSocket of a node, ws(s)://…; empty = none. It may hold a key", true),
  "market.grpcUrl": text("", "Yellowstone gRPC of a node, http(s)://…; empty = none"),
  "market.grpcToken": text("", "access token of market.grpcUrl", true),
  "market.commitment": choice(
    ["processed", "confirmed", "finalized"],
    "processed",
    "what is believed: processed is first and may be taken back, which is noticed; confirmed comes about a second later",
  ),
  "market.genesisHash": text(
    "",
    "genesis hash of the cluster that must be followed (mainnet: 5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d); empty = any",
  ),
  "market.poolsAllow": text(
    "",
    "addresses of the only pools to follow, commas between, or @FILE with one a line; empty = all of the programs. Only their accounts are read at the start",
  ),
  "market.poolsDeny": text("", "addresses of pools never to follow, commas between, or @FILE"),
  "market.tokensAllow": text(
    "",
    "mints of the only tokens, beside wrapped SOL, whose pools are followed, commas between, or @FILE; empty = all",
  ),
  "market.tokensDeny": text("", "mints of tokens whose pools are never followed, commas between, or @FILE"),

  "record.path": text(
    "",
    "folder for recordings of the run, one folder a run: market events, and the tape of what the hot loop was told and decided; empty = none",
  ),
  "replay.path": text(
    "",
    "a recording of Sandpiper, or recorded blocks: a getBlock JSON file, plain or .gz, or a folder of them",
  ),

  "store.engine": choice(
    ["embedded", "server"],
    "embedded",
    "embedded: ClickHouse inside Sandpiper; server: the one at clickhouse.url",
  ),
  "store.reader": choice(
    ["recorder", "clickhouse"],
    "recorder",
    "with bus.engine = kafka, who carries messages into the tables: our recorder, or ClickHouse's own Kafka engine",
  ),
  "clickhouse.port": port(8123, "HTTP port of the embedded ClickHouse, loopback only"),
  "clickhouse.url": text("http://127.0.0.1:8123", "HTTP address of the ClickHouse server (store.engine = server)"),
  "clickhouse.user": text("default", "user of the ClickHouse server; allowed to create the database sandpiper"),
  "clickhouse.password": text("", "password of that user", true),
  "clickhouse.hotDays": whole(14, 1, 36_500, "days before rows move to S3, when clickhouse.s3Endpoint is set"),
  "clickhouse.keepDays": whole(400, 1, 36_500, "days before rows are deleted; above clickhouse.hotDays"),
  "clickhouse.s3Endpoint": text(
    "",
    "http(s)://host/bucket/folder/ for old rows; empty = none. Once rows are there it must stay set",
  ),
  "clickhouse.s3KeyId": text("", "access key id for clickhouse.s3Endpoint"),
  "clickhouse.s3Secret": text("", "secret access key for clickhouse.s3Endpoint", true),
  "bus.engine": choice(
    ["embedded", "kafka"],
    "embedded",
    "embedded: one file on this box; kafka: the brokers of kafka.*",
  ),
  "bus.lingerMs": number(1, 0, 1_000, "ms a producer waits to fill a commit"),
  "bus.retainMiB": whole(
    2_048,
    16,
    1_000_000,
    "MiB of delivered messages the embedded bus keeps before it trims the oldest",
  ),

  "bus.spoolMiB": whole(
    512,
    1,
    1_000_000,
    "MiB on disk, per producer, for what Kafka does not take now; what comes beyond is dropped and counted",
  ),
  "kafka.brokers": text("127.0.0.1:9092", "brokers to start from, host:port with commas between"),
  "kafka.clientId": text("sandpiper", "name under which the brokers see this instance"),
  "kafka.replicas": whole(
    1,
    1,
    9,
    "copies of each topic that `sandpiper topics` makes; from 3 on, 2 must take a write",
  ),
  "kafka.tls": choice(["off", "on"], "off", "encrypt the connections to the brokers, and check their certificates"),
  "kafka.tlsCaPath": text("", "PEM file of the authority that signed the brokers' certificates; empty: the system's"),
  "kafka.saslMechanism": choice(
    ["none", "plain", "scram-sha-256", "scram-sha-512"],
    "none",
    "how to sign in to the brokers; plain shows the password to whoever listens unless kafka.tls is on",
  ),
  "kafka.saslUsername": text("", "user that signs in to the brokers"),
  "kafka.saslPassword": text("", "password of that user", true),

  "arbitrage.hopsMax": whole(3, 2, 4, "most pools in one cycle"),
  "arbitrage.evMinLamports": whole(10_000, 0, 1_000_000_000_000, "least expected value, in lamports, that is sent"),
  "arbitrage.inputLamportsMax": whole(50_000_000_000, 1, 9_000_000_000_000_000, "most lamports put into one cycle"),
  "arbitrage.tipLadder": wholes(
    [10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000, 100_000_000],
    1_000,
    100_000_000_000,
    "lamports, ascending: the tips to choose from",
  ),
  "arbitrage.tipPolicy": choice(
    ["model", "thompson", "ucb"],
    "thompson",
    "who chooses the tip: model, the best expected value by the model's word; thompson or ucb, a bandit that begins with the model's word and learns from every auction",
  ),
  "arbitrage.splitGainLamportsMin": whole(
    10_000,
    0,
    1_000_000_000_000,
    "least gain, in lamports, for which one hop of a cycle is split over two pools of its pair; 0 never splits. Too low spends a larger transaction and one more pool that may move on next to nothing",
  ),
  "arbitrage.simulate": choice(
    ["off", "beside", "before"],
    "beside",
    "simulate each built transaction: beside its send, or before it (then one that would fail is not sent)",
  ),
  "arbitrage.tipShareMax": number(0.5, 0, 1, "largest share of the gross profit that goes into the tip"),

  "execute.blockEngineUrl": text(
    "",
    "Jito block engine of mode live, http(s)://host without a path, for example https://mainnet.block-engine.jito.wtf",
  ),
  "execute.blockEngineRegions": text(
    "",
    "further regions of it, comma-separated addresses like execute.blockEngineUrl; the quickest that is well gets the bundle",
  ),
  "execute.tipFloorUrl": text(
    "",
    "where mode live hears the tip floor and its stream, http(s)://host without a path; Jito's is https://bundles.jito.wtf; empty = the block engine",
  ),
  "execute.blockEngineToken": text("", "UUID that Jito gave for a higher rate (x-jito-auth); empty = none", true),
  "execute.hedge": choice(
    ["none", "tpu", "rpc", "both"],
    "none",
    "further routes for the same signed bundle, beside the block engine; a direct route may land a transaction that fails and pays its fee",
  ),
  "execute.nonceAccounts": whole(
    0,
    0,
    16,
    "durable nonce accounts of the wallet to send on, which `sandpiper nonces create` makes; 0 for recent blockhashes alone",
  ),
  "execute.tpuEngine": choice(
    ["builtin", "native"],
    "builtin",
    "QUIC client of the route straight to the leaders: Bun's own, or quinn in native/ (bun scripts/build-native.ts); without the module the built-in one sends",
  ),
  "execute.tpuController": choice(
    ["cubic", "bbr", "newreno", "phase"],
    "phase",
    "congestion controller of the native engine; phase is cubic with 1.15 times its window in the leader's own slots and less outside of them",
  ),
  "execute.hedgeMsMin": number(
    8,
    0,
    1_000,
    "least ms before the second route gets what the first has not acknowledged",
  ),
  "execute.hedgeMsMax": number(
    15,
    0,
    1_000,
    "most ms before it; in between it follows what the first route usually takes",
  ),
  "execute.hedgeExtraPctMax": number(20, 0, 100, "most sends by a second route, in % of all"),

  "risk.lossPerDayLamportsMax": whole(
    1_000_000_000,
    1,
    9_000_000_000_000_000,
    "lamports that landed trades may lose in a day (UTC), gains not set against them; then nothing leaves until `sandpiper risk resume`",
  ),
  "risk.tipsPerDayLamportsMax": whole(
    10_000_000_000_000,
    1,
    9_000_000_000_000_000,
    "lamports of tips in a day (UTC); then nothing leaves until `sandpiper risk resume`",
  ),
  "risk.lossPerPoolLamportsMax": whole(
    200_000_000,
    1,
    9_000_000_000_000_000,
    "lamports that trades over one pool, or one token, may lose in a day (UTC); then it is left alone for that day",
  ),
  "risk.openAttemptsMax": whole(64, 1, 64, "attempts that may be open at once"),
  "risk.sendsPerMinuteMax": whole(6_000, 1, 1_000_000, "attempts that may be made in a minute"),

  "training.pythonDir": text(
    "",
    "folder for the Python environment that fits models, half a gigabyte, made on first use; empty: training/python under dataDir",
  ),
  "training.torchPython": text(
    "",
    "a Python that has torch and numpy, for torch jobs (Debian: apt install python3-torch, then /usr/bin/python3); empty: an environment of its own from training/requirements-torch.txt, a download of 2.4 GB when the first torch job is asked for",
  ),
  "training.rowsMin": whole(
    1_000,
    100,
    1_000_000,
    "least sent decisions with an outcome in the range of a training job; fewer teach mostly noise",
  ),
  "vault.address": text(
    "",
    "HashiCorp Vault or OpenBao for secrets of the form vault:MOUNT/PATH#FIELD, https://host:port",
  ),
  "vault.roleId": text("", "role id of the AppRole that signs in there"),
  "vault.secretId": text("", "its secret id, itself in a file or a credential: file:PATH or credential:NAME", true),
  "vault.appRolePath": text("approle", "where the AppRole method is mounted"),
  "vault.namespace": text("", "namespace there; empty = none"),
  "vault.tlsCaPath": text("", "PEM file of the authority that signed its certificate; empty: the system's"),
  "vault.refreshSeconds": whole(
    300,
    1,
    86_400,
    "seconds between two looks for secrets that were changed there; a process whose secret changed ends and begins again",
  ),

  "model.promote": choice(
    ["command", "rule"],
    "command",
    "who lets a shadow decide: a person, or the rule, when its log loss is 1 % below that of the version in use",
  ),
  "model.promoteRowsMin": whole(500, 50, 2_000, "least outcomes that both have scored before the rule promotes"),
  "model.rollback": choice(
    ["on", "off"],
    "on",
    "take a promoted version back by itself when its calibration or the hot path drifts; after that a person decides",
  ),
  "model.driftRowsMin": whole(300, 50, 2_000, "least outcomes of a version before its calibration is judged"),
  "model.calibrationGapMax": number(
    0.25,
    0.01,
    1,
    "largest distance between a version's mean score and the share of its bundles that land",
  ),
  "model.hotPathFactorMax": number(
    5,
    1,
    1_000,
    "largest ratio of the hot path's median to that of the ten minutes before the promotion",
  ),

  "otel.endpoint": text("", "base address of an OTLP/HTTP collector that gets traces of bundles; empty sends none"),
  "otel.share": number(0.01, 0, 1, "share of the bundles that are traced"),

  "guard.acts": choice(
    ["yes", "no"],
    "yes",
    "whether the guard throttles and kills; no: it only watches, and nothing stops the bleeding",
  ),
  "guard.hotPathMsMax": number(20, 0.001, 10_000, "p99, in ms, from the feed's stamp to the decision"),
  "guard.sendMsMax": number(250, 0.1, 60_000, "p99, in ms, from the decision to the route's acknowledgement"),
  "guard.landedPctMin": number(70, 0, 100, "least share of ended bundles, in %, that landed; 0 asks for none"),
  "guard.lostTradesPctMax": number(1, 0, 100, "most landed bundles, in %, that lost money"),
  "guard.marketLagMsMax": number(2_000, 10, 600_000, "ms since the newest market event"),
  "guard.chainLagMsMax": number(
    5_000,
    10,
    600_000,
    "ms since the cluster's RPC last answered the agent; without it nothing can be signed or followed",
  ),
  "guard.falseQuotesPctMax": number(
    50,
    0,
    100,
    "most quotes of one pool in one direction, in %, that simulations on the chain's own accounts disprove: more says that its state as we hear it is not the chain's",
  ),
  "guard.clockErrorMsMax": number(
    10,
    0.001,
    60_000,
    "largest error of the system clock by the kernel's word, and largest jump within a second, in ms",
  ),
  "guard.lossPerHourLamportsMax": whole(
    100_000_000,
    0,
    1_000_000_000_000_000,
    "lamports that landed bundles may lose in an hour, gains not counted against them",
  ),
  "guard.budgetBurnMax": number(
    2,
    1,
    1_000,
    "how many times faster than over a month the 1 % of slow decisions may be used up, over 5 minutes and an hour both",
  ),
} as const satisfies Record<string, Option<unknown>>;

export type ConfigKey = keyof typeof CONFIG_SCHEMA;
export type Config = {
  readonly [K in ConfigKey]: (typeof CONFIG_SCHEMA)[K] extends Option<infer T> ? T : never;
};
