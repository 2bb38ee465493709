/** Error codes of shared memory: regions, rings, switchboard, heartbeats. Never renumbered. */
export const MEMORY_ERROR = {
  regionCreate: 301,
  regionOpen: 302,
  ringFormat: 303,
  switchboardPolicy: 304,
  heartbeatTable: 305,
  histogramBuffer: 306,
  byteRing: 307,
  ringFile: 308,
} as const;
