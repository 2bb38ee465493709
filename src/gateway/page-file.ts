/**
 * One file of the page as it goes out: in the smallest encoding that the browser takes (RFC 9110 section 12.5.3), made
 * once when it is first asked for, under an entity tag of its own (section 8.8.3), so that what did not change is not sent.
 */
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from "node:zlib";

type Bytes = Uint8Array<ArrayBuffer>;
type Encoded = { readonly body: Bytes; readonly tag: string };

/** Smallest first. The levels take some 10 ms for the page's script; the next ones ten times that for 1 % less. */
const ENCODINGS: Readonly<Record<string, (body: Bytes) => Uint8Array>> = {
  br: (body) =>
    brotliCompressSync(body, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
    }),
  zstd: (body) => zstdCompressSync(body, { params: { [constants.ZSTD_c_compressionLevel]: 9 } }),
  gzip: (body) => gzipSync(body, { level: 9 }),
};
const IDENTITY = "identity";
const TEXT_TYPE = /^(text\/|application\/json|image\/svg\+xml)/;
/** More is no honest header; the door has bounds of its own. */
const HEADER_CHARACTERS_MAX = 1_024;

export class PageFile {
  readonly #body: Bytes;
  readonly #type: string;
  /** Its name tells its content. */
  readonly #forEver: boolean;
  readonly #encoded = new Map<string, Encoded>();

  constructor(body: Bytes, type: string, forEver: boolean) {
    this.#body = body;
    this.#type = type;
    this.#forEver = forEver;
  }

  text(): string {
    return new TextDecoder().decode(this.#body);
  }

  response({ headers: asked }: Request): Response {
    const compressed = TEXT_TYPE.test(this.#type);
    const encoding = compressed ? encodingFor(asked.get("accept-encoding") ?? "") : IDENTITY;
    const { body, tag } = this.#in(encoding);
    const headers = new Headers({
      "Cache-Control": this.#forEver ? "public, max-age=31536000, immutable" : "no-cache",
      ETag: tag,
    });
    if (compressed) headers.set("Vary", "Accept-Encoding");
    if (matches(asked.get("if-none-match") ?? "", tag)) return new Response(null, { status: 304, headers });
    headers.set("Content-Type", this.#type);
    if (encoding !== IDENTITY) headers.set("Content-Encoding", encoding);
    return new Response(body, { headers });
  }

  #in(encoding: string): Encoded {
    const known = this.#encoded.get(encoding);
    if (known) return known;
    const body = new Uint8Array(ENCODINGS[encoding]?.(this.#body) ?? this.#body);
    const hash = new Bun.CryptoHasher("sha256").update(this.#body).digest("hex").slice(0, 32);
    const made = { body, tag: `"${hash}-${encoding}"` };
    this.#encoded.set(encoding, made);
    return made;
  }
}

/** What an Accept-Encoding prefers of ours; of equals the smallest. Without a word for us it is the file as it is. */
export function encodingFor(header: string): string {
  const weights = new Map<string, number>();
  for (const part of header.slice(0, HEADER_CHARACTERS_MAX).toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((text) => text.trim());
    const said = parameters.find((text) => text.startsWith("q="))?.slice(2);
    const weight = said === undefined ? 1 : Number(said);
    if (name !== "") weights.set(name, weight >= 0 && weight <= 1 ? weight : 0);
  }
  const others = weights.get("*") ?? 0;
  const weightOf = (name: string) => weights.get(name) ?? others;
  const best = Math.max(...Object.keys(ENCODINGS).map(weightOf));
  if (best <= 0 || best < (weights.get(IDENTITY) ?? 0)) return IDENTITY;
  return Object.keys(ENCODINGS).find((name) => weightOf(name) === best) ?? IDENTITY;
}

/** If-None-Match compares weakly (RFC 9110 section 13.1.2): a proxy may have marked our tag as weak. */
const matches = (header: string, tag: string): boolean =>
  header
    .slice(0, HEADER_CHARACTERS_MAX)
    .split(",")
    .map((text) => text.trim().replace(/^W\//, ""))
    .some((text) => text === tag || text === "*");
