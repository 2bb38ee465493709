/** Error codes of the models. Never renumbered. */
export const MODEL_ERROR = { load: 901, defaultModel: 902, features: 903 } as const;
