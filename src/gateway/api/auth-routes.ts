/** Sign-in over the API; see auth/auth.ts. */
import { Elysia, t } from "elysia";
import type { Auth } from "#gateway/auth/auth.ts";
import {
  ChallengeAnswerSchema,
  KeySignInSchema,
  NothingSchema,
  PasswordSignInSchema,
  RefreshSchema,
  RevokedSchema,
  RevokeSchema,
  SignInAnswerSchema,
  WhoAmISchema,
} from "./control-schemas.ts";
import { readNoQuery } from "./query.ts";
import { DOOR_REFUSALS } from "./schemas.ts";

const bearer = { security: [{ bearer: [] }] };

export function authRoutes({ auth, anonymous }: { readonly auth: Auth; readonly anonymous: "viewer" | "none" }) {
  return new Elysia({ normalize: false })
    .onBeforeHandle(({ request }) => readNoQuery(new URL(request.url)))
    .post("/api/auth/challenge", () => ({ challenge: auth.challenge() }), {
      parse: "json",
      body: NothingSchema,
      response: { 200: ChallengeAnswerSchema, ...DOOR_REFUSALS },
      detail: {
        tags: ["Sign-in"],
        summary: "Something for an operator's key to sign",
        description: "It counts once, for a minute.",
      },
    })
    .post(
      "/api/auth/sign-in",
      // Written as async: Elysia awaits nothing that does not look it.
      async ({ body }) =>
        "name" in body
          ? await auth.signInWithPassword(body.name, body.password)
          : await auth.signInWithKey(
              body.key_id,
              body.challenge,
              Uint8Array.from(Buffer.from(body.signature_hex, "hex")),
            ),
      {
        parse: "json",
        body: t.Union([PasswordSignInSchema, KeySignInSchema]),
        response: { 200: SignInAnswerSchema, ...DOOR_REFUSALS },
        detail: {
          tags: ["Sign-in"],
          summary: "Tokens for a password or an operator's key",
          description:
            "Five wrong passwords in a row lock the account for 30 s, then ever longer; keys are never locked.",
        },
      },
    )
    .post("/api/auth/refresh", async ({ body }) => await auth.refresh(body.refresh_token), {
      parse: "json",
      body: RefreshSchema,
      response: { 200: SignInAnswerSchema, ...DOOR_REFUSALS },
      detail: {
        tags: ["Sign-in"],
        summary: "The next tokens; a refresh token that comes twice ends its session",
        description: "Access tokens live ten minutes, a session twelve hours after its last refresh.",
      },
    })
    .post(
      "/api/auth/sign-out",
      async ({ request }) => {
        const visitor = await auth.visitor(request);
        if (visitor !== undefined) auth.signOut(visitor);
        return { sessions: visitor === undefined ? 0 : 1 };
      },
      {
        parse: "json",
        body: NothingSchema,
        response: { 200: RevokedSchema, ...DOOR_REFUSALS },
        detail: {
          tags: ["Sign-in"],
          summary: "End this session",
          description: "Its tokens are worth nothing from then on.",
          ...bearer,
        },
      },
    )
    .post(
      "/api/auth/revoke",
      async ({ request, body }) => {
        await auth.admit(request, "admin", "end sessions");
        return { sessions: auth.revoke(body.name) };
      },
      {
        parse: "json",
        body: RevokeSchema,
        response: { 200: RevokedSchema, ...DOOR_REFUSALS },
        detail: { tags: ["Sign-in"], summary: "End every session of a name", description: "Role admin.", ...bearer },
      },
    )
    .get(
      "/api/auth/whoami",
      async ({ request }) => {
        const visitor = await auth.visitor(request);
        return {
          name: visitor?.name ?? null,
          role: visitor?.role ?? (anonymous === "viewer" ? "viewer" : null),
        } as const;
      },
      {
        response: { 200: WhoAmISchema, ...DOOR_REFUSALS },
        detail: {
          tags: ["Sign-in"],
          summary: "Who asks, and what they may",
          description: "Answers without a token too.",
          ...bearer,
        },
      },
    );
}
