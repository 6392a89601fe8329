"""Convolutional and pretrained nets of the dropout replication, on a few images of noise."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import pandas as pd
import pytest
import torch

from oldschool.data.images import ImageSet
from oldschool.dropout.modules import BernoulliDropout, GaussianDropout
from oldschool.dropout.rbm_stack import stack_of_rbms
from oldschool.errors import ConfigError, UnavailableError
from oldschool.runs import checkpoint
from oldschool.runs.config import DataConfig
from oldschool.runs.experiment import Unit
from oldschool.runs.seeds import Seeds
from replications.srivastava2014_dropout import (
    convnet,
    convolutions,
    cost,
    pictures,
    pretraining,
    training,
)
from replications.srivastava2014_dropout.digits import Digits
from replications.srivastava2014_dropout.settings import (
    ArchitecturesSettings,
    ConvnetSettings,
    DatasetSizeSettings,
    FeaturesSettings,
    GaussianSettings,
    MonteCarloSettings,
    PretrainingSettings,
    RateSettings,
    RbmSettings,
    RecipeSettings,
    RegularizersSettings,
    ScheduleConfig,
)
from tests.problems import generator
from tests.replications.configs import Settings

CPU = torch.device("cpu")
CONVNETS = ConvnetSettings(
    nets=1, maps=[12, 16, 24], units=48, updates=200, batch=20, rate=0.02, max_norm=3.0
)
DEEP = PretrainingSettings(
    nets=2, sizes=[30, 20], epochs=8, rate=0.1, updates=300, finetuning=ScheduleConfig(rate=0.2)
)
CONFIG = Settings(
    data=DataConfig(),
    recipe=RecipeSettings(digits=200, batch=20, keep_input=0.9, keep=0.8, device="cpu"),
    convnet=CONVNETS,
    pretraining=DEEP,
)
EMPTY = Settings(
    data=DataConfig(), recipe=CONFIG.recipe,
    convnet=ConvnetSettings(nets=0), pretraining=PretrainingSettings(nets=0),
)  # fmt: skip
CLASSES = 10
MEASURED = ["test_wrong", "test_error", "train_error", "diverged"]


def images(train: int = 240, test: int = 100, seed: int = 5) -> ImageSet:
    """Bytes: of each class a smooth pattern of its own, and noise."""
    draw = generator(seed)
    coarse = torch.rand(CLASSES, 3, 4, 4, generator=draw)
    patterns = torch.nn.functional.interpolate(coarse, size=32, mode="bilinear")

    def drawn(count: int) -> tuple[torch.Tensor, torch.Tensor]:
        y = torch.arange(count) % CLASSES
        noise = torch.rand(count, 3, 32, 32, generator=draw)
        return (255 * (0.6 * patterns[y] + 0.4 * noise)).to(torch.uint8), y

    return ImageSet(*drawn(train), *drawn(test))


@cache
def seen(name: str) -> pictures.Pictures:
    if name == "svhn":
        return pictures.standardised(images(), CPU)
    return pictures.whitened(images(), 1e-4, CPU)


@cache
def some_digits() -> Digits:
    draw = generator(3)
    patterns = torch.rand(CLASSES, 784, generator=draw) < 0.15

    def drawn(count: int) -> tuple[torch.Tensor, torch.Tensor]:
        y = torch.randint(CLASSES, (count,), generator=draw)
        flipped = torch.rand(count, 784, generator=draw) < 0.05
        return (patterns[y] ^ flipped).float(), y

    return Digits(*drawn(400), *drawn(300))


@pytest.fixture(autouse=True)
def data(monkeypatch):
    monkeypatch.setattr(convnet, "pictures", lambda config, name, device: seen(name))
    monkeypatch.setattr(pretraining, "digits", lambda config, device="cpu": some_digits())


def net_of(way: str, settings: ConvnetSettings = CONVNETS) -> torch.nn.Sequential:
    return convolutions.convnet(settings, CLASSES, way, generator(1), generator(2))


def training_of(way: str, settings: ConvnetSettings = CONVNETS) -> convolutions.Training:
    noise = generator(2)
    net = convolutions.convnet(settings, CLASSES, way, generator(1), noise)
    return convolutions.Training(net, seen("svhn"), settings, 3, noise, 1.0)


# --- plans and data ------------------------------------------------------------------------------


def test_without_nets_there_are_no_units_and_no_data_are_asked_for(monkeypatch):
    monkeypatch.setattr(pictures, "hashes", lambda *_: pytest.fail("asked for data"))
    assert convnet.CONVNET.plan(EMPTY, {}) == []
    assert pretraining.PRETRAINING.plan(EMPTY, {}) == []
    assert convnet.CONVNET.data(EMPTY) == {}


def test_all_rows_of_the_tables_are_planned():
    units = convnet.plan(CONFIG, {})
    found = {(unit.condition["data"], unit.condition["way"]) for unit in units}
    common = ("none", "fully_connected", "everywhere")
    tables = {(name, way) for name in ("svhn", "cifar10", "cifar100") for way in common}
    assert found == tables | {("cifar10", "gaussian")}
    assert len(units) == len(found)
    two = replace(CONVNETS, nets=2, sets=["svhn"])
    units = convnet.plan(Settings(convnet=two), {})
    assert [unit.start for unit in units] == [0, 1] * 3
    assert all(len(unit.replicates) == 1 for unit in units)


def test_missing_images_are_one_line(monkeypatch, tmp_path):
    def missing(source, folder):
        raise UnavailableError(f"{source.name} cannot be had", f" ({folder}): get it")

    monkeypatch.setattr("oldschool.data.source.find", missing)
    config = Settings(data=DataConfig(str(tmp_path)), convnet=replace(CONVNETS, sets=["cifar100"]))
    with pytest.raises(UnavailableError) as error:
        convnet.CONVNET.data(config)
    assert str(error.value) == f"cifar-100-python.tar.gz cannot be had ({tmp_path}): get it"


def test_hashes_are_those_of_the_sets_in_use(monkeypatch):
    monkeypatch.setattr("oldschool.data.source.find", lambda source, folder: folder)
    config = Settings(data=DataConfig(), convnet=replace(CONVNETS, sets=["cifar10", "svhn"]))
    assert set(convnet.CONVNET.data(config)) == {
        "cifar-10-python.tar.gz", "train_32x32.mat", "test_32x32.mat", "extra_32x32.mat"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["input_rate", "zca_floor", "rate_tau", "max_norm"])
def test_settings_out_of_range(name):
    with pytest.raises(ConfigError, match=f"convnet.{name}=0.0: must be above 0"):
        ConvnetSettings(**{name: 0.0})
    with pytest.raises(ConfigError, match=r"pretraining.finetuning.rate=0.0: must be above 0"):
        PretrainingSettings(finetuning=ScheduleConfig(rate=0.0))


# --- preprocessing -------------------------------------------------------------------------------


def test_street_view_digits_have_mean_0_and_variance_1_in_each_channel():
    found = seen("svhn")
    assert found.train_x.dtype == torch.uint8
    levels = found.inputs(found.train_x).transpose(0, 1).flatten(1).double()
    torch.testing.assert_close(levels.mean(1), torch.zeros(3).double(), atol=1e-5, rtol=0)
    torch.testing.assert_close(levels.std(1), torch.ones(3).double(), atol=1e-4, rtol=0)
    assert torch.equal(found.inputs(found.test_x), (found.test_x - found.mean) / found.sd)


def test_standard_and_extra_street_view_digits_are_one_training_set(monkeypatch):
    parts = [images(20, 10, seed) for seed in (1, 2)]
    standard = parts[0]
    whole = pictures.svhn.Svhn(
        standard.train_x, standard.train_y, standard.test_x, standard.test_y,
        parts[1].train_x, parts[1].train_y,
    )  # fmt: skip
    monkeypatch.setattr(pictures.svhn, "svhn", lambda folder: whole)
    pictures._pictures.cache_clear()
    found = pictures.pictures(CONFIG, "svhn", CPU)
    pictures._pictures.cache_clear()
    assert torch.equal(found.train_x, torch.cat([part.train_x for part in parts]))
    assert torch.equal(found.train_y, torch.cat([part.train_y for part in parts]))
    assert torch.equal(found.test_x, standard.test_x)


def test_photographs_are_centred_channel_by_channel_then_whitened():
    raw, found = images(), seen("cifar10")
    # A channel's mean is not seen.
    brighter = raw.train_x.float()
    brighter[:, 1] += 40
    torch.testing.assert_close(
        pictures._centred(brighter), pictures._centred(raw.train_x), atol=1e-3, rtol=0
    )
    # 240 images span as many directions but one, and in these they are white.
    flat = found.train_x.flatten(1).double()
    spectrum = torch.linalg.eigvalsh(flat @ flat.mT / len(flat))
    assert int((spectrum > 0.9).sum()) == 239
    assert float(spectrum.max()) < 1.0001
    assert abs(float(flat.mean())) < 1e-6


# --- the net -------------------------------------------------------------------------------------


def test_the_net_is_that_of_the_appendix():
    net = convolutions.convnet(ConvnetSettings(), 10, "everywhere", generator(1), generator(2))
    parts = [part for part in net if hasattr(part, "weight")]
    assert [tuple(part.weight.shape) for part in parts] == [
        (96, 3, 5, 5), (128, 96, 5, 5), (256, 128, 5, 5), (2048, 4096), (2048, 2048), (10, 2048)
    ]  # fmt: skip
    for part in parts:
        fan_in = part.weight[0].numel()
        assert float(part.weight.detach().std()) == pytest.approx((2 / fan_in) ** 0.5, rel=0.02)
        assert not part.bias.any()
    pools = [part for part in net if isinstance(part, torch.nn.MaxPool2d)]
    assert [(part.kernel_size, part.stride) for part in pools] == [(3, 2)] * 3
    assert sum(isinstance(part, torch.nn.ReLU) for part in net) == 5


KEPT = {
    "none": [],
    "fully_connected": [0.5, 0.5],
    "everywhere": [0.9, 0.75, 0.75, 0.5, 0.5, 0.5],
    "gaussian": [0.9, 0.75, 0.75, 0.5, 0.5, 0.5],
}


@pytest.mark.parametrize("way", KEPT)
def test_units_are_dropped_where_the_way_says(way):
    net = net_of(way)
    kind = GaussianDropout if way == "gaussian" else BernoulliDropout
    drops = [(i, part) for i, part in enumerate(net) if isinstance(part, kind)]
    assert [part.keep for _, part in drops] == KEPT[way]
    others = {BernoulliDropout, GaussianDropout} - {kind}
    assert not any(type(part) in others for part in net)
    below = [type(net[i - 1]).__name__ if i else "inputs" for i, _ in drops]
    places = ["inputs", "MaxPool2d", "MaxPool2d", "MaxPool2d", "ReLU", "ReLU"]
    assert below == places[6 - len(drops) :]
    x = seen("svhn").inputs(seen("svhn").train_x)
    net.train()
    assert torch.equal(net(x), net(x)) == (way == "none")
    for _, part in drops:
        ones = torch.ones(200, 500)
        factors = part(ones)
        variance = float(factors.var())
        if way == "gaussian":
            assert float(factors.mean()) == pytest.approx(1.0, abs=0.02)
            assert variance == pytest.approx((1 - part.keep) / part.keep, rel=0.03)
            assert torch.equal(part.eval()(ones), ones)
        else:
            assert set(factors.unique().tolist()) == {0.0, 1.0}
            assert float(factors.mean()) == pytest.approx(part.keep, abs=0.01)
            assert torch.equal(part.eval()(ones), part.keep * ones)


@pytest.mark.parametrize("way", KEPT)
def test_masks_are_the_noise_generators(way):
    """What a net learns hangs on its own generators alone, whatever else draws numbers."""
    short = replace(CONVNETS, updates=5)
    torch.manual_seed(1)
    first = training_of(way, short)
    first.run()
    torch.manual_seed(2)
    second = training_of(way, short)
    second.run()
    for one, other in zip(first.net.parameters(), second.net.parameters(), strict=True):
        assert torch.equal(one, other)


def test_weights_are_no_longer_than_c():
    training = training_of("everywhere", replace(CONVNETS, max_norm=1.0, rate=0.1))
    training.net.train()
    longest = []
    for _ in range(20):
        training.update()
        norms = [
            part.weight.detach().flatten(1).norm(dim=1)
            for part in training.net
            if hasattr(part, "weight")
        ]
        longest.append([float(one.max()) for one in norms])
    assert max(map(max, longest)) < 1.00001
    assert min(longest[-1]) > 0.999  # and every layer has units that would be longer


def test_an_update_is_that_of_the_definition():
    settings = replace(CONVNETS, rate=0.05, momentum=0.8, max_norm=1e9, rate_tau=0.5, updates=10)
    noise = generator(2)
    net = convolutions.convnet(settings, CLASSES, "none", generator(1), noise)
    training = convolutions.Training(net, seen("svhn"), settings, 3, noise, 0.25)
    order = convolutions.Order([3], 240, 20)
    mine = net_of("none", settings).double()
    velocity = [torch.zeros_like(one) for one in mine.parameters()]
    for step in range(3):
        training.update()
        index = order.next()[0]
        outputs = mine(seen("svhn").inputs(seen("svhn").train_x[index]).double())
        picked = outputs.log_softmax(1).gather(1, seen("svhn").train_y[index, None])
        slopes = torch.autograd.grad(-picked.mean(), list(mine.parameters()))
        with torch.no_grad():
            for k, (w, v, slope) in enumerate(
                zip(mine.parameters(), velocity, slopes, strict=True)
            ):
                v.mul_(0.8).add_(slope)
                w.sub_(v, alpha=(0.25 if k < 2 else 1.0) * 0.05 / (1 + step / 5))
    for w, expected in zip(net.parameters(), mine.parameters(), strict=True):
        torch.testing.assert_close(w.double(), expected, atol=1e-5, rtol=1e-4)


# --- rows ----------------------------------------------------------------------------------------


def row(name: str, way: str, config=CONFIG) -> pd.DataFrame:
    unit = Unit("convnet", {"data": name, "way": way}, 0, 1)
    return convnet.CONVNET.run(config, unit, Seeds(0))["convnet"]


@pytest.mark.parametrize("way", KEPT)
def test_convolutional_nets_learn(way):
    found = row("svhn", way)
    assert list(found.columns) == [
        "data", "way", "replicate", "test_error", "test_wrong", "train_error", "diverged"
    ]  # fmt: skip
    assert found[["data", "way", "replicate"]].values.tolist() == [["svhn", way, 0]]
    assert found.train_error[0] < 45  # by chance 90
    assert found.test_error[0] == found.test_wrong[0] < 45  # of 100 images
    assert not found.diverged[0]


def test_convolutional_nets_learn_whitened_images():
    assert row("cifar10", "none").train_error[0] < 45


def test_gaussian_noise_has_bernoullis_mean_and_variance():
    """Only then do rate, start and c mean the same to the two nets."""
    net = net_of("gaussian")
    ones = torch.ones(300, 500)
    for part, after in pairwise(net):
        if isinstance(part, GaussianDropout):
            assert isinstance(after, convolutions.Times)
            p, noise = part.keep, after(part(ones))
            assert float(noise.mean()) == pytest.approx(p, abs=0.01)
            assert float(noise.var()) == pytest.approx(p * (1 - p), rel=0.03)
    x = seen("svhn").inputs(seen("svhn").test_x)
    with torch.no_grad():
        assert torch.allclose(net.eval()(x), net_of("everywhere").eval()(x), atol=1e-6)


def test_a_convolutional_net_that_diverges_is_a_row_that_says_so():
    wild = replace(CONVNETS, rate=1e20, max_norm=1e30)
    found = row("svhn", "none", Settings(recipe=CONFIG.recipe, convnet=wild))
    assert found.diverged[0]
    assert found.test_error[0] == 100.0


@pytest.mark.parametrize("way", ["everywhere", "gaussian"])
def test_a_killed_convolutional_net_goes_on_as_if_nothing_had_been(tmp_path, monkeypatch, way):
    whole = row("svhn", way)
    resumed = killed_then_run(lambda: row("svhn", way), tmp_path, monkeypatch)
    pd.testing.assert_frame_equal(resumed, whole)


def test_all_its_weights_are_those_of_one_never_killed(tmp_path, monkeypatch):
    whole = training_of("everywhere")
    whole.run()
    made = []

    def again() -> convolutions.Training:
        made.append(training_of("everywhere"))
        made[-1].run()
        return made[-1]

    resumed = killed_then_run(again, tmp_path, monkeypatch)
    assert made[0].step == 100
    assert resumed.step == whole.step == 200
    for one, other in zip(resumed.net.parameters(), whole.net.parameters(), strict=True):
        assert torch.equal(one, other)


def killed_then_run(run, tmp_path, monkeypatch):
    """What a run gives that was killed after its first checkpoint, and started again."""
    monkeypatch.setattr(checkpoint, "_SECONDS", 0.0)
    save, file = checkpoint.save, tmp_path / "unit.checkpoint"

    def dies(state, device):
        save(state, device)
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save", dies)
    with pytest.raises(KeyboardInterrupt), checkpoint.kept_in(file):
        run()
    monkeypatch.setattr(checkpoint, "save", save)
    assert file.exists()
    with checkpoint.kept_in(file):
        return run()


# --- pretrained nets -----------------------------------------------------------------------------


def deep_rows(way: str, config=CONFIG, replicates: int = 1) -> pd.DataFrame:
    unit = Unit("pretraining", {"way": way}, 0, replicates)
    return pretraining.PRETRAINING.run(config, unit, Seeds(0))["pretraining"]


@pytest.mark.parametrize("way", pretraining.WAYS)
def test_pretrained_nets_learn(way):
    found = deep_rows(way, replicates=2)
    assert list(found.columns) == ["way", "replicate", *MEASURED]
    assert (found.train_error < 30).all()  # by chance 90
    assert not found.diverged.any()
    units = pretraining.plan(CONFIG, {})
    assert [(unit.condition["way"], unit.start, unit.stop) for unit in units] == [
        ("none", 0, 1), ("none", 1, 2), ("dropout", 0, 1), ("dropout", 1, 2)
    ]  # fmt: skip


def begin(way: pretraining.Way, config=CONFIG) -> pretraining.Parameters:
    net = pretraining.classifier(DEEP.sizes, "logistic")
    unit = Unit("pretraining", {}, 0, 1)
    return pretraining.pretrained(config, net, way, some_digits(), unit, Seeds(0))


def test_finetuning_begins_from_one_stack_times_1_over_p():
    plain = begin(pretraining.Way())
    scaled = begin(pretraining.Way((0.9, 0.8, 0.8)))
    machines = stack_of_rbms(
        some_digits().train_x[:200], DEEP.sizes, rate=DEEP.rate, momentum=DEEP.momentum,
        epochs=DEEP.epochs, batch=20,
        generators=Seeds(0).generators("pretraining", [0], "machines"),
    )  # fmt: skip
    for layer, (machine, p) in enumerate(zip(machines, (0.9, 0.8), strict=True)):
        assert torch.equal(plain.weights[layer], machine.weights)
        assert torch.equal(scaled.weights[layer], machine.weights / p)
        assert torch.equal(scaled.biases[layer], machine.hidden_bias)
    for parameters in (plain, scaled):
        assert parameters.weights[2].shape == (1, 10, 20)
        assert not parameters.weights[2].any()


@pytest.mark.parametrize("way", pretraining.WAYS)
def test_nets_are_finetuned_from_the_machines(monkeypatch, way):
    still = replace(DEEP, updates=1, finetuning=ScheduleConfig(rate=1e-12))
    made = []

    def train(*given, **named):
        made.append(training.train(*given, **named))
        return made[-1]

    monkeypatch.setattr(pretraining, "train", train)
    deep_rows(way, Settings(recipe=CONFIG.recipe, pretraining=still))
    (trainer, _) = made[0]
    keep = None if way == "none" else (0.9, 0.8, 0.8)
    machines = begin(pretraining.Way(keep))
    assert trainer.keep.tolist() == [list(keep or (1.0, 1.0, 1.0))]
    assert trainer.settings.max_norm is None
    for found, expected in zip(trainer.parameters.tensors, machines.tensors, strict=True):
        torch.testing.assert_close(found, expected)


def test_a_killed_finetuning_goes_on_without_pretraining_again(tmp_path, monkeypatch):
    whole = deep_rows("dropout")
    made = []
    machines = pretraining.pretrained
    monkeypatch.setattr(
        pretraining, "pretrained", lambda *given: made.append(given) or machines(*given)
    )
    resumed = killed_then_run(lambda: deep_rows("dropout"), tmp_path, monkeypatch)
    pd.testing.assert_frame_equal(resumed, whole)
    assert len(made) == 1


# --- cost ----------------------------------------------------------------------------------------


def test_multiply_adds_are_torchs_count():
    """Torch counts two operations a multiply-add, forwards and backwards."""
    from torch.utils.flop_counter import FlopCounterMode

    net, x = net_of("none"), torch.rand(3, 3, 32, 32)
    with FlopCounterMode(display=False) as counter:
        net(x).sum().backward()
    assert counter.get_total_flops() == 2 * 3 * cost.per_image((12, 16, 24), 48, CLASSES)
    layers = torch.nn.Sequential(torch.nn.Linear(7, 5), torch.nn.ReLU(), torch.nn.Linear(5, 4))
    with FlopCounterMode(display=False) as counter:
        layers(torch.rand(6, 7)).sum().backward()
    assert counter.get_total_flops() == 2 * cost.per_update((7, 5, 4), 6)


WHOLE = Settings(
    recipe=RecipeSettings(batch=100, digits=60_000),
    architectures=ArchitecturesSettings(
        nets=3, block=1, layers=[2], widths=[10, 20], table_width=20, updates=50, moments=1
    ),
    regularizers=RegularizersSettings(nets=2, block=1, sizes=[10], updates=50),
    gaussian=GaussianSettings(nets=4, block=2, sizes=[10], updates=10**6),
    rate=RateSettings(nets=1, kept=[4], sizes=[8], fixed_n=[0.5], fixed_pn=[0.5], updates=50),
    dataset_size=DatasetSizeSettings(small=2, large=1, digits=[100, 5000], updates=[30, 70]),
    monte_carlo=MonteCarloSettings(nets=3, sizes=[10], updates=50),
    features=FeaturesSettings(nets=1, updates=50),
    rbm=RbmSettings(nets=2, epochs=3, digits=5000, batch=50),
    convnet=ConvnetSettings(nets=2, updates=10),
    pretraining=PretrainingSettings(nets=3, sizes=[50, 20], epochs=2),
)


def test_costs_count_every_net_once():
    table = cost.costs(WHOLE)
    assert list(table.columns) == [
        "experiment", "net", "nets", "updates", "multiply_adds", "hours"
    ]  # fmt: skip
    nets = table.set_index(["experiment", "net", "updates"]).nets
    assert nets["gaussian", "784-10-10", 10**6] == 2 * 4
    assert nets["regularizers", "784-10-10", 50] == 6 * 2
    assert nets["architectures", "784-10-10-10", 50] == 2 * 3
    assert nets["rate"].tolist() == [2]  # both series have layers of 8 units
    assert nets["dataset_size"].to_dict() == {
        ("784-512-512-10", 30): 4, ("784-512-512-10", 70): 2
    }  # fmt: skip
    assert nets["convnet"].tolist() == [7 * 2, 3 * 2]  # ten classes, a hundred
    assert nets["rbm", "784-256", 300] == 4
    assert nets["pretraining"].to_dict() == {
        ("784-50-20-10", 100_000): 6, ("784-50", 1200): 6, ("50-20", 1200): 6
    }  # fmt: skip


def test_costs_of_a_net():
    table = cost.costs(WHOLE).set_index(["experiment", "net"])
    gaussian = table.loc[("gaussian", "784-10-10")]
    assert gaussian.multiply_adds == 8 * 10**6 * 100 * (2 * 7840 + 3 * 100)
    # Four blocks of two such small nets: kernels start as often for a block as for a net.
    assert gaussian.hours == pytest.approx(4 * 10**6 * cost.LEAST / 3600)
    large = table.loc[("convnet", "96-128-256-2048-2048-10")]
    assert large.multiply_adds == 14 * 10 * 100 * cost.per_image((96, 128, 256), 2048, 10)
    assert large.hours == pytest.approx(large.multiply_adds / cost.RATE / 3600)
    machine = table.loc[("rbm", "784-256")]
    assert machine.multiply_adds == 4 * 3 * 5000 * 5 * 784 * 256


def test_without_nets_there_is_no_cost():
    empty = Settings(**{**vars(WHOLE), "convnet": EMPTY.convnet, "pretraining": EMPTY.pretraining})
    assert set(cost.costs(empty).experiment) == {
        "architectures", "regularizers", "gaussian", "rate", "dataset_size", "monte_carlo",
        "features", "rbm",
    }  # fmt: skip
