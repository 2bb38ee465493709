/** The events of a market in the box, with the snapshot that they begin from, stamped with the market's own time. */
import { readGeyserMessage } from "#market/geyser-message.ts";
import { MarketRecorder } from "#market/recording/recorder.ts";
import type { AccountWrite, MarketEvent } from "#market/source.ts";
import { geyserSubscribe } from "#sim/cluster/socket/geyser-subscription.ts";
import { testMarket } from "#sim/fixture.ts";

export async function marketEvents(slots: number, rivals: number): Promise<MarketEvent[]> {
  const { cluster, clock, box, runSlots } = await testMarket({ seed: "backtest", tradesPerSlot: 6, rivals });
  const accounts: AccountWrite[] = [];
  const take = (address: AccountWrite["address"] | undefined) => {
    const state = address === undefined ? undefined : cluster.account(address);
    if (address !== undefined && state !== undefined) accounts.push({ address, owner: state.owner, data: state.data });
  };
  for (const { facts } of box.market.pools)
    for (const address of [facts.accounts["ammConfig"], facts.address, ...facts.vaults]) take(address);
  const events: MarketEvent[] = [{ kind: "snapshot", slot: cluster.slot, accounts, arrivedNs: clock.monotonicNs() }];
  const notify = (result: unknown) => {
    const message = readGeyserMessage(JSON.stringify({ params: { result } }));
    if (message.kind !== "answer") events.push({ ...message, arrivedNs: clock.monotonicNs() });
  };
  const counters = { noticesDropped: 0, slowSocketsClosed: 0 };
  const subscription = geyserSubscribe({ cluster, clock, counters, notify, end: () => {} }, [{}]);
  if (subscription.onTransaction !== undefined) cluster.onTransaction(subscription.onTransaction);
  if (subscription.onSlot !== undefined) cluster.onSlot(subscription.onSlot);
  await runSlots(slots);
  return events;
}

export function recordEvents(folder: string, events: readonly MarketEvent[]): void {
  const zeroWallNs = 1_700_000_000_000_000_000n;
  const recorder = new MarketRecorder({ folder, version: "test", source: "test", zeroWallNs });
  for (const event of events) recorder.take(event);
  recorder.close();
}
