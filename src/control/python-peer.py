"""The other language of python.test.ts: protobuf's own deterministic serialisation and PyNaCl's Ed25519.

Reads one JSON object from stdin: {"descriptor": hex, "commands": [hex signed by Sandpiper], "count": n, "seed": n}.
Writes {"verified": how many of the commands verify and serialise to the same bytes, "cases": [judge lines]}.
"""
import json
import random
import sys

from google.protobuf import descriptor_pool, message_factory
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

job = json.load(sys.stdin)
pool = descriptor_pool.DescriptorPool()
pool.AddSerializedFile(bytes.fromhex(job["descriptor"]))
Command = message_factory.GetMessageClass(pool.FindMessageTypeByName("control.Command"))
draw = random.Random(job["seed"])


def signing_bytes(command):
    bare = Command()
    bare.CopyFrom(command)
    for field in ("sig", "pubkey_id", "sig_alg"):
        bare.ClearField(field)
    return bare.SerializeToString(deterministic=True)


def verifies(item):
    command = Command.FromString(bytes.fromhex(item["hex"]))
    if command.SerializeToString(deterministic=True).hex() != item["hex"]:
        return False
    try:
        VerifyKey(bytes.fromhex(item["publicKeyHex"])).verify(signing_bytes(command), command.sig)
        return True
    except BadSignatureError:
        return False


def text(shortest, longest):
    letters = "abcz059_ .é\uffff\U00010000\U0001f426\ufeff"
    return "".join(draw.choice(letters) for _ in range(draw.randint(shortest, longest)))


def case(number):
    key = SigningKey(bytes(draw.randrange(256) for _ in range(32)))
    command = Command(
        ts=draw.randrange(1, 2**40),
        module=draw.randint(1, 2),
        action=draw.randint(1, 6),
        request_id=text(1, 20),
        issuer=text(1, 20),
        schema_version="ctrl-v1",
        nonce=draw.choice([1, 127, 128, 2**64 - 1, draw.randrange(1, 2**64)]),
    )
    for _ in range(draw.randint(0, 8)):
        command.args[text(0, 10)] = text(0, 30)
    command.sig = key.sign(signing_bytes(command)).signature
    command.pubkey_id = f"python-{number}"
    command.sig_alg = "ed25519-v1"
    # Every other one as a serialiser writes it that was not asked for an order of the map.
    whole = bytearray(command.SerializeToString(deterministic=number % 2 == 0))
    line = {"pubkey_hex": bytes(key.verify_key).hex(), "pubkey_id": command.pubkey_id}
    bit = draw.randrange(len(whole) * 8)
    flipped = bytearray(whole)
    flipped[bit // 8] ^= 1 << (bit % 8)
    yield {**line, "command_hex": whole.hex(), "expect": "accept", "why": "signed by Python"}
    yield {**line, "command_hex": flipped.hex(), "expect": "refuse", "why": "one flipped bit"}


verified = sum(verifies(item) for item in job["commands"])
cases = [line for number in range(job["count"]) for line in case(number)]
json.dump({"verified": verified, "cases": cases}, sys.stdout)
