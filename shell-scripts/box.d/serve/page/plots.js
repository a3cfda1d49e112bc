// Small plots of what a box uses: a line, the area below it, and its limit as a dashed line.

import { mark, say, svg } from './dom.js';
import { bytes, percent } from './text.js';
import { SAMPLES } from './store.js';

const W = 120,
  H = 30;

/** What is plotted, and how it is told. `floor` is the least that the height stands for where there is no limit. */
export const KINDS = {
  memory: {
    title: 'Memory',
    value: (s) => s.memory,
    limit: (s) => s.memory_limit,
    floor: 4 << 20,
    told: bytes,
    unmeasured: 'not counted',
  },
  cpu: {
    title: 'CPU',
    value: (s) => s.cpu_percent,
    limit: (s) => (s.cpu_limit === null || s.cpu_limit === undefined ? null : s.cpu_limit * 100),
    floor: 20,
    told: percent,
    unmeasured: 'not counted',
  },
};

/** A plot of one kind: `node`, and `show(samples)`. */
export function plot(kind) {
  const area = svg('path', { class: 'area' }),
    line = svg('path', { class: 'line' });
  const limit = svg('line', { class: 'limit', x1: 0, x2: W }),
    title = svg('title');
  const node = svg(
    'svg',
    { class: 'plot', viewBox: `0 0 ${W} ${H}`, preserveAspectRatio: 'none', role: 'img' },
    title,
    svg('line', { class: 'base', x1: 0, x2: W, y1: H - 0.5, y2: H - 0.5 }),
    area,
    limit,
    line,
  );
  return { node, show: (samples) => draw(KINDS[kind], samples, { node, area, line, limit, title }) };
}

function draw(kind, samples, { node, area, line, limit, title }) {
  const last = samples.at(-1) ?? {};
  const bound = kind.limit(last) ?? null;
  const top = topOf(kind, samples, bound);
  const y = (value) => H - 1 - Math.min(1, value / top) * (H - 3);
  const points = pointsOf(kind, samples, y);
  mark(line, 'd', pathOf(points));
  mark(area, 'd', areaOf(points));
  mark(limit, 'y1', bound === null ? -9 : y(bound));
  mark(limit, 'y2', bound === null ? -9 : y(bound));
  node.classList.toggle('high', bound !== null && kind.value(last) >= bound * 0.9);
  say(title, `${kind.title}: ${toldNow(kind, last)}`);
}

// With a limit the height is a little more than that, so that the line of the limit can be seen below the edge.
function topOf(kind, samples, bound) {
  const most = Math.max(0, ...samples.map((s) => kind.value(s) ?? 0));
  return bound === null ? Math.max(kind.floor, most * 1.2) : Math.max(bound * 1.08, most);
}

// The newest at the right edge; null where nothing was measured.
function pointsOf(kind, samples, y) {
  const first = SAMPLES - samples.length;
  return samples
    .map((s, i) => {
      const value = kind.value(s);
      return value === null || value === undefined ? null : [((first + i) * W) / (SAMPLES - 1), y(value)];
    })
    .filter(Boolean);
}

const pair = ([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`;

function pathOf(points) {
  if (points.length === 1) return `M${pair(points[0])}h-2`;
  return points.length ? `M${points.map(pair).join('L')}` : '';
}

function areaOf(points) {
  if (points.length < 2) return '';
  return `M${points[0][0].toFixed(1)} ${H}L${points.map(pair).join('L')}L${points.at(-1)[0].toFixed(1)} ${H}Z`;
}

/** What is used of what may be used, in words. */
export function toldNow(kind, sample) {
  const value = kind.value(sample) ?? null;
  if (value === null) return kind.unmeasured;
  const bound = kind.limit(sample) ?? null;
  return bound === null ? `${kind.told(value)}, no limit` : `${kind.told(value)} of ${kind.told(bound)}`;
}
