"""docs/droits.md is the table of abilities, and the table speaks of relations that things have."""

from cordee.accounts.rules import abilities
from cordee.ops.management.commands.rights import AREAS, PAGE, WHO, written


def test_the_page_is_that_of_the_table():
    assert PAGE.read_text(encoding="utf-8") == written(), "run: manage.py rights"


def test_each_relation_has_its_words_and_each_ability_its_row():
    for ability in abilities().values():
        assert ability.who <= set(WHO), ability.id
        assert ability.area in AREAS and f"| `{ability.id}` |" in written()
