import { expect, test } from "bun:test";
import { seededRandom } from "#core/random.ts";

test("seededRandom() gives the numbers of its seed for ever: recordings and labelled runs are made again from them", () => {
  const drawn = (seed: string) => {
    const random = seededRandom(seed);
    return [random.uint32(), random.uint32(), random.between(0, 1_000), random.unit()];
  };
  expect(drawn("sandpiper")).toEqual([3784293897, 1149830030, 988, 0.361262142796254]);
  expect(drawn("sandpiper")).toEqual(drawn("sandpiper"));
  expect(drawn("sandpiper ")).not.toEqual(drawn("sandpiper"));
});
