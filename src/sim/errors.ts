/** Error codes of the market in the box: 2050–2099 of sim's hundred; the cluster has those before. */
export const SIM_ERROR = { genesis: 2050, blockEngine: 2051, state: 2052, tpu: 2053, fork: 2059 } as const;
