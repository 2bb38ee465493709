/** The head of the OpenAPI document: what the API is, and the rules that hold for all of it. */

const ABOUT = `Everything Sandpiper knows about its run, and its levers.

- Every 64-bit integer (lamports, token units, slots, times in ns) is decimal text, as in protobuf's own JSON mapping; counts are numbers.
- Errors are \`{ "error": { "code", "message" } }\`; branch on the code, it never changes its meaning.
- Listings are newest first; give \`next\` back as \`before\` for the older page.
- Only loopback is served, and only pages of this origin. Reading needs no sign-in unless gateway.anonymous = none; commands need a token of role admin (/api/auth/sign-in), as Authorization: Bearer, or for a browser's WebSocket as subprotocols sandpiper and bearer.TOKEN.
- Live: WebSocket \`/live\`. Binary frames are protobuf \`realtime.Batch\` (proto/realtime.proto) of decisions, outcomes and metrics; text frames are JSON: \`{"kind":"status","status":…}\` once a second with the answer of /api/status, and \`{"kind":"dropped","drops":{"metrics","decisions","outcomes"}}\` when this reader was too slow.`;

export const OPENAPI_INFO = {
  info: { title: "Sandpiper", version: "1", description: ABOUT },
  tags: [
    { name: "Run", description: "What is true now." },
    { name: "Record", description: "What was decided and how it ended." },
    { name: "Sign-in", description: "Who may do what." },
    { name: "Control", description: "Signed commands to the agents." },
    { name: "Models", description: "Training jobs, the versions that came of them, and which of them decides." },
    { name: "Ledger", description: "The record of the control river, with proofs." },
  ],
  components: { securitySchemes: { bearer: { type: "http" as const, scheme: "bearer", bearerFormat: "JWT" } } },
};
