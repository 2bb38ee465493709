/**
 * ClickHouse's format Protobuf: each message after its length as a base-128 varint, as in protobuf's own
 * writeDelimitedTo. RowBinary writes strings the same way.
 */

/** A length below 2^28, which is far above any batch. */
const VARINT_BYTES_MAX = 4;

export function delimited(values: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(values.reduce((sum, value) => sum + value.length + VARINT_BYTES_MAX, 0));
  let at = 0;
  for (const value of values) {
    let length = value.length;
    while (length > 0x7f) {
      out[at++] = (length & 0x7f) | 0x80;
      length >>>= 7;
    }
    out[at++] = length;
    out.set(value, at);
    at += value.length;
  }
  return out.subarray(0, at);
}
