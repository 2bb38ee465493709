import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LIVE_KINDS, type LiveKind, Subscription } from "./subscription.ts";

const bytes = (value: number, length = 1) => new Uint8Array(length).fill(value);

describe("Subscription", () => {
  test("gives messages of all kinds back in the order they came", () => {
    const subscription = new Subscription({ messagesMax: 10, bytesMax: 100 });
    subscription.offer("outcomes", bytes(1));
    subscription.offer("metrics", bytes(2));
    subscription.offer("decisions", bytes(3));
    expect(subscription.take(2)).toEqual([bytes(1), bytes(2)]);
    expect(subscription.take(2)).toEqual([bytes(3)]);
    expect(subscription.takeDrops()).toBeUndefined();
  });

  test("drops the oldest metrics first, then decisions, outcomes last, and tells how many", () => {
    const subscription = new Subscription({ messagesMax: 3, bytesMax: 100 });
    subscription.offer("outcomes", bytes(1));
    subscription.offer("metrics", bytes(2));
    subscription.offer("metrics", bytes(3));
    subscription.offer("decisions", bytes(4));
    subscription.offer("decisions", bytes(5));
    subscription.offer("outcomes", bytes(6));
    expect(subscription.takeDrops()).toEqual({ metrics: 2, decisions: 1, outcomes: 0 });
    expect(subscription.takeDrops()).toBeUndefined();
    expect(subscription.take(10)).toEqual([bytes(1), bytes(5), bytes(6)]);
    expect(subscription.droppedTotal).toBe(3);
  });

  test("holds its limit in bytes, also against one message that is larger than the limit", () => {
    const subscription = new Subscription({ messagesMax: 10, bytesMax: 8 });
    subscription.offer("outcomes", bytes(1, 9));
    expect(subscription.depth).toBe(0);
    subscription.offer("outcomes", bytes(2, 8));
    expect(subscription.depth).toBe(1);
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
          if ("take" in one) taken += subscription.take(one.take).length;
          else {
            subscription.offer(one.kind, bytes(0, one.length));
            offered++;
          }
          expect(subscription.depth).toBeLessThanOrEqual(7);
        }
        const drops = subscription.takeDrops() ?? { metrics: 0, decisions: 0, outcomes: 0 };
        const dropped = drops.metrics + drops.decisions + drops.outcomes;
        expect(dropped).toBe(subscription.droppedTotal);
        expect(taken + subscription.depth + dropped).toBe(offered);
      }),
    );
  });
});
