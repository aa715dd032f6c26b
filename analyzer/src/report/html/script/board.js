// The pod board: namespaces × pods, coloured by state, with filter and search.

function boardSection() {
  const spaces = Object.entries(data.board.namespaces);
  if (!spaces.length) return null;
  const total = spaces.reduce((sum, [, pods]) => sum + pods.length, 0);
  const count = h('p', { class: 'soft', role: 'status' });
  const box = h('div');
  // One entry a pod, so that a keystroke only hides and shows.
  const cells = [];
  for (const [namespace, pods] of spaces) {
    const chips = h('div', { class: 'chips' });
    const squares = h('div', { class: 'squares', role: 'group', 'aria-label': `${namespace}: ${say('ok')}` });
    for (const pod of pods) {
      const [name, podState, kind, node] = pod;
      const loud = kind === 'bad' || kind === 'warn';
      const cell = h('button', {
        type: 'button', class: loud ? `chip ${kind}` : `square ${kind}`, tabindex: loud ? null : '-1',
        'aria-label': loud ? null : `${namespace}/${name} ${podState}`, title: loud ? null : `${name} ${podState}`,
        onclick: () => podDialog(namespace, pod),
      }, loud && `${name} · ${podState}`);
      (loud ? chips : squares).append(cell);
      cells.push({ cell, kind, text: `${namespace}/${name} ${podState} ${node}`.toLowerCase(), namespace });
    }
    rove(squares);
    const title = h('h3', null, namespace || '–', h('span', { class: 'soft small' }, ` ${pods.length}`));
    box.append(h('div', { class: 'space', 'data-namespace': namespace }, title, chips, squares));
  }
  const apply = () => {
    const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
    const full = new Set();
    let shown = 0;
    for (const { cell, kind, text, namespace } of cells) {
      const fits = state.classes.has(kind) && words.every((word) => text.includes(word));
      cell.hidden = !fits;
      if (fits) { shown += 1; full.add(namespace); }
    }
    for (const space of box.children) space.hidden = !full.has(space.dataset.namespace);
    count.textContent = shown ? say('shown', shown, total) : say('nothing_fits');
  };
  const search = h('input', { type: 'search', placeholder: say('filter'), 'aria-label': say('filter'), value: state.search,
    oninput: (event) => { state.search = event.target.value; apply(); } });
  const kinds = ['bad', 'warn', 'ok', 'done'].map((kind) => {
    const number = cells.filter((cell) => cell.kind === kind).length;
    const button = h('button', { type: 'button', 'data-class': kind, 'aria-pressed': String(state.classes.has(kind)), onclick: () => {
      if (!state.classes.delete(kind)) state.classes.add(kind);
      button.setAttribute('aria-pressed', String(state.classes.has(kind)));
      apply();
    } }, `${say(kind)} ${number}`);
    return button;
  });
  apply();
  return section('board', h('div', { class: 'tools' }, search, kinds), count, box,
    data.board.left_out > 0 && h('p', { class: 'soft' }, say('left_out', data.board.left_out)));
}

// One stop of the tab key for a row of squares; arrows move within it.
function rove(row) {
  if (row.firstChild) row.firstChild.tabIndex = 0;
  row.addEventListener('keydown', (event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    const open = [...row.children].filter((cell) => !cell.hidden);
    const next = open[open.indexOf(document.activeElement) + by];
    if (!next) return;
    event.preventDefault();
    document.activeElement.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

function podDialog(namespace, [name, podState, , node, restarts, created]) {
  const mine = (subject) => subject.kind === 'Pod' && subject.namespace === namespace && subject.name === name;
  const findings = data.findings.map((finding, index) => [finding, index]).filter(([finding]) => finding.subjects.some(mine));
  const problems = data.triage.groups.flatMap((group) => group.problems).filter((problem) => mine(problem.subject));
  const fact = (label, value) => value && h('div', null, h('dt', null, label), h('dd', null, value));
  const dialog = h('dialog', { 'aria-labelledby': 'pod-title' },
    h('div', { class: 'head' }, h('h3', { id: 'pod-title' }, `${namespace}/${name}`),
      h('button', { type: 'button', onclick: () => dialog.close() }, say('close'))),
    h('dl', { class: 'facts' }, fact(say('state'), podState), fact(say('node'), node),
      fact(say('created'), created && when(created)), fact('', restarts > 0 && say('restarts', restarts))),
    findings.map(([finding, index]) => h('p', null, h('a', { href: `#finding-${index}`, onclick: () => dialog.close() }, read(finding.title)), ' ', badge(severityClass(finding.severity), say(finding.verdict)))),
    problems.map((problem) => problemRow([problem], `pod-${namespace}-${name}`)));
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  dialog.showModal();
}
