/**
 * The pages of the browser, bundled by Bun and held in memory. Bun serves an imported HTML file itself, but with headers
 * of its own; so each page is fetched once from a server that lives for a moment on loopback, with every file it names,
 * and from then on served here under our headers. It works alike from source and inside a compiled binary.
 */
import { SandpiperError } from "#core/error.ts";
import index from "./dashboard/index.html";
import decodeWorker from "./dashboard/live/decode-worker.html";
import swagger from "./dashboard/swagger.html";
import { GATEWAY_ERROR } from "./errors.ts";
import { PageFile } from "./page-file.ts";

export type PageFiles = ReadonlyMap<string, PageFile>;

const PAGES = { "/": index, "/swagger": swagger } as const;
/** A worker is loaded by a name that its page can know: the script of a page of its own, under this path. */
const WORKERS = { "/live-worker.js": decodeWorker } as const;
/** Scripts, styles and icons of a page. The bundler names them by their content, so they may be cached for ever. */
const LINKED_FILE = /<(?:script|link)\b[^>]*\b(?:src|href)="(\/[\w.-]+)"/g;

/** Path to file: the pages and everything they name. */
export async function loadPages(): Promise<PageFiles> {
  const files = new Map<string, PageFile>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    development: false,
    routes: { ...PAGES, ...WORKERS },
    fetch: () => new Response(null, { status: 404 }),
  });
  try {
    for (const path of Object.keys(PAGES)) {
      const page = await fetchFile(server.url, path, false);
      files.set(path, page);
      for (const [, linked] of page.text().matchAll(LINKED_FILE))
        if (linked !== undefined) files.set(linked, await fetchFile(server.url, linked, true));
    }
    for (const path of Object.keys(WORKERS)) {
      const page = await fetchFile(server.url, path, false);
      const [, script] = [...page.text().matchAll(LINKED_FILE)][0] ?? [];
      if (script !== undefined) files.set(path, await fetchFile(server.url, script, false));
    }
  } finally {
    await server.stop(true);
  }
  return files;
}

async function fetchFile(origin: URL, path: string, forEver: boolean): Promise<PageFile> {
  const response = await fetch(new URL(path, origin));
  if (!response.ok)
    throw new SandpiperError(
      GATEWAY_ERROR.page,
      `Cannot load the page: the bundled file ${path}, was status ${response.status}`,
    );
  const type = response.headers.get("content-type") ?? "application/octet-stream";
  return new PageFile(new Uint8Array(await response.arrayBuffer()), type, forEver);
}
