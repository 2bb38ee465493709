/**
 * Where tests and benches find recorded data. What the deployed programs answered is in the repository; larger recordings
 * (accounts, transactions, a block) are not: SANDPIPER_SHARED_DATA names their folder, else ../shared/data beside the
 * repository, and tests that need them skip, loudly, where they are absent.
 */
import { join } from "node:path";

const REPOSITORY = join(import.meta.dir, "../..");

/** Executions of the deployed DEX programs on pools of mainnet; the folder's README says how they were made. */
export const GOLDEN_VECTORS: string = join(REPOSITORY, "test/fixtures/golden-vectors");

/** Recordings outside the repository. */
export const SHARED_DATA: string = process.env["SANDPIPER_SHARED_DATA"] ?? join(REPOSITORY, "../shared/data");
