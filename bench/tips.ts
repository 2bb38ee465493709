/**
 * Regret of the tip bandit over 50,000 auctions in three markets, beside a tip of half the profit, the tip floor's 75th
 * percentile and the best fixed tip, and what the record of the bandit says of policies that were never played, beside
 * the truth.
 *
 *   bun bench/tips.ts [auctions = 50000]
 *
 * An auction is won by a tip above the best rival's. Each policy plays the same seeded market by itself; a rival that
 * reacts to it reacts to it alone. Payoff: landed × net profit over the profit before the tip, 0..1. Regret is against the
 * one rung of the ladder that earns most throughout (the highest affordable one where that is above half the profit): once
 * played alone, so that rivals react to it, and once in hindsight, against the very bids that the policy met.
 */
import { type Random, seededRandom } from "#core/random.ts";
import {
  estimatePolicy,
  payoffOf,
  type RecordedTip,
  type RungPolicy,
  rungAtLeast,
  rungAtMost,
} from "#decide/tips/off-policy.ts";
import { TipBandit } from "#decide/tips/tip-bandit.ts";
import { TIP_RESULT } from "#decide/tips/tip-table.ts";
import { machine, short, table } from "./report.ts";

const AUCTIONS = Number(process.argv[2] ?? 50_000);
const LADDER = [10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000, 100_000_000];
const FEE = 5_000;
const TIP_SHARE_MAX = 0.5;
const LANDED_KEPT = 256;
const ladder = new Float64Array(16);
ladder.set(LADDER);

type Market = {
  readonly name: string;
  /** The best rival's tip; 0 when nobody bids. */
  rivalTip(i: number, gross: number, random: Random, memory: RivalMemory): number;
};
type RivalMemory = { ownTips: number[]; level: number };

const bid = (gross: number, share: number, random: Random) => gross * share * Math.exp(0.5 * random.normal());
const MARKETS: readonly Market[] = [
  {
    name: "steady",
    rivalTip: (_, gross, random) => (random.unit() < 0.25 ? 0 : bid(gross, 0.08, random)),
  },
  {
    name: "shifting",
    // Every 8,000 auctions the rivals become other ones.
    rivalTip: (i, gross, random) => {
      const [share, absent] = [
        [0.02, 0.5],
        [0.2, 0.1],
        [0.05, 0.2],
        [0.3, 0.1],
        [0.01, 0.6],
      ][Math.floor(i / 8_000) % 5] as [number, number];
      return random.unit() < absent ? 0 : bid(gross, share, random);
    },
  },
  {
    name: "adversarial",
    // Learns the share of the profit that our winning tips take and bids a little above it; gives up what costs too much.
    rivalTip: (_, gross, random, memory) => {
      const sorted = [...memory.ownTips].sort((a, b) => a - b);
      const seen = sorted[Math.floor(sorted.length * 0.6)] ?? 0.01;
      memory.level += 0.05 * (Math.min(0.35, 1.3 * seen) - memory.level);
      return random.unit() < 0.3 ? 0 : bid(gross, memory.level, random);
    },
  },
];

type Auction = {
  readonly gross: number;
  readonly floor: number;
  readonly affordable: number;
  readonly congestion: number;
};
/** Answers a tip in lamports. */
type Player = { play(auction: Auction, i: number): number; learn(i: number, landed: boolean, rivalTip: number): void };

type Played = {
  readonly payoff: number;
  /** Of the best rung against the rivals' tips as they came in this very play. */
  readonly hindsight: number;
};

/** Plays all auctions; answers mean payoffs and calls `each` with every auction. */
function playMarket(
  market: Market,
  player: Player,
  each: (a: Auction, tip: number, landed: boolean, rival: number) => void = () => {},
): Played {
  const random = seededRandom(`tips ${market.name}`);
  const memory: RivalMemory = { ownTips: [], level: 0.05 };
  const landedTips: number[] = [];
  let outbid = 0;
  let floor = 0;
  let sum = 0;
  const fixedSums = LADDER.map(() => 0);
  for (let i = 0; i < AUCTIONS; i++) {
    const gross = Math.round(Math.min(5e9, Math.max(50_000, 5_000_000 * Math.exp(1.5 * random.normal()))));
    const affordable = LADDER.filter((tip) => tip <= gross * TIP_SHARE_MAX).length;
    const rival = market.rivalTip(i, gross, random, memory);
    if (affordable === 0) continue;
    if (i % 16 === 0) floor = percentile75(landedTips);
    const auction = { gross, floor, affordable, congestion: outbid };
    const tip = player.play(auction, i);
    const landed = tip > rival;
    keep(landedTips, landed ? tip : rival);
    if (landed) keep(memory.ownTips, tip / gross, 64);
    outbid += (1 / 64) * ((landed ? 0 : 1) - outbid);
    player.learn(i, landed, rival);
    each(auction, tip, landed, rival);
    const profit = { grossLamports: gross, feeLamports: FEE };
    if (landed) sum += payoffOf(profit, tip);
    for (let rung = 0; rung < LADDER.length; rung++) {
      const fixedTip = LADDER[Math.min(rung, affordable - 1)] as number;
      if (fixedTip > rival) fixedSums[rung] = (fixedSums[rung] as number) + payoffOf(profit, fixedTip);
    }
  }
  return { payoff: sum / AUCTIONS, hindsight: Math.max(...fixedSums) / AUCTIONS };
}

