/** What the native module (native/src/lib.rs) exports for the live stream. */
export type NativeEvent = {
  readonly kind: "request" | "open" | "said" | "closed";
  readonly id: number;
  readonly path: string;
  readonly origin: string;
  readonly address: string;
  readonly reason: string;
};

export type WebTransportServer = {
  readonly port: number;
  readonly refused: number;
  setCertificate(certificatePem: string, keyPem: string): void;
  answer(id: number, status: number): void;
  sendDatagram(id: number, bytes: Uint8Array): number;
  sendStream(id: number, bytes: Uint8Array): number;
  datagramBytesMax(id: number): number;
  close(id: number, code: number, reason: string): void;
  stop(): void;
};

type NativeOptions = {
  readonly address: string;
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly sessionsMax: number;
  readonly handshakesMax: number;
  readonly handshakesPerAddressMax: number;
  readonly queueBytesMax: number;
};

export type Native = {
  readonly WebTransportServer: new (
    options: NativeOptions,
    listener: (event: NativeEvent) => void,
  ) => WebTransportServer;
  makeCertificate(
    names: readonly string[],
    days: number,
  ): { readonly certificatePem: string; readonly keyPem: string; readonly der: Uint8Array };
};
