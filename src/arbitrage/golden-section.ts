/** The top of a function that rises and then falls, found in a bounded number of steps. */

const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Each step shrinks the range by 0.618. */
export function topOf(from: number, to: number, steps: number, valueAt: (place: number) => number): number {
  let [low, high] = [from, to];
  let [left, right] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
  let [atLeft, atRight] = [valueAt(left), valueAt(right)];
  for (let step = 0; step < steps; step++) {
    if (atLeft < atRight) {
      low = left;
      left = right;
      atLeft = atRight;
      right = low + GOLDEN * (high - low);
      atRight = valueAt(right);
    } else {
      high = right;
      right = left;
      atRight = atLeft;
      left = high - GOLDEN * (high - low);
      atLeft = valueAt(left);
    }
  }
  return (low + high) / 2;
}
