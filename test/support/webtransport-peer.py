"""A reader of the live stream that shares nothing with ours: aioquic's QUIC and HTTP/3, zstandard, Google's protobuf.

Reads one JSON object from the first line of stdin: {"descriptor": hex of realtime.proto's FileDescriptorProto, "port": n,
"sha256": hex of the certificate, "origin": text, "items": true to name each message}. Writes a JSON line when it is open, then
one a second: {"messages": n, "datagrams": n, "streams": n, "bytes": n, "agesMs": [decisions' ages], "items": [[way, kind, id,
net lamports]]}. Ends when stdin does.
"""
import asyncio
import hashlib
import json
import sys
import time

import zstandard
from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DatagramReceived, HeadersReceived, WebTransportStreamDataReceived
from aioquic.quic.configuration import QuicConfiguration
from cryptography.hazmat.primitives.serialization import Encoding
from google.protobuf import descriptor_pool, message_factory

job = json.loads(sys.stdin.readline())
pool = descriptor_pool.DescriptorPool()
pool.AddSerializedFile(bytes.fromhex(job["descriptor"]))
Batch = message_factory.GetMessageClass(pool.FindMessageTypeByName("realtime.Batch"))
unpack = zstandard.ZstdDecompressor()
FRAME_BYTES_MAX = 4 * 1024 * 1024


def fresh():
    return {"messages": 0, "datagrams": 0, "streams": 0, "bytes": 0, "agesMs": [], "items": []}


class Peer(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic, enable_webtransport=True)
        self.opened = asyncio.get_running_loop().create_future()
        self.held = {}
        self.seen = fresh()

    def ask(self):
        stream = self._quic.get_next_available_stream_id()
        headers = {":method": "CONNECT", ":protocol": "webtransport", ":scheme": "https", ":path": "/live"}
        headers |= {":authority": f"127.0.0.1:{job['port']}", "origin": job["origin"]}
        self.http.send_headers(stream, [(name.encode(), value.encode()) for name, value in headers.items()])
        self.transmit()

    def quic_event_received(self, event):
        for found in self.http.handle_event(event):
            if isinstance(found, HeadersReceived) and not self.opened.done():
                self.opened.set_result(dict(found.headers).get(b":status", b"").decode())
            elif isinstance(found, DatagramReceived):
                self.batch("datagrams", found.data)
            elif isinstance(found, WebTransportStreamDataReceived):
                self.frames(found.stream_id, found.data)

    def frames(self, stream, data):
        held = self.held.get(stream, b"") + data
        while len(held) >= 4:
            length = int.from_bytes(held[:4], "big")
            assert length <= FRAME_BYTES_MAX, "a frame that is too long"
            if len(held) < 4 + length:
                break
            self.batch("streams", held[4 : 4 + length])
            held = held[4 + length :]
        self.held[stream] = held

    def batch(self, way, data):
        batch = Batch.FromString(unpack.decompress(data, max_output_size=FRAME_BYTES_MAX))
        self.seen[way] += 1
        self.seen["bytes"] += len(data)
        self.seen["messages"] += len(batch.items)
        for item in batch.items:
            assert item.schema_version == "rt-v1", item.schema_version
            kind = item.WhichOneof("payload")
            if kind == "arb":
                self.seen["agesMs"].append(round(time.time() * 1e3 - item.arb.decide_ns / 1e6, 2))
            if job["items"] and kind == "arb":
                self.seen["items"].append([way, kind, item.arb.decision_id, str(item.arb.net_lamports)])
            if job["items"] and kind == "outcome":
                net = str(item.outcome.realised_net_lamports)
                self.seen["items"].append([way, kind, item.outcome.bundle_id, net])


def say(line):
    print(json.dumps(line), flush=True)


async def main():
    configuration = QuicConfiguration(is_client=True, alpn_protocols=["h3"], max_datagram_frame_size=65_536)
    # As a browser with serverCertificateHashes: the hash is the trust.
    configuration.verify_mode = 0
    async with connect("127.0.0.1", job["port"], configuration=configuration, create_protocol=Peer) as peer:
        certificate = peer._quic.tls._peer_certificate.public_bytes(Encoding.DER)
        assert hashlib.sha256(certificate).hexdigest() == job["sha256"], "another certificate"
        peer.ask()
        say({"status": await asyncio.wait_for(peer.opened, 20)})
        ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        while not ended.done():
            await asyncio.wait([ended], timeout=1)
            seen, peer.seen = peer.seen, fresh()
            say(seen)


asyncio.run(main())
