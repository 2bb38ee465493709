/**
 * The certificate of the WebTransport server. Without one of the operator's, it is made here, valid for 13 days and made
 * anew every week: a browser takes it by its SHA-256 (serverCertificateHashes, at most 14 days, ECDSA P-256). The
 * operator's is read again every hour, so that a renewed one is taken up.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Config } from "#core/config.ts";
import type { Native } from "./native.ts";

export type Certificate = {
  readonly certificatePem: string;
  readonly keyPem: string;
  /** Hexadecimal; undefined for a certificate that browsers check by its authority. */
  readonly sha256: string | undefined;
};

const VALID_DAYS = 13;
const OWN_RENEW_MS = 7 * 86_400_000;
const FILE_RENEW_MS = 3_600_000;
const NAMES = ["localhost", "127.0.0.1", "::1"] as const;

/** Throws when the operator's files cannot be read. */
export function readCertificate(config: Config, native: Native): Certificate {
  const certificatePath = config["gateway.tlsCertificatePath"];
  if (certificatePath !== "") {
    const keyPem = readFileSync(config["gateway.tlsKeyPath"], "utf8");
    return { certificatePem: readFileSync(certificatePath, "utf8"), keyPem, sha256: undefined };
  }
  const { certificatePem, keyPem, der } = native.makeCertificate([...NAMES], VALID_DAYS);
  return { certificatePem, keyPem, sha256: createHash("sha256").update(der).digest("hex") };
}

export const renewMs = (config: Config): number =>
  config["gateway.tlsCertificatePath"] === "" ? OWN_RENEW_MS : FILE_RENEW_MS;
