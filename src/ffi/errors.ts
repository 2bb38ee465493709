/** Error codes of the calls into C. Never renumbered. */
export const FFI_ERROR = {
  libc: 401,
  thread: 402,
  compile: 403,
  modelLibrary: 404,
  doorbell: 405,
  clickhouse: 406,
} as const;
