"""The command line: ``python -m oldschool <command>``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from oldschool import paths
from oldschool.errors import ConfigError, DataError, StorageError, UserError
from oldschool.runs.provenance import one_blas_thread

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from oldschool.runs.config import Settings

INTERRUPTED = 130
SAMPLE = 1


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message} (see `python -m oldschool --help`)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        Exit code: 0, 1 (something failed), 2 (a wrong setting or argument), 130 (interrupted).
    """
    one_blas_thread()
    try:
        known, rest = _parser().parse_known_args(arguments)
        return int(known.command(known, rest))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"error: {error.filename or 'input or output'}: {error.strerror}", file=sys.stderr)
        return UserError.exit_code
    except KeyboardInterrupt:
        print(
            "interrupted: finished units are kept, the same command goes on from there",
            file=sys.stderr,
        )
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m oldschool", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command", parser_class=_Parser)

    run = commands.add_parser("run", help="run replications, collect their rows, write the report")
    run.add_argument("words", nargs="*", metavar="replication|key=value")
    run.add_argument("-m", "--multirun", action="store_true", help="sweep over listed values")
    run.set_defaults(command=_run)

    report = commands.add_parser("report", help="write the report again from collected rows")
    report.add_argument("--report-dir", type=Path, help="default: reports/")
    report.set_defaults(command=_report)

    verify = commands.add_parser("verify", help="check that a report is what its rows give")
    verify.add_argument("--report-dir", type=Path, help="default: reports/")
    verify.add_argument(
        "--sample", type=int, default=SAMPLE, help="units of each experiment to run again"
    )
    verify.set_defaults(command=_verify)

    cite = commands.add_parser("cite", help="a claim's number with all it takes to cite it")
    cite.add_argument("claim", nargs="?", help="its id, or some of its dotted parts")
    cite.set_defaults(command=_cite)

    listing = commands.add_parser("list", help="replications, their experiments and rows")
    listing.set_defaults(command=_list)

    data = commands.add_parser("data", help="get and check the data of all replications")
    data.set_defaults(command=_data)
    return parser


def _run(known: argparse.Namespace, rest: Sequence[str]) -> int:
    """Run the named replications (all, if none is named) with the given overrides."""
    from oldschool.runs import config, registry, results

    words = [*known.words, *rest]
    overrides = [word for word in words if "=" in word or word.startswith(("+", "~"))]
    names = [word for word in words if word not in overrides]
    for name in names:
        if name.startswith("-"):
            raise ConfigError(f"unknown option {name} (see `python -m oldschool run --help`)")
        if "." in name:
            raise ConfigError(f"cannot read {name!r}: write a setting as key=value")
    chosen = [registry.find(name) for name in names] or list(registry.replications().values())
    if known.multirun:
        for replication in chosen:
            for combination in config.combinations(overrides):
                config.settings(replication, combination)
        for replication in chosen:
            _sweep(replication.name, overrides)
        return 0
    for override in overrides:
        if config.is_launching(override):
            raise ConfigError(f"{override}: settings of Hydra itself need -m (multirun)")
    composed = [config.settings(replication, overrides) for replication in chosen]
    problems = []
    folders = [results.report_dir(settings, multirun=False) for settings in composed]
    for index, (settings, folder) in enumerate(zip(composed, folders, strict=True)):
        try:
            _run_one(settings, folder, reported_later=folder in folders[index + 1 :])
        except UserError as error:
            problems.append(error)
            print(f"error: {error}", file=sys.stderr)
    return problems[0].exit_code if problems else 0


def _run_one(settings: Settings, report_dir: Path, reported_later: bool = False) -> None:
    """Run a replication, then build the report: at once if rows may have changed, else once."""
    from oldschool.runs import launch
    from oldschool.runs.progress import Display

    name = settings.replication.name
    print(f"{name}: profile {settings.config.profile}, results in {paths.shown(report_dir)}")
    failure: UserError | None = None
    has_run = True
    try:
        has_run = launch.run(settings, report_dir, Display())
    except (launch.UnitsFailedError, DataError) as error:
        failure = error  # it does not keep the rest from being reported
    if settings.config.report and (has_run or not reported_later):
        _build(report_dir)
    if failure:
        raise failure


