/** Error codes of the local cluster: 2000–2049 of sim's hundred. */
export const CLUSTER_ERROR = { options: 2000, account: 2002, door: 2003 } as const;
