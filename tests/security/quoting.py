"""Errors that quote all they know, as those of libraries may: what a log must not repeat."""


def breaking(word: str, module: object, name: str, error: type[Exception] = ValueError) -> None:
    """From now on ``module.name`` raises when its arguments hold the word."""
    real = getattr(module, name)

    def broken(*args, **kwargs):  # type: ignore[no-untyped-def]
        told = repr((args, kwargs))
        if word in told:
            try:
                raise KeyError(told)
            except KeyError as cause:
                raise error(told) from cause
        return real(*args, **kwargs)

    setattr(module, name, broken)
