// What happened when: rows of marks on one axis that can be zoomed and moved.

const LANES = ['finding', 'node', 'helm', 'restart', 'log', 'event'];
const ROW = 20;
const ROWS = 8;

function timelineSection() {
  const { marks, corrected, left_out: leftOut, now } = data.timeline;
  if (!marks.length) return null;
  const whole = spread(marks);
  state.range ||= opening(marks, whole, now);
  const chart = h('div', { class: 'chart', tabindex: '0', role: 'application', 'aria-label': say('chart_label') });
  const said = h('div', { class: 'said small', role: 'status' }, say('pick_mark'));
  const asTable = h('div');
  const draw = () => {
    chart.replaceChildren(picture(chart.clientWidth || 900, said));
    const open = state.open.has('timeline-table');
    asTable.replaceChildren(unfold('timeline-table', say('as_table'), () => marksTable(), open));
  };
  const go = (from, to) => {
    const least = 10_000;
    const size = Math.min(Math.max(to - from, least), whole.to - whole.from);
    const start = Math.min(Math.max(from + (to - from - size) / 2, whole.from), whole.to - size);
    state.range = { from: start, to: start + size };
    draw();
  };
  const scale = (by, around = 0.5) => {
    const { from, to } = state.range;
    const middle = from + (to - from) * around;
    go(middle - (middle - from) * by, middle + (to - middle) * by);
  };
  const move = (by) => { const size = state.range.to - state.range.from; go(state.range.from + size * by, state.range.to + size * by); };
  const end = now || whole.to;
  const tool = (key, act) => h('button', { type: 'button', 'data-zoom': key, onclick: act }, say(key));
  chart.addEventListener('keydown', (event) => {
    const act = { '+': () => scale(0.5), '=': () => scale(0.5), '-': () => scale(2), ArrowLeft: () => move(-0.25), ArrowRight: () => move(0.25) }[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  chart.addEventListener('wheel', (event) => {
    // A plain wheel scrolls the page, as everywhere else.
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    const box = chart.getBoundingClientRect();
    scale(event.deltaY + event.deltaX > 0 ? 1.4 : 0.7, (event.clientX - box.left - LABEL(box.width)) / (box.width - LABEL(box.width)));
  }, { passive: false });
  drag(chart, () => state.range, go);
  // Its width is known when it stands in the page.
  new ResizeObserver(() => draw()).observe(chart);
  chart.redraw = draw;
  return section('timeline', corrected && h('p', { class: 'soft' }, say('corrected')),
    h('div', { class: 'tools' }, tool('zoom_in', () => scale(0.5)), tool('zoom_out', () => scale(2)), tool('earlier', () => move(-0.5)), tool('later', () => move(0.5)),
      tool('last_hour', () => go(end - 3_600_000, end)), tool('last_day', () => go(end - 86_400_000, end)), tool('all', () => go(whole.from, whole.to))),
    chart, said, asTable, leftOut > 0 && h('p', { class: 'soft' }, say('left_out', leftOut)));
}

const LABEL = (width) => Math.min(260, width * 0.32);

function spread(marks) {
  let [from, to] = [Infinity, -Infinity];
  for (const mark of marks) { from = Math.min(from, mark.at); to = Math.max(to, mark.end || mark.at); }
  const edge = Math.max((to - from) * 0.02, 60_000);
  return { from: from - edge, to: to + edge };
}

// Opens on the time that holds nine tenths of what went wrong, not on the years since the cluster was made.
function opening(marks, whole, now) {
  const bad = marks.filter((mark) => mark.bad).map((mark) => mark.at).sort((a, b) => a - b);
  if (bad.length < 2) return { ...whole };
  const from = bad[Math.floor(bad.length * 0.1)];
  const to = Math.min(Math.max(now || 0, bad[bad.length - 1]), whole.to);
  const size = Math.max(to - from, 600_000);
  return { from: Math.max(whole.from, to - size * 1.05), to: Math.min(whole.to, to + size * 0.05) };
}

function drag(chart, range, go) {
  let grip = null;
  chart.addEventListener('pointerdown', (event) => { grip = { x: event.clientX, ...range() }; });
  chart.addEventListener('pointermove', (event) => {
    if (!grip || Math.abs(event.clientX - grip.x) < 4) return;
    if (!chart.hasPointerCapture(event.pointerId)) chart.setPointerCapture(event.pointerId);
    const by = ((grip.x - event.clientX) / (chart.clientWidth - LABEL(chart.clientWidth))) * (grip.to - grip.from);
    go(grip.from + by, grip.to + by);
  });
  for (const end of ['pointerup', 'pointercancel']) chart.addEventListener(end, () => { grip = null; });
}

function visibleMarks() {
  const { from, to } = state.range;
  return data.timeline.marks.filter((mark) => (mark.end || mark.at) >= from && mark.at <= to);
}

// Rows of each lane, the most troubled first.
function rowsOf(lane, marks) {
  const rows = new Map();
  for (const mark of marks) {
    if (mark.kind !== lane) continue;
    if (!rows.has(mark.row)) rows.set(mark.row, []);
    rows.get(mark.row).push(mark);
  }
  const weight = (list) => list.reduce((sum, mark) => sum + (mark.bad ? 1000 : 1), 0);
  return [...rows.entries()].sort((a, b) => weight(b[1]) - weight(a[1]) || (a[0] < b[0] ? -1 : 1));
}

function picture(width, said) {
  const label = LABEL(width);
  const { from, to } = state.range;
  const x = (at) => label + ((Math.min(Math.max(at, from), to) - from) / (to - from)) * (width - label - 8);
  const marks = visibleMarks();
  const parts = [];
  let y = 34;
  for (const lane of LANES) {
    const rows = rowsOf(lane, marks);
    if (!rows.length) continue;
    const all = state.rows.has(lane);
    const shown = all ? rows : rows.slice(0, ROWS);
    parts.push(s('rect', { class: 'band', x: 0, y, width, height: 18 }), s('text', { class: 'soft-text', x: 8, y: y + 13 }, lane === 'node' || lane === 'helm' ? say(lane === 'node' ? 'nodes' : 'helm') : say(lane)));
    if (rows.length > ROWS) parts.push(rowsToggle(lane, rows.length, all, width, y));
    y += 18;
    for (const [name, list] of shown) {
      parts.push(s('line', { class: 'row-line', x1: label, x2: width, y1: y + ROW / 2, y2: y + ROW / 2 }),
        s('text', { x: 8, y: y + 14 }, s('title', null, rowName(lane, name)), fit(rowName(lane, name), label - 14)));
      for (const spot of spots(list, x)) parts.push(spotShape(spot, y, said));
      y += ROW;
    }
    y += 6;
  }
  const now = data.timeline.now;
  if (now && now >= from && now <= to) {
    parts.push(s('line', { class: 'now', x1: x(now), x2: x(now), y1: 26, y2: y }), s('title', null, say('collected_here')));
  }
  return s('svg', { width, height: y + 6, viewBox: `0 0 ${width} ${y + 6}` }, axis(from, to, x, y, width), parts);
}

// A row of findings is named as the findings are.
function rowName(lane, row) {
  const finding = lane === 'finding' && data.findings.find((one) => one.case === row);
  return finding ? read(finding.title) : row;
}

function rowsToggle(lane, count, all, width, y) {
  const act = () => { if (!state.rows.delete(lane)) state.rows.add(lane); document.querySelector('.chart').redraw(); };
  return s('a', { href: '#timeline', class: 'rows', onclick: (event) => { event.preventDefault(); act(); } },
    s('text', { x: width - 8, y: y + 13, 'text-anchor': 'end' }, all ? say('fewer_rows') : say('all_rows', count)));
}

// Marks that would lie upon each other are one.
function spots(list, x) {
  const found = [];
  for (const mark of [...list].sort((a, b) => a.at - b.at)) {
    const [left, right] = [x(mark.at), mark.end ? x(mark.end) : x(mark.at)];
    const last = found[found.length - 1];
    if (last && left - last.right < 5) {
      last.right = Math.max(last.right, right);
      last.bad ||= mark.bad;
      last.marks.push(mark);
    } else found.push({ left, right, bad: mark.bad, marks: [mark] });
  }
  return found;
}

function spotShape(spot, y, said) {
  const choose = (event) => {
    for (const other of event.currentTarget.ownerSVGElement.querySelectorAll('.chosen')) other.classList.remove('chosen');
    event.currentTarget.classList.add('chosen');
    said.replaceChildren(...spot.marks.slice(-6).reverse().map((mark) => h('div', null, h('strong', null, when(mark.at)), ` ${rowName(mark.kind, mark.row)} `, mark.text, mark.count > 1 && ` ×${mark.count}`)));
    if (spot.marks.length > 6) said.append(h('div', { class: 'soft' }, say('more', spot.marks.length - 6)));
  };
  const wide = Math.max(spot.right - spot.left, 7);
  return s('rect', { class: spot.bad ? 'mark bad' : 'mark', x: spot.left - (wide === 7 ? 3.5 : 0), y: y + 4, width: wide, height: ROW - 8, rx: 3, onclick: choose },
    s('title', null, `${when(spot.marks[0].at)} ${spot.marks[0].text}${spot.marks.length > 1 ? ` +${spot.marks.length - 1}` : ''}`));
}

function axis(from, to, x, height, width) {
  const steps = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200, 86400, 172800, 604800, 2592000, 7776000, 31536000].map((n) => n * 1000);
  const most = Math.max(2, Math.floor((width - LABEL(width)) / 110));
  const step = steps.find((size) => (to - from) / size <= most) || steps[steps.length - 1] * Math.ceil((to - from) / steps[steps.length - 1] / most);
  const zone = new Date(to).getTimezoneOffset() * 60_000;
  const parts = [];
  for (let at = Math.ceil((from - zone) / step) * step + zone; at <= to; at += step) {
    const date = new Date(at);
    const day = `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    const clock = `${two(date.getHours())}:${two(date.getMinutes())}${step < 60_000 ? `:${two(date.getSeconds())}` : ''}`;
    const text = step >= 2_592_000_000 ? `${date.getFullYear()}-${two(date.getMonth() + 1)}` : step >= 86_400_000 ? day : to - from > 72_000_000 ? `${day} ${clock}` : clock;
    parts.push(s('line', { class: 'row-line', x1: x(at), x2: x(at), y1: 24, y2: height }));
    // A time cut off at the edge would read as another.
    if (x(at) + 3 + textWidth(text) <= width) parts.push(s('text', { class: 'soft-text', x: x(at) + 3, y: 18 }, text));
  }
  return parts;
}

function marksTable() {
  const most = 300;
  const marks = visibleMarks().sort((a, b) => a.at - b.at);
  const box = h('div', null, table([say('time'), say('row'), say('what')],
    marks.slice(-most).map((mark) => [when(mark.at), rowName(mark.kind, mark.row), `${mark.text}${mark.count > 1 ? ` ×${mark.count}` : ''}`])));
  if (marks.length > most) box.append(h('p', { class: 'soft' }, say('left_out', marks.length - most)));
  return box;
}
