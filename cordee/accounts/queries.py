"""What is asked of people: how a letter reaches them, who somebody is in a space."""

from cordee.accounts.models import Person, Space, User
from cordee.mail.letters import Reader


def reader(person: Person) -> Reader | None:
    """Whom a letter to this person is for, in their account's language and time zone; ``None`` without an address."""
    address = person.user.email if person.user else person.email
    if not address or person.erased_at:
        return None
    if person.user is None:
        return Reader(address, person.name)
    return Reader(address, person.name, person.user.language, person.user.time_zone)


def person_of(user: User, space: Space) -> Person | None:
    """Who this user is in this space, unless they left it."""
    here = user.person_in(space.pk)
    return Person.objects.get(pk=here) if here else None
