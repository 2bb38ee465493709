/** Error codes of the models. Never renumbered. */
export const MODEL_ERROR = {
  load: 901,
  defaultModel: 902,
  features: 903,
  /** A version that is not on record, or in use. */
  version: 904,
  /** A library that a gate refused. */
  gate: 905,
} as const;
