/** Changing which version of the model decides: an admin's, behind the same gates as `sandpiper models`. */
import { Elysia } from "elysia";
import { SandpiperError } from "#core/error.ts";
import type { Auth } from "#gateway/auth/auth.ts";
import { failure, TurnedAway } from "#gateway/door.ts";
import { flip, type HistoryEntry, readHistory, versionBefore } from "#model/models-folder.ts";
import { useVersion } from "#model/use-version.ts";
import { NothingSchema } from "./control-schemas.ts";
import { ModelChangesSchema, ModelHashSchema } from "./desk-schemas.ts";
import { readNoQuery } from "./query.ts";
import { DOOR_REFUSALS, ErrorSchema } from "./schemas.ts";

const CHANGES_SHOWN = 20;
const refusals = { ...DOOR_REFUSALS, 404: ErrorSchema, 422: ErrorSchema } as const;
const security = [{ bearer: [] }];

/** `folder`: of the models. */
export function modelRoutes({
  folder,
  auth,
  nowMs,
}: {
  readonly folder: string;
  readonly auth: Auth;
  readonly nowMs: () => number;
}) {
  return new Elysia({ normalize: false })
    .onBeforeHandle(({ request }) => readNoQuery(new URL(request.url)))
    .get(
      "/api/models/history",
      () => ({ changes: readHistory(folder, "arb").reverse().slice(0, CHANGES_SHOWN).map(changeRow) }),
      {
        response: { 200: ModelChangesSchema, ...refusals },
        detail: { tags: ["Models"], summary: "Who changed which version decides", description: "The last 20 changes." },
      },
    )
    .post("/api/models/promote", ({ request, body }) => use(request, body.hash, "promote"), {
      parse: "json",
      body: ModelHashSchema,
      response: { 200: ModelHashSchema, ...refusals },
      detail: {
        ...{ tags: ["Models"], summary: "Let a version decide", security },
        description: "After its gates have passed here; every agent tries it again itself. Role admin.",
      },
    })
    .post("/api/models/shadow", ({ request, body }) => use(request, body.hash, "shadow"), {
      parse: "json",
      body: ModelHashSchema,
      response: { 200: ModelHashSchema, ...refusals },
      detail: {
        ...{ tags: ["Models"], summary: "Let a version score beside the one that decides", security },
        description: "Nothing is sent because of it. Role admin.",
      },
    })
    .post(
      "/api/models/rollback",
      async ({ request }) => {
        const by = await nameOf(request);
        const hash = versionBefore(folder, "arb");
        if (hash === undefined)
          throw new TurnedAway(failure(404, "not_found", "Cannot roll back: a version that decided before, was none"));
        flip(folder, "arb", "latest", hash, { action: "rollback", by, why: "", atMs: nowMs() });
        return { hash };
      },
      {
        parse: "json",
        body: NothingSchema,
        response: { 200: ModelHashSchema, ...refusals },
        detail: {
          ...{ tags: ["Models"], summary: "Back to the version that decided before", security },
          description: "Role admin.",
        },
      },
    );

  /** The gateway has let in nobody but an admin before the body was read. */
  async function nameOf(request: Request): Promise<string> {
    return (await auth.visitor(request))?.name ?? "";
  }

  async function use(request: Request, hash: string, verb: "promote" | "shadow"): Promise<{ hash: string }> {
    const by = await nameOf(request);
    const role = verb === "promote" ? "latest" : "shadow";
    const used = useVersion(folder, "arb", role, hash, { action: verb, by, why: "", atMs: nowMs() });
    const isUsed = await used.catch((thrown: unknown) => {
      if (!(thrown instanceof SandpiperError)) throw thrown;
      throw new TurnedAway(failure(422, "model_refused", thrown.message));
    });
    if (!isUsed)
      throw new TurnedAway(failure(404, "not_found", `Cannot ${verb} ${hash}: a version on record, was none`));
    return { hash };
  }
}

const changeRow = ({ atMs, ...rest }: HistoryEntry) => ({ at_ms: atMs, ...rest });
