from tests.room.clean import clean_memory  # noqa: F401
