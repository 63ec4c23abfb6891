"""What is sent, how often, and what becomes of what is not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest
from django.db import OperationalError, transaction
from django.utils import timezone

from cordee.mail import delivery, letters, outbox, roads
from cordee.mail.delivery import deliver
from cordee.mail.models import Letter
from tests.mail.every import EVERY, KARIM, MEETING, STARTS
from tests.mail.smtp import postbox

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon(monkeypatch) -> None:
    """No test depends on the hour at which it is run."""
    at(monkeypatch, datetime(2030, 1, 7, 12, tzinfo=UTC))


def at(monkeypatch, moment: datetime) -> None:
    monkeypatch.setattr(timezone, "now", lambda: moment)


def later(monkeypatch, **by: float) -> None:
    at(monkeypatch, timezone.now() + timedelta(**by))


def posted(*names: str, kind: str = "prepare") -> list[Letter]:
    for name in names:
        EVERY[kind](f"{kind}:{name}", replace(KARIM, address=f"{name}@example.org", name=name.title()))
    return [Letter.objects.get(key=f"{kind}:{name}") for name in names]


def fresh(letter: Letter) -> Letter:
    letter.refresh_from_db()
    return letter


def test_what_is_due_is_sent_over_one_connection(box):
    posted("karim", "claire", "marc")
    assert deliver() == {"sent": 3}
    assert sorted(box.reached) == ["claire@example.org", "karim@example.org", "marc@example.org"]
    assert box.connections == 1
    assert deliver() == {} and len(box.taken) == 3


def test_nothing_is_sent_before_its_date(box, monkeypatch):
    outbox.post("k", "prepare", KARIM, "s", "t", due_at=timezone.now() + timedelta(hours=2))
    assert deliver() == {} and box.connections == 0
    later(monkeypatch, hours=2)
    assert deliver() == {"sent": 1}


def test_without_a_road_letters_wait(settings):
    settings.MAIL = {"road": "none"}
    (letter,) = posted("karim")
    assert deliver() == {}
    assert fresh(letter).sent_at is None and letter.dead_at is None and letter.tries == 0


def test_a_refused_address_is_dead_at_once_and_the_others_leave(box):
    box.answers["claire@example.org"] = "550 5.1.1 no such user Claire is gone"
    karim, claire, marc = posted("karim", "claire", "marc")
    assert deliver() == {"sent": 2, "dead": 1}
    assert fresh(claire).dead_at and claire.error == "SMTPRecipientsRefused/550"
    assert fresh(karim).sent_at and fresh(marc).sent_at and box.connections == 1
    assert deliver() == {}


def test_refused_content_is_dead_at_once(box):
    box.answers["END"] = "554 5.7.1 we do not like it"
    (letter,) = posted("karim")
    assert deliver() == {"dead": 1}
    assert fresh(letter).error == "SMTPDataError/554"


def test_not_now_is_tried_again_less_and_less_often_and_then_it_is_dead(box, monkeypatch):
    box.answers["RCPT"] = "451 4.7.1 greylisted, come back"
    outbox.post("k", "x", KARIM, "s", "t", urgent=True)  # at night too
    letter = Letter.objects.get()
    pauses = []
    while deliver() == {"later": 1}:
        pauses.append(fresh(letter).due_at - timezone.now())
        at(monkeypatch, letter.due_at)
    assert [pause.total_seconds() / 60 for pause in pauses[:7]] == [0.5, 5, 30, 120, 480, 480, 480]
    assert fresh(letter).dead_at and letter.error == "SMTPRecipientsRefused/451"
    assert timedelta(days=4) <= timezone.now() - letter.created_at < timedelta(days=5)
    assert "greylisted" not in letter.error


@pytest.mark.parametrize(
    ("answer", "error"),
    [({"CONNECT": "554 go away"}, "SMTPConnectError/554"), ({"CONNECT": "drop"}, "SMTPServerDisconnected"),
     ({"MAIL": "550 not from you"}, "SMTPSenderRefused/550"),
     ({"EHLO": "421 busy", "HELO": "421 busy"}, "SMTPHeloError/421")],
)  # fmt: skip
def test_a_server_that_takes_nothing_costs_no_letter_a_try(box, answer, error):
    box.answers |= answer
    (letter, _other) = posted("karim", "claire")
    assert deliver()["blocked"] == 1
    assert fresh(letter).tries == 0 and letter.claimed_until is None and letter.dead_at is None
    assert letter.error == error
    box.answers.clear()
    assert deliver() == {"sent": 2}
    assert fresh(letter).error == ""


def test_no_server_at_all(settings):
    with postbox() as gone:
        settings.MAIL = gone.mail
    gone.server_close()
    (letter,) = posted("karim")
    assert deliver() == {"blocked": 1}
    assert fresh(letter).error == "ConnectionRefusedError" and letter.tries == 0


def test_a_wrong_password_is_the_operators_and_never_repeated(box, settings, caplog):
    box.answers |= {"EHLO": "250-test\r\n250 AUTH PLAIN", "AUTH": "535 5.7.8 s3cr3t is wrong"}
    settings.MAIL = box.mail | {"user": "cordee", "password": "s3cr3t"}
    (letter,) = posted("karim")
    assert deliver() == {"blocked": 1}
    assert fresh(letter).error == "SMTPAuthenticationError/535"
    assert "s3cr3t" not in caplog.text and "535" in caplog.text


@pytest.mark.parametrize("word", ["CONNECT", "MAIL", "RCPT", "DATA", "END"])
def test_a_server_that_hangs_does_not_keep_us(box, monkeypatch, word):
    monkeypatch.setattr(roads, "PATIENCE", 0.2)
    box.answers[word] = "hang"
    (letter,) = posted("karim")
    began = monotonic()
    outcome = deliver()
    assert monotonic() - began < 60  # it hangs for two minutes
    assert outcome in ({"blocked": 1}, {"later": 1})
    assert fresh(letter).claimed_until is None and letter.sent_at is None


def test_a_server_that_dies_in_mid_batch_is_called_again(box):
    box.drop_after = 1
    posted("karim", "claire", "marc")
    total = deliver()
    assert total["sent"] + total["later"] == 3 and total["later"] >= 1
    assert len(set(box.reached)) == len(box.reached) == total["sent"]


def test_who_died_between_claim_and_sending_is_replaced_after_the_claim(box, monkeypatch):
    (letter,) = posted("karim")
    assert delivery._claim(letter, timezone.now())
    assert deliver() == {} and not box.taken
    later(monkeypatch, minutes=4)
    assert deliver() == {}
    later(monkeypatch, minutes=2)
    assert deliver() == {"sent": 1} and box.reached == ["karim@example.org"]


def test_who_is_overtaken_does_not_claim(box):
    (letter,) = posted("karim")
    stale = Letter.objects.get(pk=letter.pk)
    assert delivery._claim(letter, timezone.now()) is True
    assert delivery._claim(stale, timezone.now()) is False


def test_what_came_twice_bears_one_name(box):
    (letter,) = posted("karim")
    deliver()
    Letter.objects.filter(pk=letter.pk).update(sent_at=None)
    deliver()
    first, second = box.letters
    assert first["Message-ID"] == second["Message-ID"] and "karim" not in first["Message-ID"]


@pytest.mark.parametrize("ahead", [timedelta(days=400), timedelta(hours=3)])
def test_a_clock_that_was_ahead_holds_nothing_back(box, monkeypatch, ahead):
    right = timezone.now()
    at(monkeypatch, right + ahead)
    (written,) = posted("karim")
    (claimed,) = posted("claire")
    delivery._claim(claimed, timezone.now())
    box.answers["marc@example.org"] = "451 later"
    at(monkeypatch, right)
    (tried,) = posted("marc")
    Letter.objects.filter(pk=tried.pk).update(tries=5, due_at=right + timedelta(days=400))
    box.answers.clear()
    assert deliver()["sent"] == 3
    assert fresh(written).sent_at and fresh(claimed).sent_at and fresh(tried).sent_at


def test_a_letter_that_is_of_no_use_any_more_does_not_leave(box, monkeypatch):
    (letter,) = posted("karim", kind="convocation")
    at(monkeypatch, STARTS + timedelta(days=1))
    assert deliver() == {"dead": 1}
    assert fresh(letter).error == "expired" and not box.taken


def test_no_address_is_dead_and_harms_nobody(box):
    for number, address in enumerate(["", "karim", "a@b@c\r\nBcc: x@y", "a b@example.org\n", "@", "x@" + "é" * 80]):
        outbox.post(f"k{number}", "x", replace(KARIM, address=address), "s", "t", urgent=True)
    outbox.post("good", "x", KARIM, "s", "t", urgent=True)
    deliver()
    assert Letter.objects.get(key="good").sent_at
    assert "karim@example.org" in box.reached and not any("Bcc" in line or "x@y" in line for line in box.heard)
    assert Letter.objects.filter(dead_at=None, sent_at=None).count() == 0


def test_an_accented_domain_is_reached(box):
    outbox.post("k", "x", replace(KARIM, address="karim@château.example"), "s", "t", urgent=True)
    assert deliver() == {"sent": 1} and box.reached == ["karim@xn--chteau-xta.example"]


# ---------------------------------------------------------------- at once


@pytest.mark.django_db(transaction=True)
def test_a_code_leaves_at_once_and_is_forgotten(box):
    letters.sign_in_code(KARIM, "K7Q-42M")
    assert "K7Q-42M" in str(box.letters[0])
    letter = Letter.objects.get()
    assert letter.sent_at and "K7Q" not in f"{letter.text}{letter.html}{letter.gist}{letter.subject}"


@pytest.mark.django_db(transaction=True)
def test_a_code_leaves_after_the_transaction_or_not_at_all(box):
    with pytest.raises(RuntimeError), transaction.atomic():
        letters.sign_in_code(KARIM, "K7Q-42M")
        assert not box.taken
        raise RuntimeError
    assert not box.taken and not Letter.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("answers", [{"CONNECT": "hang"}, {"END": "hang"}, {"RCPT": "451 later"}, {"CONNECT": "drop"}])
def test_a_page_does_not_wait_for_a_code_that_cannot_leave(box, monkeypatch, answers):
    monkeypatch.setattr(outbox, "AT_ONCE", 0.5)
    box.answers |= answers
    began = monotonic()
    letters.sign_in_code(KARIM, "K7Q-42M")
    assert monotonic() - began < 60  # it hangs for two minutes
    assert Letter.objects.get().sent_at is None
    box.answers.clear()
    later(monkeypatch, minutes=1)
    assert deliver() == {"sent": 1}


def test_without_a_road_a_code_waits_too(settings):
    settings.MAIL = {"road": "none"}
    letters.sign_in_code(KARIM, "K7Q-42M")
    assert Letter.objects.count() == 1


def test_a_database_that_stumbles_after_the_sending_is_asked_again(box, monkeypatch):
    (letter,) = posted("karim")
    stumbles = iter([True, True, False])
    told = delivery._note_sent

    def stumbling(*arguments):
        if next(stumbles):
            raise OperationalError
        return told(*arguments)

    monkeypatch.setattr(delivery, "_note_sent", stumbling)
    monkeypatch.setattr(delivery, "BREATH", 0.01)
    assert deliver() == {"sent": 1}
    assert fresh(letter).sent_at and len(box.taken) == 1


# ---------------------------------------------------------------- other roads


def test_into_a_folder(settings, tmp_path):
    settings.MAIL = {"road": "file", "folder": str(tmp_path / "out")}
    posted("karim", "claire")
    assert deliver() == {"sent": 2}
    files = list((tmp_path / "out").iterdir())
    assert len(files) == 2 and all(file.suffix == ".eml" and b"To: " in file.read_bytes() for file in files)


def test_a_folder_that_cannot_be_written_blocks(settings, tmp_path):
    (tmp_path / "out").write_text("a file")
    settings.MAIL = {"road": "file", "folder": str(tmp_path / "out")}
    (letter,) = posted("karim")
    assert deliver() == {"blocked": 1} and fresh(letter).tries == 0


def test_same_day_changes_pass_quiet_hours_others_wait_for_the_morning(box, monkeypatch):
    at(monkeypatch, STARTS - timedelta(hours=11))  # 22:30 in Paris, for 9:30
    letters.meeting_cancelled("soon", KARIM, **MEETING)
    letters.meeting_cancelled("far", KARIM, **{**MEETING, "starts_at": STARTS + timedelta(days=9),
                                                "ends_at": STARTS + timedelta(days=9, hours=1)})  # fmt: skip
    assert deliver() == {"sent": 1, "later": 1}
    assert Letter.objects.get(key="soon").sent_at
    assert Letter.objects.get(key="far").due_at == datetime(2030, 3, 5, 6, tzinfo=UTC)  # 7:00 in Paris
