/** Wide little-endian numbers at offsets that the caller has checked to be inside. */

export const u128At = (view: DataView, offset: number): bigint => {
  const high = view.getBigUint64(offset + 8, true);
  const low = view.getBigUint64(offset, true);
  return high === 0n ? low : (high << 64n) | low;
};

export const i128At = (view: DataView, offset: number): bigint =>
  (view.getBigInt64(offset + 8, true) << 64n) | view.getBigUint64(offset, true);

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
