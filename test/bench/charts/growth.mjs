import { chart, element, line, logScale, milliseconds, text } from './svg.mjs';

const WIDTH = 880;
const HEIGHT = 440;
const TOP = 74;
const BOTTOM = HEIGHT - 72;
const LEFT = 58;
const RIGHT = WIDTH - 270;
const LABEL_HEIGHT = 17;
const X_STEPS = 5;

/** Labels keep their order and a line's distance from each other. */
function spread(labels) {
  const sorted = [...labels].sort((a, b) => a.y - b.y);
  for (let index = 1; index < sorted.length; index++) {
    sorted[index].y = Math.max(sorted[index].y, sorted[index - 1].y + LABEL_HEIGHT);
  }
  return sorted;
}

/**
 * What the n-th VM costs, one line a contender, each as far as it goes.
 * @param {readonly { name: string, points: readonly { n: number, value: number }[] }[]} lines milliseconds
 * @param {{ ours: string, footer: string, title: string, axis: string, point: number }} options `point`: set-ups behind each
 */
export function growthChart(lines, { ours, footer, title, axis, point }) {
  const values = lines.flatMap(({ points }) => points.map(({ value }) => value));
  const most = Math.max(...lines.flatMap(({ points }) => points.map(({ n }) => n)));
  const scale = logScale(Math.min(...values), Math.max(...values), BOTTOM, TOP);
  const x = (n) => LEFT + (n / most) * (RIGHT - LEFT);
  const others = lines.filter(({ name }) => name !== ours);
  const colour = (name) =>
    name === ours ? 'ours' : `series-${others.findIndex((other) => other.name === name) + 1}`;
  const labels = lines.map(({ name, points }) => {
    const { n, value } = points.at(-1);
    return { name, y: scale.position(value) + 4, value, at: n === most ? '' : ` at ${n}` };
  });
  return chart(
    {
      width: WIDTH,
      height: HEIGHT,
      title,
      description: lines
        .map(({ name, points }) => `${name}: ${milliseconds(points.at(-1).value)} at ${points.at(-1).n}`)
        .join('; '),
      footer,
    },
    text(20, 50, `p50 of ${point} set-ups, milliseconds, logarithmic`, 'fill-soft'),
    ...scale.ticks.flatMap((tick) => [
      line(LEFT, scale.position(tick), RIGHT, scale.position(tick), 'stroke-grid'),
      text(LEFT - 8, scale.position(tick) + 4, tick, 'fill-soft small end'),
    ]),
    ...Array.from({ length: X_STEPS + 1 }, (_, step) => {
      const n = Math.round((most * step) / X_STEPS);
      return text(x(n), BOTTOM + 18, n, 'fill-soft small middle');
    }),
    text((LEFT + RIGHT) / 2, BOTTOM + 36, axis, 'fill-soft small middle'),
    ...lines.map(({ name, points }) =>
      element('polyline', {
        points: points
          .map(({ n, value }) => `${x(n).toFixed(1)},${scale.position(value).toFixed(1)}`)
          .join(' '),
        fill: 'none',
        class: `stroke-${colour(name)}`,
        'stroke-width': name === ours ? 3 : 2,
      }),
    ),
    ...spread(labels).map(({ name, y, value, at }) =>
      text(RIGHT + 8, y, `${name} ${milliseconds(value)}${at}`, `fill-${colour(name)} small strong`),
    ),
  );
}
