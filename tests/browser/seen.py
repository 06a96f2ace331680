"""What of a page's charts can be seen, measured in the page: boxes, colours, contrast."""

from dataclasses import dataclass
from itertools import combinations

from playwright.sync_api import Page

# Every drawn thing of each chart with its box and its contrast against what lies beneath: the last rectangle or area
# drawn before it around its middle, else the nearest ancestor's background.
MEASURE = """() => {
  const parse = (text) => {
    const [r, g, b, a] = text.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a === undefined ? 1 : a];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [x, y] = [light(a), light(b)];
    return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
  };
  const opacity = (element) => {
    let product = 1;
    for (let it = element; it && it.nodeName !== 'svg'; it = it.parentElement) product *= Number(getComputedStyle(it).opacity);
    return product;
  };
  const paint = (element, what) => {
    const style = getComputedStyle(element);
    if (style[what] === 'none' || style.visibility !== 'visible' || style.display === 'none') return null;
    if (what === 'stroke' && !parseFloat(style.strokeWidth)) return null;
    const colour = parse(style[what]);
    colour[3] *= Number(style[what + 'Opacity']) * opacity(element);
    return colour[3] ? colour : null;
  };
  const ground = (element) => {
    for (let it = element; it; it = it.parentElement) {
      const colour = parse(getComputedStyle(it).backgroundColor);
      if (colour[3] === 1) return colour;
    }
    return [255, 255, 255, 1];
  };
  return [...document.querySelectorAll('.chart svg')].map((svg) => {
    const below = ground(svg);
    const frame = svg.getBoundingClientRect();
    const areas = [];
    const seen = [];
    for (const element of svg.querySelectorAll('path, rect, circle, line, text')) {
      if (element.classList.contains('background') || element.classList.contains('foreground')) continue;
      if (element.closest('defs, clipPath')) continue;
      const group = element.closest('g[class*="mark-"]')?.getAttribute('class') ?? '';
      const box = element.getBoundingClientRect();
      const colours = [paint(element, 'fill'), paint(element, 'stroke')].filter(Boolean);
      if (!box.width && !box.height || !colours.length) continue;
      const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
      const around = areas.filter((it) => it.box.left <= x && x <= it.box.right && it.box.top <= y && y <= it.box.bottom);
      const beneath = around.reduce((base, it) => over(it.colour, base), below);
      const to = element.getScreenCTM();
      seen.push({
        group,
        text: element.nodeName === 'text' ? element.textContent : null,
        contrast: Math.max(...colours.map((colour) => contrast(over(colour, beneath), beneath))),
        colours: colours.map((colour) => colour.join(' ')),
        size: element.nodeName === 'text' ? parseFloat(getComputedStyle(element).fontSize) * Math.hypot(to.a, to.b) : 0,
        left: box.left, top: box.top, width: box.width, height: box.height,
        upright: Math.abs(to.a * to.b) < 1e-6,
        inside: box.left >= frame.left - 1 && box.right <= frame.right + 1 && box.top >= frame.top - 1 && box.bottom <= frame.bottom + 1,
      });
      if (/mark-(rect|bar|area|arc)/.test(group) && paint(element, 'fill')) areas.push({box, colour: paint(element, 'fill')});
    }
    return {panel: svg.closest('section')?.id ?? '', width: frame.width, height: frame.height, left: frame.left, right: frame.right, seen};
  });
}"""


@dataclass(frozen=True)
class Drawn:
    """One mark or text."""

    group: str
    text: str | None
    size: float  # of its letters, in CSS pixels
    contrast: float
    colours: tuple[str, ...]
    left: float
    top: float
    width: float
    height: float
    upright: bool  # or turned by a quarter
    inside: bool  # of the chart

    @property
    def is_mark(self) -> bool:
        """Drawn for data, not for an axis or a legend."""
        return "role-mark" in self.group and self.text is None

    def runs_into(self, other: "Drawn") -> bool:
        """More than a pixel of one line of letters over another; a box has a fifth of air above and below its letters."""
        boxes = [(it.left, it.left + it.width, it.top, it.top + it.height) for it in (self, other)]
        air = [0.2 * min(it.width, it.height) for it in (self, other)]
        (a, b, c, d), (e, f, g, h) = (
            (left, right, top + gap, bottom - gap) if it.width >= it.height else (left + gap, right - gap, top, bottom)
            for it, (left, right, top, bottom), gap in zip((self, other), boxes, air, strict=True)
        )
        return min(b, f) - max(a, e) > 1 and min(d, h) - max(c, g) > 1


@dataclass(frozen=True)
class Chart:
    """One chart as it stands on the page."""

    panel: str
    width: float
    height: float
    left: float
    right: float
    seen: tuple[Drawn, ...]

    @property
    def marks(self) -> list[Drawn]:
        return [it for it in self.seen if it.is_mark]

    @property
    def texts(self) -> list[Drawn]:
        return [it for it in self.seen if it.text is not None]

    @property
    def collisions(self) -> list[tuple[str | None, str | None]]:
        """Texts that run into each other."""
        upright = [it for it in self.texts if it.upright]
        return [(one.text, other.text) for one, other in combinations(upright, 2) if one.runs_into(other)]


def charts(page: Page) -> list[Chart]:
    return [
        Chart(**{**chart, "seen": tuple(Drawn(**{**it, "colours": tuple(it["colours"])}) for it in chart["seen"])})
        for chart in page.evaluate(MEASURE)
    ]
