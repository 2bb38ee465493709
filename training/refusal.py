"""What a model file may not be: each refusal names the kind of model, so that a person knows what to change."""


class Refusal(Exception):
    """A model that the tables cannot represent, or rows that teach nothing. The text says what must hold."""


def refuse(what: str, why: str = "") -> None:
    raise Refusal(f"{what} models are not supported" + (f" ({why})" if why else ""))
