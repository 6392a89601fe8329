"""``results.tex``, a macro for every number of every claim, and the scoreboards as tables."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from oldschool.claims.assess import Judged, paper_value
from oldschool.errors import ConfigError
from oldschool.report.cite.citation import Citation
from oldschool.report.tables import escape

_HEAD = r"""% The numbers of every claim, made by `make report`. After \input of this file,
%   \oldschool{<id>}{<key>}
% is a number or text of the claim <id> of claims.csv; <key> is one of
%   value, interval, n    ours, with its 90 % interval and the replicates behind it
%   paper, unit, verdict  the paper's value, the unit of both, what became of the claim
% The same for ours by name: \<name>Value, \<name>Interval and \<name>N, <name> being
% the second argument below. It expands, so it may stand in \num, \edef or a caption. An unknown
% id or key is an error, and so is a number of a claim that was not run, whose verdict says so.

\newcommand*{\oldschool}[2]{%
  \ifcsname oldschool:\detokenize{#1}:\detokenize{#2}\endcsname
    \csname oldschool:\detokenize{#1}:\detokenize{#2}\endcsname
  \else
    \oldschoolunknown{#1}{#2}%
  \fi}
\DeclareRobustCommand*{\oldschoolunknown}[2]{%
  \ifcsname oldschool:\detokenize{#1}:verdict\endcsname
    \PackageError{oldschool}{No key `\detokenize{#2}' of a claim}{%
      The keys are value, interval, n, paper, unit and verdict.}%
  \else
    \PackageError{oldschool}{No claim `\detokenize{#1}'}{The ids are those of claims.csv.}%
  \fi}
\DeclareRobustCommand*{\oldschoolnotrun}[2]{%
  \PackageError{oldschool}{Claim `\detokenize{#1}' was not run: it has no #2}{%
    Its line of claims.csv says why.}}
\newcommand*{\oldschoolset}[3]{%
  \expandafter\def\csname oldschool:\detokenize{#1}:#2\endcsname{#3}}
\newcommand*{\oldschoolclaim}[8]{% id, name, value, interval, n, paper, unit, verdict
  \oldschoolset{#1}{value}{#3}%
  \oldschoolset{#1}{interval}{#4}%
  \oldschoolset{#1}{n}{#5}%
  \oldschoolset{#1}{paper}{#6}%
  \oldschoolset{#1}{unit}{#7}%
  \oldschoolset{#1}{verdict}{#8}%
  \expandafter\def\csname #2Value\endcsname{\oldschool{#1}{value}}%
  \expandafter\def\csname #2Interval\endcsname{\oldschool{#1}{interval}}%
  \expandafter\def\csname #2N\endcsname{\oldschool{#1}{n}}}

"""

_WIDE = r">{\raggedright\arraybackslash}p{%s\linewidth}"
_COLUMNS = "".join(
    ["@{}", _WIDE % 0.17, _WIDE % 0.23, _WIDE % 0.1, "rlr", _WIDE % 0.1, "@{}"]
)  # fmt: skip
_TITLES = ["id", "claim", "paper", "ours", r"90 \% interval", "n", "verdict"]
_TABLE_HEAD = r"""% Needs booktabs, longtable and array; breaks across pages, so not for a float.
\begingroup
\footnotesize
\setlength{\tabcolsep}{3pt}
"""


def macros(citations: Sequence[Citation]) -> str:
    """``results.tex``, ASCII where the claims are.

    Raises:
        ConfigError: two claims would have macros of the same name.
    """
    named: dict[str, str] = {}
    for one in citations:
        other = named.setdefault(one.macro, one.id)
        if other != one.id:
            raise ConfigError(
                f"claims {other} and {one.id} both have the LaTeX macro \\{one.macro}Value: "
                "change an id in claims.yaml"
            )
    return _HEAD + "".join(map(_definition, citations))


def _definition(one: Citation) -> str:
    claim = one.judged.claim
    value, interval = one.judged.printed()
    ours = [value, interval, one.n]
    if not one.n:
        ours = [rf"\oldschoolnotrun{{{one.id}}}{{{key}}}" for key in ("value", "interval", "n")]
    theirs = map(escape, (paper_value(claim), claim.unit, one.judged.verdict.word))
    arguments = [one.id, one.macro, *ours, *theirs]
    return "".join(["\\oldschoolclaim", *(f"{{{argument}}}" for argument in arguments), "\n"])


def scoreboard(judged: Sequence[Judged]) -> str:
    """The claims of one paper as a ``longtable`` of as many pages as it takes."""
    table = pd.DataFrame(map(_line, judged), columns=_TITLES)
    body = table.style.hide(axis="index").to_latex(
        environment="longtable", hrules=True, column_format=_COLUMNS
    )
    return f"{_TABLE_HEAD}{body}\\endgroup\n"


def _line(one: Judged) -> list[str]:
    claim = one.claim
    value, interval = one.printed()
    n = one.row()["n"]
    return [
        re.sub(r"(\.|\\_)", r"\1\\allowbreak{}", escape(claim.id)),
        escape(f"{claim.what} [{claim.unit}]" if claim.unit else claim.what),
        escape(paper_value(claim)).replace(",", r",\allowbreak{}"),
        _minus(value),
        _minus(interval),
        n,
        one.verdict.word,
    ]


def _minus(number: str) -> str:
    return number.replace("-", r"\ensuremath{-}")
