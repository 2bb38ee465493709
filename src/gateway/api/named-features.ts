/** The values a decision's model was told, with their names: the record keeps bare numbers in the order of the set. */
import { FEATURES } from "#model/features.ts";

/** A row of another length was made with another feature set: it gets no names rather than wrong ones. */
export function namedFeatures(values: readonly number[]) {
  const known = values.length === FEATURES.length ? FEATURES : [];
  return values.map((value, i) => {
    const { name = "", unit = "", source = "" } = known[i] ?? {};
    return { name, unit, source, value };
  });
}
