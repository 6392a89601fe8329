"""The pages in headless Chromium, opened from the disk."""

import shutil
from pathlib import Path
from urllib.parse import urlencode

import pytest

pytest.importorskip("selenium")

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from tests.report import browser

pytestmark = pytest.mark.skipif(
    not (browser.CHROMIUM and browser.DRIVER), reason="needs Chromium and chromedriver"
)

NAMES = ("index.html", "gallery.html", "papers/tiny.html", "claims/tiny.weights.html")


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory):
    with browser.chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="module")
def report(finished_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny project's report folder."""
    root = tmp_path_factory.mktemp("shown") / "project"
    shutil.copytree(finished_once, root)
    return root / "reports"


@pytest.fixture
def board(window, report: Path):
    """The scoreboard, freshly opened at any address."""

    def opened(hash_: str = ""):
        window.get("about:blank")
        window.get((report / "index.html").as_uri() + hash_)
        return window

    return opened


def shown(window) -> list[str]:
    """Ids of the claims in sight, in the order of the table."""
    return window.execute_script(
        "return [...document.querySelectorAll('#claims tbody tr')]"
        ".filter(row => row.checkVisibility()).map(row => row.id)"
    )


def hash_of(window) -> str:
    return window.execute_script("return location.hash")


def choose(window, field: str, value: str) -> None:
    """Choose in a list; the browser tells the page a moment later."""
    Select(window.find_element(By.NAME, field)).select_by_visible_text(value)
    chosen = urlencode({field: value})
    WebDriverWait(window, 10).until(lambda driver: chosen in hash_of(driver))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_page_loads_without_a_word_on_the_console(
    window, report: Path, name: str, scheme: str
) -> None:
    feature = {"name": "prefers-color-scheme", "value": scheme}
    window.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    window.get((report / name).as_uri())
    assert window.find_element(By.TAG_NAME, "h1").text
    assert window.get_log("browser") == []
    ground = window.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 24, 27)"}[scheme]


@pytest.mark.parametrize("name", NAMES)
def test_images_come_with_size_and_words(window, report: Path, name: str) -> None:
    window.get((report / name).as_uri())
    window.execute_script("document.querySelectorAll('img').forEach(one => one.loading = 'eager')")
    images = window.find_elements(By.TAG_NAME, "img")
    assert bool(images) == (name != "index.html")
    for image in images:
        window.execute_async_script(
            "const [image, done] = arguments; image.decode().then(done, done)", image
        )
        width, height, natural = (
            window.execute_script(f"return arguments[0].{key}", image)
            for key in ("width", "height", "naturalWidth / arguments[0].naturalHeight")
        )
        assert natural == pytest.approx(width / height, rel=0.02)
        assert image.get_attribute("width") and image.get_attribute("height")
        assert image.get_attribute("alt")


