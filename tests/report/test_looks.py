"""The page in a browser, at two widths, light and dark: ``nox -s report``. The pictures are kept to be looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asyncmig.report.html_page import as_html

from .hostile import hostile

pytestmark = pytest.mark.long

CONTRAST = """
() => {
  const light = (c) => {
    const part = c.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
  };
  const colour = (text) => text.match(/[\\d.]+/g).map(Number);
  const ground = (one) => {
    for (; one; one = one.parentElement) {
      const c = colour(getComputedStyle(one).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  let worst = [99, ""];
  const seen = new Set();
  for (const one of document.querySelectorAll("main *, header *, footer")) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const key = `${one.tagName} ${one.className} ${one.parentElement.className}`;
    if (!own || seen.has(key) || one.closest("svg")) continue;
    seen.add(key);
    const [a, b] = [light(colour(getComputedStyle(one).color)), light(ground(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, key];
  }
  return worst;
}
"""
"""The least contrast of any text with what is behind it, and of which element (WCAG 2, 1.4.3)."""

WIDE = """
() => [...document.querySelectorAll("section, .tile, td, dd, li, .row")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .map((one) => one.outerHTML.slice(0, 200))
"""
"""What does not fit into its place."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = {"executable_path": path} if (path := os.environ.get("ASYNCMIG_CHROMIUM")) else {}
        browser = playwright.chromium.launch(args=["--no-sandbox"], **options)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = Path(os.environ.get("ASYNCMIG_PICTURES") or tmp_path_factory.mktemp("pictures"))
    place.mkdir(parents=True, exist_ok=True)
    for name, document in (("small", hostile(25, 12)), ("large", hostile(300, 1000))):
        (place / f"{name}.html").write_text(as_html(document), encoding="utf-8")
    return place


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["small", "large"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read(browser: Any, pictures: Path, name: str, width: int, scheme: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.set_default_timeout(120_000)
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.goto((pictures / f"{name}.html").as_uri())
    assert page.evaluate("[document.documentElement.scrollWidth, document.scripts.length]") == [width, 0]
    assert page.evaluate(WIDE) == []
    ratio, where = page.evaluate(CONTRAST)
    assert ratio >= 4.5, (ratio, where)
    for number, heading in enumerate(page.locator("h2").all()):
        heading.scroll_into_view_if_needed()
        page.evaluate("(number) => document.querySelectorAll('section')[number].scrollIntoView()", number)
        title = (heading.text_content() or "").replace(" ", "-")
        page.screenshot(path=pictures / f"{name}-{width}-{scheme}-{number}-{title}.png")
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=pictures / f"{name}-{width}-{scheme}.png")
    assert len(asked) == 1, asked
    assert said == []
    page.close()
