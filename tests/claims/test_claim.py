"""claims.yaml is read strictly: what is wrong is one line that names file and claim."""

from pathlib import Path

import pytest

from oldschool.claims.claim import Claim, load_claims
from oldschool.errors import ConfigError

GOOD = """
- id: p.weights
  where: Table 1
  what: weights left
  kind: equivalence
  paper_value: 14
  unit: weights
  rounding: 0.5
  margin: 2
  margin_reason: a tenth of the reduction
  profile: default
  frames: [pruned]
- id: p.order
  where: abstract
  what: fewer than the other method
  kind: ordering
  paper_value: A < B
  region: [0, null]
  margin_reason: the sign of the difference
  open: true
  profile: smoke
- id: p.lost
  where: Table 2
  what: on the lost tape
  kind: equivalence
  paper_value: 0.5
  profile: paper
  not_run: the tape is lost
"""


def write(folder: Path, text: str) -> Path:
    paper = folder / "who1990_what"
    paper.mkdir()
    (paper / "claims.yaml").write_text(text)
    return paper


def test_a_good_file_keeps_order_and_types(tmp_path: Path) -> None:
    first, second, third = load_claims(write(tmp_path, GOOD))
    assert first == Claim(
        "p.weights", "Table 1", "weights left", "equivalence", 14.0, "default", "weights",
        0.5, 2.0, "a tenth of the reduction", frames=("pruned",),
    )  # fmt: skip
    assert str(first.acceptance()) == "between 11.5 and 16.5"
    assert second.paper_value == "A < B" and str(second.acceptance()) == "> 0"
    assert third.not_run == "the tape is lost"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("unit: weights", "units: weights", "p.weights: unknown key units"),
        ("  margin_reason: a tenth of the reduction\n", "", "margin_reason is missing"),
        ("id: p.order", "id: p.weights", "p.weights: the id is used twice"),
        ("  where: abstract\n", "", "p.order: missing where"),
        ("id: p.order", "id: ''", "claim 2: missing id"),
        ("paper_value: 14", "paper_value: 6.5e6", "must be a number, not '6.5e6'"),
        ("margin: 2", "margin: -2", "must not be negative"),
        ("margin: 2", "margin: true", "margin must be a number, not True"),
        ("margin: 2\n", "rounding: 2\n", "key 'rounding' stands twice"),
        ("margin: 2", "margin: null", "kind equivalence needs a margin"),
        ("kind: ordering", "kind: sorting", "kind 'sorting' is none of"),
        ("profile: smoke", "profile: tiny", "profile 'tiny' is none of"),
        ("region: [0, null]", "region: [0]", r"region must be \[low, high\]"),
        ("region: [0, null]", "region: [null, null]", "accepts anything"),
        ("region: [0, null]", "region: [2, 1]", "is empty"),
        ("  region: [0, null]\n", "", "open belongs to a region"),
        ("  open: true\n", "  null_value: 5\n", "null_value lies inside"),
        ("frames: [pruned]", "frames: pruned", "frames must be a list"),
        ("what: on the lost tape", "what: 5", "what must be text"),
        ("- id: p.order", "- [p.order]\n- id: p.order", "claim 2: must be a mapping"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_claim(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(ConfigError, match=message) as caught:
        load_claims(write(tmp_path, GOOD.replace(old, new)))
    text = str(caught.value)
    assert text.startswith("who1990_what/claims.yaml: ") and "\n" not in text


@pytest.mark.parametrize(
    ("text", "message"),
    [("id: p.a", "must be a list of claims"), ("- id: [", "expected"), ("", "must be a list")],
)
def test_a_file_that_is_no_list_of_claims_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load_claims(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"claims\.yaml: cannot be read: No such file"):
        load_claims(tmp_path)


def test_a_claim_that_will_not_be_run_needs_no_region(tmp_path: Path) -> None:
    lost = load_claims(write(tmp_path, GOOD))[2]
    with pytest.raises(ValueError, match=r"p\.lost fixes no acceptance region"):
        lost.acceptance()
