/** Error codes of the cli room (2100–2199). Never renumbered. */

export const CLI_ERROR = {
  /** A command line that makes no sense. */
  usage: 2101,
  /** A CSV that is not of the judge's format. */
  csv: 2102,
  /** A folder that a command must not overwrite, or cannot write. */
  output: 2103,
  /** A file that is not of the format of `judge dex`. */
  vectors: 2104,
  /** A file that is not of the format of `judge orca`. */
  orcaCases: 2105,
  /** A file that is not of the format of `judge commands`. */
  commandCases: 2106,
  /** A file that is not of the format of `judge merkle`. */
  merkleCases: 2107,
  /** A key or checkpoint file of `sandpiper ledger` that cannot be read. */
  ledger: 2108,
  /** A labelled run, or findings to be judged by one, that cannot be read. */
  labelledRun: 2109,
  /** Records that `sandpiper tips` cannot judge. */
  tips: 2120,
  /** Golden rows of `judge model` that cannot be read. */
  golden: 2121,
  /** No run whose threads could be traced. */
  trace: 2122,
} as const;
