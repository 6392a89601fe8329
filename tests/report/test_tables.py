"""Numbers as text, and one table in three forms."""

import pandas as pd
import pytest

from oldschool.report.tables import fmt, render


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((14.2345,), "14.2"),
        ((14.0,), "14"),
        ((1234.5,), "1234"),
        ((0.00123456,), "0.00123"),
        ((1.23e-9,), "1.23e-09"),
        ((0.0,), "0"),
        ((float("nan"),), "-"),
        ((float("inf"),), "inf"),
        ((14.2345, 13.81, 14.72), "14.23 [13.81, 14.72]"),
        ((95.0, 90.2, 97.5), "95.0 [90.2, 97.5]"),
        ((950.0, 902.2, 975.1), "950 [902, 975]"),
        ((14.0, 14.0, 15.0), "14 [14, 15]"),
        ((0.5, 0.5, 0.5), "0.500 [0.500, 0.500]"),
        ((-0.001, -0.02, 0.018), "-0.001 [-0.020, 0.018]"),
    ],
)
def test_fmt(numbers: tuple[float, ...], text: str) -> None:
    assert fmt(*numbers) == text


TABLE = pd.DataFrame(
    {
        "method": ["OBS", "a|b_c & 50 %"],
        "nets": [500, 20],
        "share": [0.1234567, float("nan")],
        "kept": [True, False],
    }
)


def test_csv_and_markdown() -> None:
    texts = render(TABLE, "Two methods", "obs-two")
    assert texts["csv"] == (
        "method,nets,share,kept\nOBS,500,0.123457,true\na|b_c & 50 %,20,,false\n"
    )
    assert texts["md"] == (
        "| method        |   nets |    share | kept   |\n"
        "|:--------------|-------:|---------:|:-------|\n"
        "| OBS           |    500 | 0.123457 | true   |\n"
        "| a\\|b_c & 50 % |     20 |          | false  |\n"
    )


def test_latex_is_booktabs_and_escaped() -> None:
    text = render(TABLE, "Two methods, 5 % & more", "obs-two")["tex"]
    for part in (
        r"\toprule", r"\midrule", r"\bottomrule", r"\begin{tabular}{lrrl}",
        r"\caption{Two methods, 5 \% \& more}", r"\label{tab:obs-two}",
        r"a\textbar{}b\_c \& 50 \%",
    ):  # fmt: skip
        assert part in text


def test_signs_that_latex_fonts_lack_become_commands() -> None:
    text = render(pd.DataFrame({"H \u2265 1": ["5 \u00b1 1"]}), "", "x")["tex"]
    assert r"H \ensuremath{\geq} 1" in text and r"5 \ensuremath{\pm} 1" in text
    assert text.isascii()


def test_an_empty_table_still_has_its_columns() -> None:
    texts = render(TABLE.iloc[:0], "None", "none")
    assert texts["csv"] == "method,nets,share,kept\n"
    assert "method" in texts["md"] and r"\toprule" in texts["tex"]
