"""Reads envoy.yaml as Envoy's own schema has it, strictly, and prints it as JSON; with a second file, in the layout of webtransport.yaml."""

import importlib
import json
import pkgutil
import sys

import yaml
from google.protobuf import json_format

TYPE = "type.googleapis.com/"


def register(value):
    """The protobuf modules of every message that stands behind an @type."""
    if isinstance(value, dict):
        name = value.get("@type", "")
        if name.startswith(TYPE):
            package = importlib.import_module(name.removeprefix(TYPE).rpartition(".")[0])
            for module in pkgutil.iter_modules(package.__path__):
                if module.name.endswith("_pb2"):
                    importlib.import_module(f"{package.__name__}.{module.name}")
        for inner in value.values():
            register(inner)
    elif isinstance(value, list):
        for inner in value:
            register(inner)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        config = yaml.safe_load(file)
    if len(sys.argv) > 2:
        with open(sys.argv[2], encoding="utf-8") as file:
            instead = yaml.safe_load(file)
        resources = config["static_resources"]
        resources["listeners"] = [
            instead["listener"] if listener["name"] == "quic" else listener for listener in resources["listeners"]
        ]
        resources["clusters"].append(instead["cluster"])
    register(config)
    from envoy.config.bootstrap.v3.bootstrap_pb2 import Bootstrap

    read = json_format.ParseDict(config, Bootstrap())
    print(json.dumps(json_format.MessageToDict(read)))


main()
