/** A wire for UDP that a test can cut: datagrams go both ways between anybody and one port, until it is blocked. */
import { createSocket, type Socket } from "node:dgram";

export type UdpRelay = { readonly port: number; blocked: boolean; stop(): void };

export async function startUdpRelay(targetPort: number): Promise<UdpRelay> {
  const front = createSocket("udp4");
  const backs = new Map<number, Socket>();
  const bind = (socket: Socket) => new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  await bind(front);
  // Somebody who has gone answers with ICMP: nothing a wire should die of.
  front.on("error", () => {});
  const relay = {
    port: front.address().port,
    blocked: false,
    stop: () => {
      front.close();
      for (const back of backs.values()) back.close();
    },
  };
  front.on("message", (bytes, { port }) => {
    if (relay.blocked) return;
    let back = backs.get(port);
    if (back === undefined) {
      back = createSocket("udp4");
      back.on("error", () => {});
      back.on("message", (answer) => {
        if (!relay.blocked) front.send(answer, port, "127.0.0.1");
      });
      backs.set(port, back);
    }
    back.send(bytes, targetPort, "127.0.0.1");
  });
  return relay;
}
