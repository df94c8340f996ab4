"""The design system: contrast, focus, print, no colour alone, nothing from elsewhere."""

import re
from pathlib import Path

import pytest

import cupral.surfaces.web
from cupral.surfaces.web.drawing.sankey import COLOURS

ROOT = Path(cupral.surfaces.web.__path__[0])
CSS = (ROOT / "static" / "cupral.css").read_text(encoding="utf-8")
COLOUR = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", CSS))


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    digits = colour.removeprefix("#")
    digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    """Contrast ratio of two colours."""
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("slag", "paper"), ("slag", "sheet"), ("slag-mid", "paper"), ("slag-mid", "sheet"),
        ("slag-mid", "slag-pale"), ("copper-strong", "sheet"), ("copper-strong", "paper"),
        ("copper", "sheet"), ("gas", "gas-pale"), ("alarm", "alarm-pale"),
        ("aluminium", "aluminium-pale"), ("slag", "straw"),
    ],
)  # fmt: skip
def test_text_can_be_read_on_its_ground(text: str, ground: str) -> None:
    assert contrast(COLOUR[text], COLOUR[ground]) >= 4.5


def test_white_can_be_read_on_copper_and_on_dark_tiles() -> None:
    dark = re.findall(r"\.tile-[345] { fill: (#\w+)", CSS)
    assert len(dark) == 6
    for ground in (COLOUR["copper"], *dark):
        assert contrast("#ffffff", ground) >= 4.5


def test_dark_text_can_be_read_on_light_tiles() -> None:
    light = re.findall(r"\.tile-[012] { fill: (#\w+)", CSS)
    assert len(light) == 5
    for ground in light:
        assert contrast("#3a342f", ground) >= 4.5


def test_the_focus_ring_is_seen_on_every_ground() -> None:
    for ground in ("paper", "sheet", "slag"):
        assert contrast(COLOUR["copper-mid"], COLOUR[ground]) >= 3.0
    assert ":focus-visible" in CSS


def test_colours_of_the_chart_are_told_apart_from_the_ground() -> None:
    assert all(contrast(colour, "#ffffff") >= 2.5 for colour in COLOURS.values())
    assert len(set(COLOURS.values())) == 4


def test_nothing_is_fetched_from_elsewhere() -> None:
    for path in [*ROOT.rglob("*.css"), *ROOT.rglob("*.html"), ROOT / "static" / "cupral.js"]:
        text = path.read_text(encoding="utf-8")
        assert re.search(r"(src|href|url|@import)\W{1,3}(https?:)?//", text) is None, path.name


def test_no_template_has_inline_scripts_or_styles() -> None:
    assert len(list(ROOT.rglob("*.html"))) > 10
    for path in ROOT.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert re.search(r"<script(?![^>]*\bsrc=)", text) is None, path.name
        assert "<style" not in text, path.name
        assert re.search(r"\sstyle=", text) is None, path.name
        assert re.search(r"\son[a-z]+=", text) is None, path.name
        assert "javascript:" not in text, path.name


def test_nothing_is_marked_as_safe() -> None:
    for path in [*ROOT.rglob("*.html"), *ROOT.rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        assert "| safe" not in text, path.name
        assert "|safe" not in text, path.name
        assert "Markup(" not in text, path.name


def test_there_is_a_style_for_paper_and_for_small_screens() -> None:
    assert "@media print" in CSS
    assert "@media (max-width: 44rem)" in CSS
    assert "prefers-reduced-motion" in CSS


def test_chinese_fonts_of_every_system_are_asked_for() -> None:
    for font in ("PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC"):
        assert font in CSS
    assert "@font-face" not in CSS
