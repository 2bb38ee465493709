/** The address of one decision on the page: a fragment, so that it can be kept, sent to a colleague and gone back from. */

const PREFIX = "#/decisions/";

export const decisionHref = (decisionId: string): string => PREFIX + encodeURIComponent(decisionId);

/** The id in a fragment, or undefined when there is none, or one that nobody made here. */
export function decisionIdOf(hash: string): string | undefined {
  if (!hash.startsWith(PREFIX)) return undefined;
  try {
    return decodeURIComponent(hash.slice(PREFIX.length)) || undefined;
  } catch {
    return undefined;
  }
}
