import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Piece } from "./block.ts";
import { LIVE_KINDS, type LiveKind, Subscription } from "./subscription.ts";

const bytes = (value: number, length = 1): Piece => ({ messages: 1, bytes: new Uint8Array(length).fill(value) });

function take(subscription: Subscription, most: number): Piece[] {
  const taken: Piece[] = [];
  for (let next = subscription.next(); next && taken.length < most; next = subscription.next()) {
    taken.push(next.piece);
    subscription.taken(next);
  }
  return taken;
}

describe("Subscription", () => {
  test("gives messages of all kinds back in the order they came", () => {
    const subscription = new Subscription({ messagesMax: 10, bytesMax: 100 });
    subscription.offer("outcomes", bytes(1));
    subscription.offer("metrics", bytes(2));
    subscription.offer("decisions", bytes(3));
    expect(take(subscription, 2)).toEqual([bytes(1), bytes(2)]);
    expect(take(subscription, 2)).toEqual([bytes(3)]);
    expect(subscription.takeDrops()).toBeUndefined();
  });

  test("drops the oldest metrics first, then decisions, and tells how many", () => {
    const subscription = new Subscription({ messagesMax: 3, bytesMax: 100 });
    subscription.offer("outcomes", bytes(1));
    subscription.offer("metrics", bytes(2));
    subscription.offer("metrics", bytes(3));
    subscription.offer("decisions", bytes(4));
    subscription.offer("decisions", bytes(5));
    subscription.offer("outcomes", bytes(6));
    expect(subscription.takeDrops()).toEqual({ metrics: 2, decisions: 1, outcomes: 0 });
    expect(subscription.takeDrops()).toBeUndefined();
    expect(take(subscription, 10)).toEqual([bytes(1), bytes(5), bytes(6)]);
    expect(subscription.droppedTotal).toBe(3);
  });

  test("holds its limit in bytes, also against one message that is larger than the limit", () => {
    const subscription = new Subscription({ messagesMax: 10, bytesMax: 8 });
    subscription.offer("decisions", bytes(1, 9));
    expect(subscription.depth).toBe(0);
    subscription.offer("decisions", bytes(2, 8));
    expect(subscription.depth).toBe(1);
  });

  test("never drops an outcome: a reader with no room for them is overrun", () => {
    const subscription = new Subscription({ messagesMax: 2, bytesMax: 100 });
    for (let i = 0; i < 2; i++) subscription.offer("outcomes", bytes(i));
    subscription.offer("metrics", bytes(9));
    expect(subscription.overrun).toBe(false);
    expect(subscription.droppedTotal).toBe(1);
    subscription.offer("outcomes", bytes(2));
    expect(subscription.overrun).toBe(true);
    expect(take(subscription, 9)).toHaveLength(3);
  });

  test("loses nothing silently: what was offered is taken, waiting or counted", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom<LiveKind>(...LIVE_KINDS), length: fc.nat(20) }),
      fc.record({ take: fc.nat(5) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const subscription = new Subscription({ messagesMax: 7, bytesMax: 60 });
        let offered = 0;
        let taken = 0;
        for (const one of steps) {
          if ("take" in one) taken += take(subscription, one.take).length;
          else {
            subscription.offer(one.kind, bytes(0, one.length));
            offered++;
          }
          if (!subscription.overrun) expect(subscription.depth).toBeLessThanOrEqual(7);
        }
        const drops = subscription.takeDrops() ?? { metrics: 0, decisions: 0, outcomes: 0 };
        const dropped = drops.metrics + drops.decisions + drops.outcomes;
        expect(dropped).toBe(subscription.droppedTotal);
        expect(taken + subscription.depth + dropped).toBe(offered);
      }),
    );
  });
});
