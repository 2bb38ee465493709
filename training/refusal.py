"""What a model file may not be: each refusal names the kind of model, so that a person knows what to change."""


class Refusal(Exception):
    """A model that the tables cannot represent. The text names what it is."""


def refuse(what: str, why: str = "") -> None:
    raise Refusal(f"{what} models are not supported" + (f" ({why})" if why else ""))
