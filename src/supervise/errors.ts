/** Error codes of this room: 1900–1999. */
export const SUPERVISE_ERROR = {
  mode: 1901,
  dataDir: 1902,
  freeSpace: 1903,
  port: 1904,
  alreadyRunning: 1905,
  start: 1906,
  tuning: 1907,
  release: 1908,
} as const;
