/** The little that the charts need of SVG: elements, a logarithmic scale, and colours for light and for dark pages. */

const escaped = (text) =>
  String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);

/** @param {string} name @param {Record<string, string | number>} attributes @param {string} [content] already SVG */
export function element(name, attributes, content = '') {
  const list = Object.entries(attributes).map(([key, value]) => {
    const text = typeof value === 'number' ? String(Math.round(value * 10) / 10) : escaped(value);
    return ` ${key}="${text}"`;
  });
  return `<${name}${list.join('')}>${content}</${name}>`;
}

/** @param {string} classes of the style below; without a colour it is ink. */
export function text(x, y, content, classes = '') {
  const colour = classes.includes('fill-') ? '' : 'fill-ink';
  return element('text', { x, y, class: `${colour} ${classes}`.trim() }, escaped(content));
}

export const line = (x1, y1, x2, y2, classes, attributes = {}) =>
  element('line', { x1, y1, x2, y2, class: classes, ...attributes });

/** 1 2 5 10 20 50 ... within [low, high]. */
function ticksWithin(low, high) {
  const ticks = [];
  for (let decade = 10 ** Math.floor(Math.log10(low)); decade <= high; decade *= 10) {
    ticks.push(...[1, 2, 5].map((step) => step * decade));
  }
  return ticks.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
}

/** Maps [low, high], widened to the ticks around, onto [from, to] by its logarithm. */
export function logScale(low, high, from, to) {
  const ticks = ticksWithin(low / 5, high * 5);
  const first = ticks.filter((tick) => tick <= low).at(-1);
  const last = ticks.find((tick) => tick >= high);
  const position = (value) =>
    from + ((Math.log(value) - Math.log(first)) / (Math.log(last) - Math.log(first))) * (to - from);
  return { position, ticks: ticks.filter((tick) => tick >= first && tick <= last) };
}

/** Milliseconds as a person would say them. */
export const milliseconds = (value) =>
  `${value < 10 ? Number(value.toFixed(2)) : value < 100 ? Number(value.toFixed(1)) : Math.round(value)} ms`;

/** Light, dark. Classes, because not every renderer knows custom properties. */
const palette = {
  page: ['#ffffff', '#0d1117'],
  ink: ['#1f2328', '#e6edf3'],
  soft: ['#656d76', '#9198a1'],
  grid: ['#e6e8eb', '#2a3038'],
  ours: ['#c2410c', '#ff9a5c'],
  'series-1': ['#57606a', '#b1bac4'],
  'series-2': ['#0969da', '#58a6ff'],
  'series-3': ['#1a7f37', '#56d364'],
  'series-4': ['#8250df', '#bc8cff'],
  'series-5': ['#bf3989', '#ff80c8'],
};

const colours = (mode) =>
  Object.entries(palette)
    .map(
      ([name, shades]) =>
        `.fill-${name} { fill: ${shades[mode]}; } .stroke-${name} { stroke: ${shades[mode]}; }`,
    )
    .join('\n');

const style = `
svg { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
.title { font-size: 16px; font-weight: 600; } .small { font-size: 11px; } .strong { font-weight: 600; }
.end { text-anchor: end; } .middle { text-anchor: middle; }
${colours(0)}
@media (prefers-color-scheme: dark) {
${colours(1)}
}
`;

/** A whole document; `description` is what a screen reader says. */
export function chart({ width, height, title, description, footer }, ...content) {
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
  };
  return `${element(
    'svg',
    { ...attributes, role: 'img', 'aria-label': description },
    [
      `<style>${style}</style>`,
      element('rect', { width, height, class: 'fill-page' }),
      text(20, 30, title, 'title'),
      ...content,
      text(20, height - 14, footer, 'fill-soft small'),
    ].join('\n'),
  )}\n`;
}
