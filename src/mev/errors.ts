/** Error codes of the mev room (800–899). Never renumbered. */
export const MEV_ERROR = {
  /** A front-run builder that is none. */
  frontRunBuilder: 801,
} as const;
