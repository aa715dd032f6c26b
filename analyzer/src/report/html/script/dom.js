// Building the page. Text becomes text nodes and nothing else, so that nothing in it is ever markup.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false || child === '') continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

function h(tag, attributes, ...children) { return fill(document.createElement(tag), attributes, children); }
function s(tag, attributes, ...children) { return fill(document.createElementNS(SVG, tag), attributes, children); }

// A piece that opens, and that stays open when the page is drawn again in the other language.
function unfold(key, summary, body, open) {
  const element = h('details', { 'data-key': key }, h('summary', null, summary));
  const show = () => { if (element.children.length === 1) element.append(body()); };
  element.addEventListener('toggle', () => {
    if (element.open) { show(); state.open.add(key); } else state.open.delete(key);
  });
  // The event comes too late for a printer.
  element.show = show;
  if (open || state.open.has(key)) { show(); element.open = true; }
  return element;
}

// Words in which pairs of backticks mark code.
function prose(text) {
  const parts = text.split('`');
  if (parts.length % 2 === 0) return [text];
  return parts.map((part, index) => (index % 2 ? h('code', null, part) : part));
}

function paragraphs(text) {
  return text.split(/\n\s*\n/).filter((part) => part.trim()).map((part) => h('p', null, prose(part.trim())));
}

function command(text) {
  const button = h('button', { type: 'button', onclick: () => copy(text, button) }, say('copy'));
  return h('div', { class: 'command' }, h('pre', null, text), button);
}

async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without the clipboard interface the command is selected, so that one key copies it.
    getSelection().selectAllChildren(button.previousElementSibling);
    return;
  }
  button.textContent = say('copied');
  setTimeout(() => { button.textContent = say('copy'); }, 1500);
}

function badge(kind, text) { return h('span', { class: `badge ${kind}` }, text); }

function subjectName(subject) {
  const place = subject.namespace ? `${subject.namespace}/${subject.name}` : subject.name;
  return `${subject.kind} ${place}${subject.container ? ` [${subject.container}]` : ''}`;
}

const subjectKey = (subject) => `${subject.kind} ${subject.namespace || ''}/${subject.name}`;

function subjects(list, key) {
  const most = 12;
  const item = (subject) => h('li', null, subjectName(subject), subject.node ? h('span', { class: 'soft' }, ` @ ${subject.node}`) : '');
  const shown = h('ul', { class: 'subjects' }, list.slice(0, most).map(item));
  if (list.length <= most) return shown;
  return [shown, unfold(`${key}-subjects`, say('more', list.length - most), () => h('ul', { class: 'subjects' }, list.slice(most).map(item)))];
}

// Some lines of a file marked, and so many lines around them.
function lines(path, hits, around = 8) {
  const pieces = data.context[path] || [];
  const marked = new Set(hits);
  const near = (from, count) => hits.some((hit) => hit >= from - 1 && hit <= from + count);
  const body = h('tbody');
  for (const piece of pieces.filter((p) => near(p.from, p.lines.length))) {
    if (body.children.length) body.append(h('tr', { class: 'gap' }, h('td', null, '⋯'), h('td')));
    piece.lines.forEach((text, index) => {
      const number = piece.from + index;
      if (!hits.some((hit) => Math.abs(hit - number) <= around)) return;
      body.append(h('tr', { class: marked.has(number) && 'hit' }, h('td', null, number), h('td', { class: 'mono' }, text)));
    });
  }
  if (!body.children.length) return h('p', { class: 'soft small' }, say('no_lines'));
  return h('table', { class: 'lines', role: 'group', tabindex: '0', 'aria-label': path }, body);
}

function table(columns, rows, options) {
  const cells = (row) => row.map((cell, index) => h('td', { 'data-label': columns[index] }, cell));
  return h('div', { class: 'wide', tabindex: '0', role: 'region', 'aria-label': options?.label || columns.join(', ') },
    h('table', { class: columns.length > 5 ? 'list stack wide-rows' : 'list stack' },
      h('thead', null, h('tr', null, columns.map((name) => h('th', { scope: 'col' }, name)))),
      h('tbody', null, rows.map((row) => h('tr', null, cells(row))))));
}

function section(id, ...children) {
  return h('section', { id, 'aria-labelledby': `${id}-title` }, h('h2', { id: `${id}-title` }, say(id)), ...children);
}
