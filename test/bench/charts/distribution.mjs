import { chart, element, line, logScale, milliseconds, text } from './svg.mjs';

const WIDTH = 820;
const ROW = 38;
const TOP = 78;
const LEFT = 300;
const RIGHT = WIDTH - 110;

const colour = (name, ours) => (name === ours ? 'ours' : 'series-1');

function row({ name, p50, p99 }, y, scale, ours) {
  const [from, to] = [scale.position(p50), scale.position(p99)];
  const paint = colour(name, ours);
  const strong = name === ours ? 'strong' : '';
  return [
    text(LEFT - 16, y + 4, name, `end ${strong}`),
    line(from, y, to, y, `stroke-${paint}`, { 'stroke-width': 2 }),
    element('circle', { cx: from, cy: y, r: 6, class: `fill-${paint}` }),
    element('circle', { cx: to, cy: y, r: 5, class: `fill-page stroke-${paint}`, 'stroke-width': 2 }),
    text(from, y - 11, milliseconds(p50), `small middle ${strong}`),
    text(to + 11, y + 4, milliseconds(p99), 'small fill-soft'),
  ];
}

/**
 * p50 and p99 of each contender, fastest first.
 * @param {readonly { name: string, p50: number, p99: number }[]} rows milliseconds
 */
export function distributionChart(rows, { title, ours, footer }) {
  const sorted = [...rows].sort((a, b) => a.p50 - b.p50);
  const low = Math.min(...sorted.map(({ p50 }) => p50));
  const high = Math.max(...sorted.map(({ p99 }) => p99));
  const scale = logScale(low, high, LEFT, RIGHT);
  const bottom = TOP + sorted.length * ROW;
  const description = sorted
    .map(({ name, p50, p99 }) => `${name}: p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)}`)
    .join('; ');
  return chart(
    { width: WIDTH, height: bottom + 62, title, description, footer },
    text(20, 50, '● p50   ○ p99, milliseconds, logarithmic', 'fill-soft'),
    ...scale.ticks.flatMap((tick) => [
      line(scale.position(tick), TOP - 14, scale.position(tick), bottom - 8, 'stroke-grid'),
      text(scale.position(tick), bottom + 8, tick, 'fill-soft small middle'),
    ]),
    ...sorted.flatMap((entry, index) => row(entry, TOP + index * ROW + 16, scale, ours)),
  );
}
