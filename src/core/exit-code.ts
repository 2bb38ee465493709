/** How a process of ours ends, in the numbers of sysexits.h where they fit. The supervisor branches on them. */

export const EXIT_CODE = {
  /** Asked to stop, and did. */
  ok: 0,
  /** Something that may be gone the next time: the supervisor starts it again. */
  failure: 1,
  /** The command line makes no sense (EX_USAGE). */
  usage: 64,
  /** Input or settings that starting again cannot mend (EX_DATAERR): the supervisor stops the run. */
  badInput: 65,
} as const;
