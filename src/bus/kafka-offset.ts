/**
 * One number for a record's place in its topic, as the tables keep it: partition × 2^44 + offset. Consecutive within a
 * partition, exact as a double, and below every offset of the embedded bus (which start at Unix time in µs), so that a
 * desk can change engines over the same tables. A topic that is deleted and made again starts at 0 again: it must get
 * another name, or the tables take its records for old ones.
 */

const PARTITION_SHIFT = 2 ** 44;
/** Most partitions of a topic: 64 × 2^44 = 2^50. */
export const PARTITIONS_MAX = 64;

export const busOffset = (partition: number, offset: number): number => partition * PARTITION_SHIFT + offset;
