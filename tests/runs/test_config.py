"""Settings: composed, typed, and every mistake one line with exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from oldschool import paths
from oldschool.cli import main
from oldschool.errors import ConfigError
from oldschool.runs import config, registry, results
from tests.conftest import Toy

FAST = ("report=false", "jobs=1")
REAL = list(registry.replications())

MISTAKES = {
    "profile=huge": ["profile=huge", "smoke, default, paper"],
    "toy/profile=huge": ["toy/profile=huge", "smoke, default, paper"],
    "profile=[smoke,default]": ["profile=[smoke,default]", "must be a name"],
    "draw.scal=2": ["unknown setting draw.scal", "did you mean draw.scale?"],
    "scale=2": ["unknown setting scale", "did you mean draw.scale?"],
    "+draw.scal=2": ["unknown setting draw.scal", "did you mean draw.scale?"],
    "++draw.scal=2": ["unknown setting draw.scal", "did you mean draw.scale?"],
    "+draw.scale=2": ["+draw.scale=2", "leave out the +"],
    "zzz=2": ["unknown setting zzz", "the settings are those of", "draw,"],
    "~draw.scale": ["~draw.scale", "cannot be removed"],
    "draw.scale=abc": ["draw.scale=abc", "must be a number"],
    "draw.replicates=1.5": ["draw.replicates=1.5", "must be a whole number"],
    "draw.replicates=null": ["draw.replicates", "must have a value"],
    "fit.torch=maybe": ["fit.torch=maybe", "must be true or false"],
    "draw.levels=abc": ["draw.levels", "must be a list"],
    "draw.levels=[a]": ["draw.levels[0]=a", "must be a number"],
    "draw=abc": ["draw is a group of settings"],
    "draw.scale=0": ["draw.scale=0.0", "must be above 0"],
    "draw.kind=odd": ["draw.kind=odd", "normal or uniform"],
    "seed=-1": ["seed=-1", "at least 0"],
    "threads=0": ["threads=0", "at least 1"],
    "jobs=0": ["jobs=0", "at least 1"],
    "report_dir=": ["report_dir=", "must be a folder"],
    "draw.levels=[1": ["draw.levels: the value '[1' cannot be read", "bracket"],
    "draw.scale 2": ["cannot read 'draw.scale 2'", "key=value"],
    "draw.scale": ["cannot read 'draw.scale'", "key=value"],
    "+draw.scale": ["cannot read '+draw.scale'", "key=value"],
    "=3": ["=3"],
    "draw.scale=1,2": ["draw.scale=1,2", "-m"],
    "hydra/launcher=joblib": ["hydra/launcher=joblib", "-m"],
    "--fast": ["unknown option --fast"],
    "toi": ["unknown replication 'toi'", "did you mean toy?"],
}


@pytest.mark.parametrize("word", MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(
    word: str, toy_here: Toy, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "toy", *FAST, word]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    for part in MISTAKES[word]:
        assert part in said.err
    assert not (toy_here.root / "runs").exists()


@pytest.mark.parametrize("words", [[], ["rum"], ["list", "x"], ["report", "--sample=1"]])
def test_a_wrong_command_is_one_line_and_exit_code_2(
    words: list[str], toy_here: Toy, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_mistake_in_a_file_is_one_line_and_exit_code_2(
    toy_here: Toy, capsys: pytest.CaptureFixture[str]
) -> None:
    (toy_here.root / "conf" / "toy" / "fit.yaml").write_text("shifft: 1\n")
    assert main(["run", "toy", *FAST]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "toy/fit" in said
    assert "shifft" in said


def test_outside_a_checkout_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OLDSCHOOL_ROOT", str(tmp_path))
    assert main(["list"]) == 1
    assert "has no conf/ and replications/" in capsys.readouterr().err


def test_profile_then_override(toy_here: Toy) -> None:
    toy = registry.find("toy")
    assert config.settings(toy).config.draw.replicates == 12
    assert config.settings(toy, ["profile=smoke"]).config.draw.replicates == 6
    both = config.settings(toy, ["draw.replicates=5", "profile=smoke"])
    assert both.config.draw.replicates == 5
    assert both.config.profile == "smoke"
    assert both.config.fit.shift == 0.5  # from conf/toy/fit.yaml, not the dataclass
    assert type(both.config.fit).__name__ == "Fit"


def test_every_element_of_a_list_can_be_set(toy_here: Toy) -> None:
    toy = registry.find("toy")
    assert config.settings(toy, ["draw.levels=[1,2]"]).config.draw.levels == [1.0, 2.0]


@pytest.mark.parametrize(
    "value",
    [1, -2.5, 1e-6, 3e20, True, None, "plain", "true", "null", "1e-6", "", "a b", "it's, [x]=\\",
     [1, "b c", None], [], {"a": [1.5], "b": "c:d"}],
)  # fmt: skip
def test_a_value_written_as_an_override_is_read_back(value: object) -> None:
    (read,) = OverridesParser.create().parse_overrides([config.override("a.b", value)])
    assert read.key_or_group == "a.b"
    assert read.value() == value
    assert type(read.value()) is type(value)


def test_combinations_are_those_of_hydra() -> None:
    assert config.combinations(["a.b=1,2", "c=[1,2]", "d=choice(x,y)", "e=range(0,2)"]) == [
        [f"a.b={b}", "c=[1,2]", f"d={d}", f"e={e}"] for b in (1, 2) for d in "xy" for e in (0, 1)
    ]
    with pytest.raises(ConfigError, match="needs a list"):
        config.combinations(["a=interval(0,1)"])


def test_where_results_go(toy_here: Toy) -> None:
    def where(*overrides: str, multirun: bool = False) -> str:
        settings = config.settings(registry.find("toy"), overrides)
        return paths.shown(results.report_dir(settings, multirun))

    assert where() == where("profile=paper") == where("jobs=3", "threads=2") == "reports"
    assert where("draw.scale=1.0") == "reports"  # what it is anyway
    assert where("profile=smoke") == "runs/reports/smoke"
    other = where("draw.scale=2")
    assert other.startswith("runs/reports/default-")
    assert where("profile=default", "draw.scale=2.0") == other
    assert len({where("seed=1"), where("seed=2"), where("draw.replicates=5"), other}) == 4
    assert where("profile=paper", "draw.scale=2").startswith("runs/reports/paper-")
    assert where("toy/profile=smoke").startswith("runs/reports/default-")
    assert where("report_dir=here", "draw.scale=2") == "here"
    assert where("report_dir=here", "draw.scale=2", multirun=True).startswith("here/default-")


def test_every_run_saves_its_resolved_settings(toy_here: Toy) -> None:
    for _ in range(2):
        assert main(["run", "toy", "draw.scale=2", *FAST]) == 0
    assert main(["run", "toy", "draw.scale=3", *FAST]) == 0
    saved = [
        yaml.safe_load(file.read_text()) for file in (toy_here.root / "runs/configs").iterdir()
    ]
    assert sorted(values["draw"]["scale"] for values in saved) == [2.0, 3.0]
    assert all(values["fit"] == {"shift": 0.5, "torch": False} for values in saved)


def test_multirun_runs_every_combination_in_a_folder_of_its_own(toy: Toy) -> None:
    before = {path.name for path in toy.root.iterdir()}
    done = toy.call("run", "toy", "-m", "profile=smoke", "draw.scale=2,3", *FAST)
    assert done.returncode == 0, done.stderr
    folders = sorted((toy.root / "runs/reports").glob("smoke-*"))
    scales = set()
    for folder in folders:
        (manifest,) = folder.glob("results/toy/draw.manifest.json")
        scales.add(yaml.safe_load(manifest.read_text())["settings"]["draw"]["scale"])
    assert scales == {2.0, 3.0}
    assert {path.name for path in toy.root.iterdir()} - before == {"runs", "log"}


def test_multirun_with_the_joblib_launcher(toy: Toy) -> None:
    words = ("-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "profile=smoke", "seed=0,1")
    done = toy.call("run", "toy", *words, *FAST)
    assert done.returncode == 0, done.stderr
    assert len(list((toy.root / "runs/reports").glob("smoke*/results/toy/draws.csv"))) == 2


def test_the_joblib_launcher_gives_the_rows_of_one_worker(toy: Toy) -> None:
    words = ("run", "toy", "-m", "fit.torch=true", "seed=0,1", *FAST)
    launched = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "report_dir=two")
    for how in (("report_dir=one",), launched):
        done = toy.call(*words, *how)
        assert done.returncode == 0, done.stderr
        (toy.root / "runs" / "store").rename(toy.root / f"store-{how[-1]}")
    one, two = (
        {file.relative_to(toy.root / name): file.read_bytes() for file in files}
        for name in ("one", "two")
        if (files := sorted((toy.root / name).rglob("*.csv")))
    )
    assert one == two
    assert len(one) == 6  # three frames for each of two seeds


def test_a_process_of_the_joblib_launcher_can_start_workers(toy: Toy) -> None:
    words = ("-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "profile=smoke", "seed=0,1")
    done = toy.call("run", "toy", *words, "report=false", "jobs=2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert len(toy.runs_of_units()) == 12


def test_multirun_is_checked_before_anything_is_run(
    toy_here: Toy, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "toy", "-m", "draw.scale=1,-2", *FAST]) == 2
    assert capsys.readouterr().err == "error: draw.scale=-2.0: must be above 0\n"
    assert main(["run", "toy", "-m", "hydra/launcher=none", "draw.scale=1,2", *FAST]) == 2
    assert "hydra/launcher=none: must be one of basic, joblib" in capsys.readouterr().err
    assert toy_here.runs_of_units() == []


def test_a_failed_combination_fails_the_multirun_and_not_the_others(toy: Toy) -> None:
    done = toy.call("run", "toy", "-m", "profile=smoke", "draw.fail=0,null", *FAST)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "asked to fail" in done.stderr
    assert (toy.root / "runs/reports/smoke/results/toy/draws.csv").is_file()


@pytest.mark.parametrize("profile", config.PROFILES)
@pytest.mark.parametrize("name", REAL)
def test_every_replication_composes_in_every_profile(name: str, profile: str) -> None:
    settings = config.settings(registry.find(name), [f"profile={profile}"])
    assert settings.config.profile == profile
    assert settings.what_if == {}
    for node, schema in settings.replication.schema.items():
        assert isinstance(getattr(settings.config, node), schema)


def test_every_replication_has_its_primary_configuration() -> None:
    for name in REAL:
        assert (paths.conf() / f"{name}.yaml").is_file()


@pytest.mark.parametrize("profile", config.PROFILES)
@pytest.mark.parametrize("name", REAL)
def test_the_file_that_declares_a_setting_is_the_one_that_decides_it(
    name: str, profile: str
) -> None:
    replication = registry.find(name)
    composed = config.settings(replication, [f"profile={profile}"])
    files = config.sources(replication, profile)
    assert paths.conf() / name / "profile" / f"{profile}.yaml" in [file for _, file in files]
    nodes = {node: file for node, file in files if node}
    for node in replication.schema:
        default = replication.schema[node]()
        for setting, value in composed.values[node].items():
            file = config.declared_in(files, f"{node}.{setting}")
            if file is None:
                assert getattr(default, setting) == getattr(getattr(composed.config, node), setting)
                continue
            said = yaml.safe_load(file.read_text())
            said = (said if file == nodes.get(node) else said[node])[setting]
            # A file may give a part of a group of settings.
            assert value == (value | said if isinstance(said, dict) else said)


def test_a_setting_that_no_file_declares_has_no_file() -> None:
    files = config.sources(registry.find("obs"), "default")
    assert config.declared_in(files, "monks.alphas") is None
    assert config.declared_in(files, "xor") is not None
    assert config.declared_in(files, "xor.training.rate") == paths.conf() / "obs/xor.yaml"
    assert config.declared_in(files, "xor.starts") == paths.conf() / "obs/profile/default.yaml"


def test_a_file_of_conf_that_cannot_be_read_is_one_line(toy_here: Toy) -> None:
    toy = registry.find("toy")
    file = toy_here.root / "conf/toy.yaml"
    file.write_text("- a\n")
    with pytest.raises(ConfigError, match=r"^conf/toy.yaml is no mapping in YAML$"):
        config.sources(toy, "default")
    file.unlink()
    with pytest.raises(ConfigError, match=r"^cannot read conf/toy.yaml: No such file"):
        config.sources(toy, "default")
