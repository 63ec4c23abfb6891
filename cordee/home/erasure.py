"""Taking somebody's data away: at their wish, or because they left long ago. What stays bears no name.

What others still need is asked of them: their learnings, and what they wrote in rooms for others, are withdrawn or stay
signed "un pair". What nobody else could read goes in any case. Why each thing: docs/adr/0014-erasing-one-person.md
"""

from collections import Counter
from collections.abc import Sequence

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from cordee.accounts.models import Person, Role, User
from cordee.circles import crypto
from cordee.circles.actions import members
from cordee.circles.models import Availability, Circle, Membership, Reply, Situation, Turn, Voice
from cordee.circles.refused import Refused
from cordee.followup import published
from cordee.followup.models import Commitment, Learning, Publication, Success
from cordee.followup.queries.successes import card, read
from cordee.home import actions
from cordee.home.models import Erasure
from cordee.mail.models import Letter, Wish
from cordee.room import belongings
from cordee.room.belongings import PEER, Choice


def erase_user(user: User, choice: Choice) -> None:
    """Everything of this account and of its persons in every space; noted in the register, without a name."""
    with transaction.atomic():
        persons = list(user.persons.all())
        counts = erase_persons(persons, choice, user)
        counts += erase_account(user)
        Erasure.objects.create(kind=Erasure.WISH, counts=dict(counts))


def erase_persons(persons: Sequence[Person], choice: Choice, user: User | None = None) -> Counter[str]:
    """These persons, who are one human being; how much of what was erased. The caller notes it in the register."""
    counts: Counter[str] = Counter(persons=len(persons))
    ids = [person.pk for person in persons]
    for told in Commitment.objects.filter(person__in=ids, success__isnull=False):
        actions.withdraw(told)
    taken = belongings.erase(
        ids, user.pk if user else None, {person.name for person in persons}, _kept_ids(ids), choice
    )
    counts.update(rooms=taken.rooms, contributions=taken.contributions)
    published.withdraw(Publication.objects.filter(learning__person__in=ids))
    counts["learnings"] = _let_go(Learning.objects.filter(person__in=ids), choice)
    counts["learnings"] += Learning.everything.filter(person__in=ids, alone=True).delete()[0]
    counts["situations"], _ = Situation.objects.filter(person__in=ids, turns=None).delete()
    Situation.objects.filter(person__in=ids).update(sealed=None, reserve=False)
    Voice.objects.filter(person__in=ids).delete()
    Turn.objects.filter(person__in=ids).update(sealed=None)
    counts["commitments"] = Commitment.objects.filter(person__in=ids).delete()[0]
    counts["replies"] = Reply.objects.filter(person__in=ids).delete()[0]
    counts["replies"] += Availability.objects.filter(person__in=ids).delete()[0]
    for commitment in Commitment.objects.filter(witness__in=ids).select_related("circle"):
        _forget_witness(commitment)
    for person in persons:
        counts["letters"] += _erase_letters(person.email)
        _anonymise(person)
    for success in Success.objects.filter(thanked__in=ids).select_related("thanked", "commitment__circle"):
        _forget_thanked(success)
    return +counts


def _kept_ids(persons: Sequence[int]) -> set[str]:
    """What the circles' books keep of them, by which rooms were told of it."""
    kept = (Learning, Commitment, Situation)
    return {id_ for model in kept for id_ in model.objects.filter(person__in=persons).values_list("pk", flat=True)}


def _let_go(learnings: QuerySet[Learning], choice: Choice) -> int:
    return learnings.update(person=None) if choice.keep_learnings else learnings.delete()[0]


def _readable(kept: Commitment) -> dict[str, str]:
    try:
        return kept.words(kept.circle.key())
    except crypto.Unreadable:  # a key of the ring is missing: doctor says which
        return {}


def _forget_witness(commitment: Commitment) -> None:
    """A commitment of somebody else keeps that it has a witness, not who."""
    words = _readable(commitment)
    key = commitment.circle.key() if words else None
    if key and words.get("witness"):
        commitment.hold(key, words | {"witness": PEER})
    commitment.witness = None
    commitment.save(update_fields=["sealed", "witness"])


def _forget_thanked(success: Success) -> None:
    """A success of somebody else keeps that a peer is thanked; not who, nor what was said to them."""
    circle = success.commitment.circle
    try:
        key = circle.key()
    except crypto.Unreadable:  # a key of the ring is missing: doctor says which
        return
    if key and (words := success.words(key)):
        success.hold(key, {name: text for name, text in words.items() if name != "word"})
        success.save(update_fields=["sealed"])
        belongings.said_anew(circle.pk, success.pk, card(read([success])[0]))


def _anonymise(person: Person) -> None:
    """The row stays: turns, presences and signatures are counted by it. Nothing in it says who they were."""
    for membership in Membership.objects.filter(person=person):
        _out_of(membership)
    Role.objects.filter(person=person).delete()
    person.reports.update(manager=None)
    now = timezone.now()
    kept = {"pk": person.pk, "space": person.space, "created_at": person.created_at}
    Person(**kept, name=PEER, left_at=person.left_at or now, erased_at=now).save(force_update=True)


def leads_alone(user: User) -> list[Circle]:
    """The running circles that nobody would lead if this user went."""
    leading = Membership.objects.filter(role=Membership.FACILITATOR, joined_at__isnull=False, left_at=None)
    mine = leading.filter(person__user=user, circle__ended_at=None)
    others = leading.exclude(person__user=user).values("circle")
    return list(Circle.objects.filter(pk__in=mine.values("circle")).exclude(pk__in=others))


def _out_of(membership: Membership) -> None:
    try:
        members.leave(membership)
    except Refused:  # the last who leads: the circle's page asks for another
        Membership.objects.filter(pk=membership.pk).update(left_at=timezone.now())


def erase_account(user: User) -> Counter[str]:
    """The account, how one signs in to it, and its letters."""
    addresses = {user.email, *EmailAddress.objects.filter(user=user).values_list("email", flat=True)}
    sessions = list(UserSession.objects.filter(user=user).values_list("session_key", flat=True))
    counts = Counter(accounts=1, letters=sum(map(_erase_letters, sorted(addresses))))
    Session.objects.filter(session_key__in=sessions).delete()
    user.delete()  # and with it its addresses, passkeys, sessions and links
    return counts


def _erase_letters(address: str) -> int:
    if not address:
        return 0
    Wish.objects.filter(address__iexact=address).delete()
    Letter.objects.filter(reply_to__iexact=address).update(reply_to="")
    return Letter.objects.filter(to__iexact=address).delete()[0]
