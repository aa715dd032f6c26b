// Objects and what they hang on, as a layered drawing: what the user sees on the left, where it stops on the right.

const BOX = { width: 240, height: 62, gapX: 46, gapY: 14 };

// A chain of a finding runs from the sign to the cause.
function chainEdges(chain) { return chain.slice(1).map((link, index) => ({ from: chain[index].subject, to: link.subject })); }

function chainStates(chain) { return new Map(chain.map((link) => [subjectKey(link.subject), { state: link.state, kind: 'bad' }])); }

function graph(edges, states, label) {
  const { boxes, lines: links } = collapse(edges, states);
  layer(boxes, links);
  const layers = [];
  for (const box of boxes) (layers[box.layer] ||= []).push(box);
  order(layers, links);
  const tall = Math.max(...layers.map((column) => column.length));
  const height = tall * (BOX.height + BOX.gapY) + BOX.gapY;
  const width = layers.length * (BOX.width + BOX.gapX) - BOX.gapX + 20;
  layers.forEach((column, x) => column.forEach((box, y) => {
    const used = column.length * (BOX.height + BOX.gapY) - BOX.gapY;
    box.x = 10 + x * (BOX.width + BOX.gapX);
    box.y = (height - used) / 2 + y * (BOX.height + BOX.gapY);
  }));
  const told = links.slice(0, 20).map(({ from, to }) => `${from.label} → ${to.label}`).join('; ');
  return h('div', { class: 'graph', tabindex: '0', role: 'group', 'aria-label': `${label}: ${told}` },
    s('svg', { width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' },
      links.map(edgePath), boxes.map(boxShape)));
}

function edgePath({ from, to }) {
  const [x1, y1] = [from.x + BOX.width, from.y + BOX.height / 2];
  const [x2, y2] = [to.x - 7, to.y + BOX.height / 2];
  const bend = Math.max(20, (x2 - x1) / 2);
  return [s('path', { class: 'edge', d: `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` }),
    s('path', { class: 'arrow', d: `M${x2} ${y2 - 4} l7 4 l-7 4 z` })];
}

function boxShape(box) {
  return s('g', null,
    s('title', null, box.label + (box.state ? `: ${box.state}` : '')),
    s('rect', { class: `box ${box.kind || ''}`, x: box.x, y: box.y, width: BOX.width, height: BOX.height, rx: 5 }),
    s('text', { class: 'soft-text', x: box.x + 9, y: box.y + 17 }, box.type + (box.count > 1 ? ` ×${box.count}` : '')),
    s('text', { x: box.x + 9, y: box.y + 34 }, fit(box.name, BOX.width - 18)),
    s('text', { class: 'soft-text', x: box.x + 9, y: box.y + 51 }, fit(box.state, BOX.width - 18, 0)));
}

const pen = document.createElement('canvas').getContext('2d');

// Pixels that a text takes in a drawing; letters of a script differ in width, and scripts even more.
function textWidth(text) {
  pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  return pen.measureText(text).width;
}

// The end of a name tells replicas apart, its beginning tells what it is; `end` is the share that its end gets.
function fit(text, width, end = 0.4) {
  if (textWidth(text) <= width) return text;
  const letters = [...text];
  let [least, most] = [0, letters.length];
  const cut = (kept) => {
    const tail = Math.floor(kept * end);
    return `${letters.slice(0, kept - tail).join('')}…${tail ? letters.slice(-tail).join('') : ''}`;
  };
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (textWidth(cut(middle)) <= width) least = middle; else most = middle - 1;
  }
  return cut(least);
}

// Boxes with the same kind, state and neighbours are one box with a number.
function collapse(edges, states) {
  const nodes = new Map();
  const node = (subject) => {
    const key = subjectKey(subject);
    if (!nodes.has(key)) nodes.set(key, { subject, ins: new Set(), outs: new Set() });
    return key;
  };
  for (const edge of edges) {
    const [from, to] = [node(edge.from), node(edge.to)];
    if (from === to) continue;
    nodes.get(from).outs.add(to);
    nodes.get(to).ins.add(from);
  }
  const boxes = new Map();
  const boxOf = new Map();
  for (const [key, { subject, ins, outs }] of nodes) {
    const known = states.get(key);
    const alike = JSON.stringify([subject.kind, known?.state, [...ins].sort(), [...outs].sort()]);
    const mergeable = ins.size + outs.size > 0 && subject.kind === 'Pod';
    const id = mergeable ? alike : key;
    if (!boxes.has(id)) {
      const place = subject.namespace ? `${subject.namespace}/${subject.name}` : subject.name;
      boxes.set(id, { type: subject.kind, name: place, label: `${subject.kind} ${place}`, state: known?.state || '', kind: known?.kind, count: 0 });
    }
    boxes.get(id).count += 1;
    boxOf.set(key, boxes.get(id));
  }
  const links = new Map();
  for (const edge of edges) {
    const [from, to] = [boxOf.get(subjectKey(edge.from)), boxOf.get(subjectKey(edge.to))];
    if (from && to && from !== to) links.set(`${from.label} ${to.label}`, { from, to });
  }
  return { boxes: [...boxes.values()], lines: [...links.values()] };
}

// Each box one column right of the farthest that points at it; a cycle is cut where it would grow for ever.
function layer(boxes, links) {
  for (const box of boxes) box.layer = 0;
  for (let round = 0; round < boxes.length; round += 1) {
    let moved = false;
    for (const { from, to } of links) {
      if (to.layer < from.layer + 1 && from.layer + 1 < Math.min(boxes.length, 9)) { to.layer = from.layer + 1; moved = true; }
    }
    if (!moved) break;
  }
  const used = [...new Set(boxes.map((box) => box.layer))].sort((a, b) => a - b);
  for (const box of boxes) box.layer = used.indexOf(box.layer);
}

// A box stands at the height of those that point at it, which keeps most lines from crossing.
function order(layers, links) {
  layers.forEach((column) => column.forEach((box, index) => { box.row = index; }));
  for (const column of layers.slice(1)) {
    for (const box of column) {
      const before = links.filter((link) => link.to === box).map((link) => link.from.row);
      box.pull = before.length ? before.reduce((a, b) => a + b, 0) / before.length : box.row;
    }
    column.sort((a, b) => a.pull - b.pull).forEach((box, index) => { box.row = index; });
  }
}