def _sweep(name: str, overrides: Sequence[str]) -> None:
    """Let Hydra's sweeper and launcher run every combination."""
    import hydra

    from oldschool.runs.config import VERSION_BASE
    from oldschool.runs.digest import canonical, text_digest

    record = paths.multirun() / f"{name}-{text_digest(canonical(list(overrides)))}"
    quoted = str(record).replace("\\", "\\\\").replace("'", "\\'")
    arguments = [
        *overrides,
        f"hydra.sweep.dir='{quoted}'",
        "hydra.sweep.subdir=.",
        "hydra.output_subdir=null",
        "hydra/job_logging=none",
        "hydra/hydra_logging=none",
        "--multirun",
    ]
    with _as_program(arguments):
        hydra.main(version_base=VERSION_BASE, config_path=str(paths.conf()), config_name=name)(
            run_combination
        )()


def run_combination(_: DictConfig) -> None:
    """One combination of a multirun; Hydra's launcher calls it, maybe in another process."""
    from hydra.core.hydra_config import HydraConfig

    from oldschool.runs import config, registry, results

    job = HydraConfig.get()
    replication = registry.find(str(job.job.config_name))
    settings = config.settings(replication, list(job.overrides.task))
    _run_one(settings, results.report_dir(settings, multirun=True))


@contextmanager
def _as_program(arguments: Sequence[str]) -> Iterator[None]:
    """Give ``hydra.main`` its command line, and let exceptions through it."""
    argv, full_error = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = [argv[0], *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = argv
        if full_error is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full_error


def _build(report_dir: Path) -> None:
    """Build the report; the last line printed says where it is."""
    from oldschool.report.build import build
    from oldschool.report.site.pages import INDEX
    from oldschool.runs import registry, results

    try:
        with results.writing(report_dir):
            build(report_dir, registry.replications().values())
    except OSError as error:
        raise StorageError(
            f"cannot write {paths.shown(Path(error.filename or report_dir))}: "
            f"{error.strerror or error}; the rows are kept: put it right, then "
            f"`python -m oldschool report`"
        ) from error
    print(f"report: {paths.shown(report_dir / INDEX)}", flush=True)


def _report(known: argparse.Namespace, rest: Sequence[str]) -> int:
    _refuse(rest)
    _build(known.report_dir or paths.reports())
    return 0


def _verify(known: argparse.Namespace, rest: Sequence[str]) -> int:
    _refuse(rest)
    from oldschool.report.verify import verify
    from oldschool.runs import registry

    problems = verify(known.report_dir or paths.reports(), registry.replications(), known.sample)
    for problem in problems:
        print(f"verify: {problem}", file=sys.stderr)
    if not problems:
        print("verify: the report is what its results give")
    return 1 if problems else 0


def _cite(known: argparse.Namespace, rest: Sequence[str]) -> int:
    _refuse(rest)
    from oldschool.report.cite import lookup

    print(lookup.text(paths.reports(), known.claim), end="")
    return 0


def _list(_: argparse.Namespace, rest: Sequence[str]) -> int:
    _refuse(rest)
    from oldschool.runs import registry

    for replication in registry.replications().values():
        print(f"{replication.name}: {replication.title} ({replication.citation})")
        for experiment in replication.experiments:
            print(f"  {experiment.name}: rows {', '.join(experiment.frames)}")
    return 0


def _data(_: argparse.Namespace, rest: Sequence[str]) -> int:
    _refuse([word for word in rest if not word.startswith("profile=")])
    from oldschool.runs import config, registry

    missing = 0
    for replication in registry.replications().values():
        settings = config.settings(replication, rest)
        for experiment in replication.experiments:
            title = f"{replication.name}/{experiment.name}"
            try:
                for name, sha256 in experiment.data(settings.config).items():
                    print(f"{title}: {name} sha256 {sha256}")
            except DataError as error:
                missing += 1
                print(f"{title}: not to be had: {error}", file=sys.stderr)
    if missing:
        what = "an experiment lacks" if missing == 1 else f"{missing} experiments lack"
        print(f"{what} data, see above: `make` leaves that out and runs the rest", file=sys.stderr)
    return 1 if missing else 0


def _refuse(rest: Sequence[str]) -> None:
    if rest:
        raise ConfigError(f"unknown argument {rest[0]} (see `python -m oldschool --help`)")