function keep(list: number[], value: number, max = LANDED_KEPT): void {
  list.push(value);
  if (list.length > max) list.shift();
}

const percentile75 = (tips: readonly number[]) => [...tips].sort((a, b) => a - b)[Math.floor(tips.length * 0.75)] ?? 0;

const deaf = (play: Player["play"]): Player => ({ play, learn: () => {} });
const fixed = (rung: number) => deaf(({ affordable }) => LADDER[Math.min(rung, affordable - 1)] as number);

function banditPlayer(
  policy: "thompson" | "ucb",
  seesRivals: boolean,
  onPick: (rung: number, propensity: number) => void = () => {},
): Player {
  const bandit = new TipBandit(policy, seededRandom(`draw ${policy}`).unit);
  const pick = { rung: 0, propensity: 0, pLand: 0 };
  // No model: every rung is as likely as not.
  const scores = new Float64Array(16).fill(0.5);
  return {
    play: ({ gross, floor, affordable, congestion }, i) => {
      const auction = { grossLamports: gross, feeLamports: FEE, congestion, tipFloorLamports: floor, leader: 0 };
      bandit.choose(pick, auction, ladder, LADDER.length, affordable, scores);
      bandit.sent(i + 1, pick.rung, auction);
      onPick(pick.rung, pick.propensity);
      return LADDER[pick.rung] as number;
    },
    learn: (i, landed, rival) => {
      const lost = seesRivals ? TIP_RESULT.outbid : TIP_RESULT.lost;
      bandit.settled(i + 1, landed ? TIP_RESULT.landed : lost, seesRivals ? rival : 0);
    },
  };
}

const rows: string[][] = [];
for (const market of MARKETS) {
  const alone = LADDER.map((_, rung) => playMarket(market, fixed(rung)));
  const best = Math.max(...alone.map(({ payoff }) => payoff));
  const line = (name: string, { payoff, hindsight }: Played) =>
    rows.push([
      market.name,
      name,
      payoff.toFixed(4),
      short((best - payoff) * AUCTIONS),
      short((hindsight - payoff) * AUCTIONS),
    ]);
  const rung = alone.findIndex(({ payoff }) => payoff === best);
  line(`best fixed tip, ${LADDER[rung]}`, alone[rung] as Played);
  line("Thompson", playMarket(market, banditPlayer("thompson", true)));
  line("UCB", playMarket(market, banditPlayer("ucb", true)));
  line("Thompson, rivals' tips unknown", playMarket(market, banditPlayer("thompson", false)));
  line(
    "half the profit",
    playMarket(
      market,
      deaf(({ gross }) => gross / 2),
    ),
  );
  const floorTip = ({ gross, floor }: Auction) => Math.min(gross / 2, Math.max(LADDER[0] as number, floor));
  line("tip floor p75", playMarket(market, deaf(floorTip)));
}
console.log(`${AUCTIONS} auctions; regret in whole payoffs, below 0 is better than the best fixed tip\n`);
console.log(table(["market", "policy", "payoff", "regret, tip played alone", "regret, same rivals' bids"], rows));

const record: RecordedTip[] = [];
const rivals: number[] = [];
let last = { rung: 0, propensity: 1 };
playMarket(
  MARKETS[0] as Market,
  banditPlayer("thompson", true, (rung, propensity) => {
    last = { rung, propensity };
  }),
  (auction, _, landed, rival) => {
    record.push({
      ...last,
      grossLamports: auction.gross,
      feeLamports: FEE,
      tipFloorLamports: auction.floor,
      tipLadderLamports: LADDER,
      affordable: auction.affordable,
      landed,
    });
    rivals.push(rival);
  },
);
const judged: readonly (readonly [string, RungPolicy])[] = [
  ...[2, 4, 5].map(
    (rung) => [`fixed ${LADDER[rung]}`, (tip: RecordedTip) => Math.min(rung, tip.affordable - 1)] as const,
  ),
  ["half the profit, the rung below", (tip) => rungAtMost(tip, tip.grossLamports / 2)],
  ["tip floor p75, the rung above", (tip) => rungAtLeast(tip, tip.tipFloorLamports)],
];
const interval = ({ mean, low, high }: { mean: number; low: number; high: number }) =>
  `${mean.toFixed(4)} (${low.toFixed(4)}–${high.toFixed(4)})`;
const estimates = judged.map(([name, policy]) => {
  let truth = 0;
  record.forEach((tip, i) => {
    const lamports = LADDER[policy(tip)] as number;
    if (lamports > (rivals[i] as number)) truth += payoffOf(tip, lamports) / record.length;
  });
  const { ips, doublyRobust, agreeing } = estimatePolicy(record, policy);
  return [name, truth.toFixed(4), interval(ips), interval(doublyRobust), String(agreeing)];
});
console.log(`\nJudged on the record of Thompson's ${record.length} choices in the steady market\n`);
console.log(table(["policy", "truth", "IPS, 95 %", "doubly robust, 95 %", "agreeing choices"], estimates));
console.log(`\n${machine()}`);
