from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordee.catalogue.tariff import RATES, read_tariff, with_vat


@pytest.mark.parametrize(
    ("written", "ht", "ttc", "rate"),
    [
        ("700 € HT soit 840 € TTC", "700.00", "840.00", "20"),
        ("1 250,50 € HT (1 500,60 € TTC)", "1250.50", "1500.60", "20"),
        ("1\u202f250,50\u00a0€ HT (1\u00a0500,60\u202f€ TTC)", "1250.50", "1500.60", "20"),
        ("7\u200b00 € HT soit 840 €\ufeff TTC", "700.00", "840.00", "20"),
        ("€700 HT / €840 TTC", "700.00", "840.00", "20"),
        ("1.250 € HT soit 1.500 € TTC", "1250.00", "1500.00", "20"),
        ("1.250,50 EUR HT soit 1,500.60 EUR TTC", "1250.50", "1500.60", "20"),
        ("HT : 700 € — TTC : 840 €", "700.00", "840.00", "20"),
        ("700 € H.T. / 840 € T.T.C. par personne", "700.00", "840.00", "20"),
        ("840 € TTC (700 € HT)", "700.00", "840.00", "20"),
        ("700 euros hors taxes soit 840 euros toutes taxes comprises", "700.00", "840.00", "20"),
        ("1000 € HT soit 1100 € TTC", "1000.00", "1100.00", "10"),
        ("1000 € HT soit 1085 € TTC", "1000.00", "1085.00", "8.5"),
        ("1000 € HT soit 1055 € TTC", "1000.00", "1055.00", "5.5"),
        ("1000 € HT soit 1021 € TTC", "1000.00", "1021.00", "2.1"),
        ("700 € HT soit 700 € TTC", "700.00", "700.00", "0"),
        ("33,33 € HT soit 40,00 € TTC", "33.33", "40.00", "20"),
        ("700 € HT, TVA 20 % en sus", "700.00", "840.00", "20"),
        ("700 € HT + TVA 8,5%", "700.00", "759.50", "8.5"),
        ("840 € TTC (TVA 20 %)", "700.00", "840.00", "20"),
        ("840 € TTC", None, "840.00", None),
        ("700 € HT", "700.00", None, None),
        ("2 280 HT", "2280.00", None, None),
        ("700 € net de taxe", "700.00", "700.00", "0"),
        ("700 € nets", "700.00", "700.00", "0"),
        ("700 €, exonéré de TVA", "700.00", "700.00", "0"),
        ("700 € HT (exonérée de TVA)", "700.00", "700.00", "0"),
        ("700 € TVA non applicable, art. 293 B du CGI", "700.00", "700.00", "0"),
        ("Gratuit", "0.00", "0.00", None),
        ("Sur devis", None, None, None),
        ("Tarif : sur demande.", None, None, None),
        ("", None, None, None),
    ],
)
def test_a_tariff_becomes_exact_prices(written, ht, ttc, rate):
    found = read_tariff(written)

    expected = tuple(None if n is None else Decimal(n) for n in (ht, ttc, rate))
    assert (found.ht, found.ttc, found.vat_rate) == expected


@pytest.mark.parametrize("written", ["700 € HT soit 840 € TTC", "Sur devis", "Gratuit", "700 € net de taxe", ""])
def test_a_tariff_fully_understood_reports_nothing(written):
    assert read_tariff(written).code == ""


@pytest.mark.parametrize(
    "written",
    [
        "à partir de 700 € HT",
        "700 € HT par jour",
        "700 € HT particuliers, 900 € HT entreprises",
        "700 à 900 € HT",
        "700 $ HT",
        "1,250 € HT",
        "1.2500 € HT",
        "700 € HT soit 840 € TTC, repas compris",
        "-10 % pour les membres",
        "<script>700 € HT</script>",
        "HT TTC",
        "prix libre",
    ],
)
def test_a_tariff_with_a_word_we_do_not_know_stays_unread(written):
    found = read_tariff(written)

    assert (found.ht, found.ttc, found.vat_rate, found.code) == (None, None, None, "tariff-unread")


@pytest.mark.parametrize("written", ["€700", "1.250 €", "700", "1 250 euros par personne"])
def test_an_amount_that_says_neither_ht_nor_ttc_is_not_guessed(written):
    found = read_tariff(written)

    assert (found.ht, found.ttc, found.code) == (None, None, "tariff-unlabelled")


@pytest.mark.parametrize(
    ("written", "ht", "ttc"),
    [
        ("700 € HT soit 850 € TTC", "700.00", "850.00"),
        ("700 € HT soit 840,01 € TTC", "700.00", "840.01"),
        ("833 € HT soit 1000 € TTC", "833.00", "1000.00"),
        ("700 € HT soit 840 € TTC (TVA 10 %)", "700.00", "840.00"),
        ("700 € HT (TVA 19,6 %)", "700.00", None),
    ],
)
def test_prices_that_disagree_are_both_kept_and_reported_as_an_error(written, ht, ttc):
    found = read_tariff(written)

    assert (found.ht, found.ttc) == (Decimal(ht), ttc and Decimal(ttc))
    assert (found.vat_rate, found.code, found.level) == (None, "tariff-inconsistent", "error")


def test_prices_that_fit_several_rates_leave_the_rate_unknown():
    assert read_tariff("0,01 € HT soit 0,01 € TTC").vat_rate is None


@settings(deadline=None)
@given(cents=st.integers(min_value=100, max_value=10**8), rate=st.sampled_from(RATES))
def test_a_tariff_we_write_is_read_back_to_the_cent(cents, rate):
    ht = Decimal(cents) / 100
    ttc = with_vat(ht, rate)

    def french(amount):
        return f"{amount:,.2f}".replace(",", "\u202f").replace(".", ",") + "\u00a0€"

    found = read_tariff(f"{french(ht)} HT soit {french(ttc)} TTC")

    assert (found.ht, found.ttc) == (ht, ttc)
    assert found.vat_rate in (rate, None)


@settings(deadline=None)
@given(st.text() | st.text(alphabet="0123456789 .,€HTC%()/sotvane½"))
def test_no_text_makes_reading_a_tariff_fail(written):
    found = read_tariff(written)

    if found.vat_rate is not None and found.ht is not None:
        assert found.ttc == with_vat(found.ht, found.vat_rate)
