"""A refusal of an action on circles: not a fault, a sentence for who asked."""


class Refused(Exception):
    """``str()`` is a sentence in the reader's language that says what happened and what to do."""