@pytest.mark.parametrize("name", NAMES)
def test_no_page_is_wider_than_a_telephone(window, report: Path, name: str) -> None:
    size = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        window.get((report / name).as_uri())
        wide, page = window.execute_script(
            "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert wide <= page
        if name == "index.html":
            choose(window, "verdict", "undecided")
            assert shown(window) == ["tiny.small"]
    finally:
        window.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_table_that_is_cut_off_says_so(window, report: Path) -> None:
    size = {"width": 320, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        window.get((report / "papers/tiny.html").as_uri())
        box = window.find_element(By.CSS_SELECTOR, "#table-weights_left .scroll")
        said = window.execute_script(
            "return getComputedStyle(arguments[0], '::before').content", box
        )
        assert "scroll sideways" in said
        assert box.get_attribute("tabindex") == "0"
    finally:
        window.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    window.get((report / "papers/tiny.html").as_uri())
    box = window.find_element(By.CSS_SELECTOR, "#table-weights_left .scroll")
    assert "cut" not in box.get_attribute("class")


def test_filters_filter_and_count(board) -> None:
    window = board()
    everything = shown(window)
    assert len(everything) == 9
    choose(window, "verdict", "reproduced")
    assert shown(window) == ["tiny.start", "tiny.weights", "tiny.order"]
    assert window.find_element(By.ID, "shown").text == "3 of 9 claims: 3 reproduced"
    choose(window, "kind", "equivalence")
    assert shown(window) == ["tiny.weights"]
    choose(window, "profile", "paper")
    assert shown(window) == []
    window.find_element(By.CSS_SELECTOR, "button[type=reset]").click()
    assert shown(window) == everything
    assert hash_of(window) == ""


def test_the_search_takes_every_word_anywhere_in_a_row(board) -> None:
    window = board()
    field = window.find_element(By.NAME, "text")
    field.send_keys("WEIGHTS abstract")
    assert shown(window) == ["tiny.order"]
    field.send_keys(" nowhere")
    assert shown(window) == []
    assert window.find_element(By.ID, "shown").text == "0 of 9 claims"


def test_columns_sort_by_their_buttons_both_ways_and_say_so(board) -> None:
    window = board()
    head = window.find_element(By.CSS_SELECTOR, "th[data-key=n]")
    button = head.find_element(By.TAG_NAME, "button")
    button.send_keys(Keys.ENTER)
    rising = shown(window)
    assert head.get_attribute("aria-sort") == "ascending"
    button.send_keys(Keys.SPACE)
    falling = shown(window)
    assert head.get_attribute("aria-sort") == "descending"
    sizes = {"tiny.start": 1, "tiny.exponent": 5, "tiny.weights": 120, "tiny.accuracy": 360}
    assert [name for name in rising if name in sizes] == list(sizes)
    assert [name for name in falling if name in sizes] == list(reversed(sizes))
    # What has no number is last either way.
    assert set(rising[-2:]) == set(falling[-2:]) == {"tiny.rule", "tiny.tape"}
    window.find_element(By.CSS_SELECTOR, "th[data-key=claim] button").click()
    assert head.get_attribute("aria-sort") is None
    assert shown(window) == sorted(shown(window))


def test_the_view_stands_in_the_address(board) -> None:
    window = board()
    choose(window, "verdict", "not run")
    window.find_element(By.NAME, "text").send_keys("tape")
    window.find_element(By.CSS_SELECTOR, "th[data-key=n] button").click()
    shared = hash_of(window)
    assert shared == "#text=tape&verdict=not+run&sort=n&order=ascending"
    board(shared)
    assert shown(window) == ["tiny.tape"]
    assert window.find_element(By.NAME, "text").get_attribute("value") == "tape"
    head = window.find_element(By.CSS_SELECTOR, "th[data-key=n]")
    assert head.get_attribute("aria-sort") == "ascending"
    board("#verdict=unheard-of&sort=colour")
    assert len(shown(window)) == 9


def test_counts_of_verdicts_lead_to_the_claims_they_count(window, report: Path) -> None:
    window.get((report / "index.html").as_uri())
    window.find_element(By.CSS_SELECTOR, "a[href='#paper=tiny&verdict=undecided']").click()
    assert shown(window) == ["tiny.small"]
    window.get((report / "papers/tiny.html").as_uri())
    window.find_element(By.CSS_SELECTOR, ".counts a[href$='verdict=partly']").click()
    assert shown(window) == ["tiny.accuracy"]


def test_the_keyboard_reaches_the_content_first_and_focus_is_seen(board) -> None:
    window = board()
    window.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    focused = window.switch_to.active_element
    assert focused.text == "Skip to the content"
    assert focused.value_of_css_property("outline-style") == "solid"
    focused.send_keys(Keys.ENTER)
    assert hash_of(window) == "#main"


def test_all_is_readable_without_scripts(window, report: Path) -> None:
    window.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        window.get((report / "index.html").as_uri())
        rows = window.find_elements(By.CSS_SELECTOR, "#claims tbody tr")
        assert [row.is_displayed() for row in rows] == [True] * 9
        assert not window.find_element(By.ID, "filters").is_displayed()
    finally:
        window.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
