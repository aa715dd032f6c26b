// Nodes with their loads, helm histories, and what was not collected.

function nodesSection() {
  if (!data.nodes.length) return null;
  const columns = ['node', 'state', 'cpu', 'memory', 'pods', 'version', 'skew', 'notes'];
  const row = (node) => [
    [h('strong', null, node.name), h('div', { class: 'soft small' }, node.address)],
    badge(node.ready ? 'ok' : 'bad', say(node.ready ? 'ready' : 'not_ready')),
    bar(node.cpu, (n) => (n / 1000).toFixed(n % 1000 ? 2 : 0)),
    bar(node.memory, gibibytes),
    bar(node.pods, String),
    [node.version, h('div', { class: 'soft small' }, [node.system, node.runtime].filter(Boolean).join(', '))],
    node.skew_ms === null ? '' : say(node.skew_ms >= 0 ? 'ahead' : 'behind', lasting(node.skew_ms)),
    node.notes.map((note) => h('div', { class: 'small' }, note)),
  ];
  // What is wrong comes first, and a column of nothing only takes room.
  const trouble = (node) => (node.ready ? 0 : 2) + (node.notes.length > 0 ? 1 : 0);
  const list = [...data.nodes].sort((a, b) => trouble(b) - trouble(a) || a.name.localeCompare(b.name, 'en', { numeric: true }));
  const empty = { skew: list.every((node) => node.skew_ms === null), notes: list.every((node) => !node.notes.length) };
  const kept = columns.map((key, index) => [key, index]).filter(([key]) => !empty[key]);
  const draw = (nodes) => table(kept.map(([key]) => say(key)), nodes.map((node) => { const cells = row(node); return kept.map(([, index]) => cells[index]); }));
  const most = 30;
  return section('nodes', draw(list.slice(0, most)),
    list.length > most && unfold('nodes-rest', say('more', list.length - most), () => draw(list.slice(most))));
}

function bar(load, show) {
  if (!load.allocatable) return load.requested ? show(load.requested) : '–';
  const share = load.requested / load.allocatable;
  const fillBar = h('div', { class: `fill ${share > 1 ? 'bad' : share > 0.85 ? 'warn' : ''}` });
  fillBar.style.width = `${Math.min(share, 1) * 100}%`;
  return h('div', { class: 'load small' }, say('of', show(load.requested), show(load.allocatable), `${Math.round(share * 100)}%`), h('div', { class: 'track' }, fillBar));
}

function helmSection() {
  if (!data.releases.length) return null;
  const inForce = (revision) => ['deployed', 'superseded', 'uninstalled'].includes(revision.status);
  const list = [...data.releases].sort((a, b) => inForce(a.revisions[0]) - inForce(b.revisions[0]));
  const columns = ['revision', 'updated', 'status', 'chart', 'app_version', 'description'].map((key) => say(key));
  return section('helm', list.map((release) => {
    const [newest] = release.revisions;
    const good = inForce(newest);
    return unfold(`helm-${release.namespace}-${release.name}`,
      [h('strong', null, `${release.namespace}/${release.name}`), ' ', badge(good ? 'ok' : 'bad', newest.status), h('span', { class: 'soft' }, ` #${newest.revision} ${newest.chart}`)],
      () => table(columns, release.revisions.map((r) => [r.revision, r.updated && when(r.updated), r.status, r.chart, r.app_version, r.description]), { label: `${release.namespace}/${release.name}` }),
      !good);
  }));
}

function ledgerSection() {
  const { ledger, missing } = data;
  const groups = new Map();
  for (const item of ledger.missing) {
    const key = `${item.outcome}\n${item.note || ''}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(item);
  }
  const sorted = [...groups.values()].sort((a, b) => (a[0].outcome === 'skipped') - (b[0].outcome === 'skipped') || b.length - a.length);
  const counts = Object.entries(ledger.outcomes).map(([name, count]) => `${say(name)} ${count}`).join(', ');
  const masked = Object.entries(ledger.masked).map(([name, count]) => `${name} ${count}`).join(', ');
  return section('ledger',
    h('p', null, !ledger.items ? say('no_ledger') : missing ? `${say('ledger_counts', ledger.items)}: ${counts}` : say('all_there', ledger.items)),
    masked && h('p', { class: 'soft' }, `${say('masked')}: ${masked}`),
    sorted.map((items, index) => unfold(`ledger-${index}`,
      [badge(items[0].outcome === 'skipped' ? 'info' : 'warn', say(items[0].outcome)), ` ×${items.length} `, h('code', null, items[0].note || items[0].path)],
      () => h('ul', { class: 'small' }, items.slice(0, 500).map((item) => h('li', null, h('code', null, item.path), h('span', { class: 'soft' }, ` ${item.source}`), item.missing_bytes && ` −${bytes(item.missing_bytes)}`))))),
    missing > ledger.missing.length && h('p', { class: 'soft' }, say('left_out', missing - ledger.missing.length)));
}
