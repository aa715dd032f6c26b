// The answer, the findings, what is not well without any case, and what cannot be ruled out.

function answer() {
  const { bundle, findings, triage } = data;
  // A remark is no answer while something is in trouble that no case explains.
  const first = findings.length && (findings[0].severity !== 'info' || !triage.groups.length) ? findings[0] : null;
  const groups = triage.groups.length + triage.texts.length;
  let head;
  if (first) {
    const kind = first.verdict === 'need_more' ? 'warn' : severityClass(first.severity);
    head = h('div', { class: `answer ${kind}` },
      h('p', { class: 'title' }, read(first.title)),
      h('p', null, badge(kind, say(first.verdict)), ' ', h('code', null, first.case)),
      paragraphs(read(first.conclusion)),
      logOf(0),
      first.fix[0] && first.fix[0].commands.length ? [h('p', { class: 'soft' }, read(first.fix[0].text)), command(first.fix[0].commands.join('\n'))] : null,
      !first.fix.length && first.asks[0] ? [paragraphs(read(first.asks[0].text)), first.asks[0].command && command(first.asks[0].command)] : null,
      h('p', { class: 'small' }, h('a', { href: '#finding-0' }, say('whole'))));
  } else {
    const pieces = bundle.texts + Object.values(bundle.objects).reduce((sum, count) => sum + count, 0);
    const well = !groups && !findings.length && pieces > 0;
    head = h('div', { class: `answer ${well ? 'ok' : 'warn'}` },
      h('p', { class: 'title' }, say(well ? 'well' : 'no_case')),
      h('p', null, groups ? say('see_unwell', groups) : say(pieces > 0 ? 'nothing_wrong' : 'nothing_read')));
  }
  const others = findings.slice(first ? 1 : 0);
  const also = others.length > 0 && [h('h3', null, say('also')), h('ul', { class: 'also' }, others.slice(0, 8).map((finding, index) => h('li', null,
    badge(finding.verdict === 'need_more' ? 'warn' : severityClass(finding.severity), say(finding.verdict)), ' ',
    h('a', { href: `#finding-${index + (first ? 1 : 0)}` }, read(finding.title)),
    finding.subjects.length > 0 && h('span', { class: 'soft small' }, ` ${subjectName(finding.subjects[0])}${finding.subjects.length > 1 ? ` +${finding.subjects.length - 1}` : ''}`)))),
  others.length > 8 && h('p', null, h('a', { href: '#findings' }, say('more', others.length - 8)))];
  const fact = (name, value) => value && value.length !== 0 && h('div', null, h('dt', null, say(name)), h('dd', null, value));
  const counts = (map) => Object.entries(map).map(([name, count]) => `${count} ${name}`).join(', ');
  return h('section', { id: 'summary', 'aria-labelledby': 'summary-title' },
    h('h2', { id: 'summary-title' }, say('summary')), head, also,
    h('dl', { class: 'facts' },
      fact('cluster', bundle.cluster && [bundle.cluster.name, bundle.cluster.version].filter(Boolean).join(' ')),
      fact('collected_at', bundle.collected_at && when(bundle.collected_at)),
      fact('nodes', counts(bundle.nodes)), fact('pods', counts(bundle.pods)), fact('releases', counts(bundle.releases)),
      fact('text_read', bytes(bundle.text_bytes))),
    h('h3', null, say('input')),
    bundle.inputs.map((input) => h('div', null, h('code', null, input.path.split(/[\\/]/).filter(Boolean).pop() || input.path), ` · ${input.layout}`,
      input.tool && ` · ${input.tool}`, input.stopped && ` · ${say('stopped', input.stopped)}`,
      input.notes.length > 0 && h('ul', { class: 'small' }, input.notes.map((note) => h('li', null, read(note)))))));
}

function findingsSection() {
  if (!data.findings.length) return null;
  return section('findings', data.findings.map((finding, index) => findingCard(finding, `finding-${index}`, logOf(index))));
}

// What had been and is over, in a line each.
function earlierSection() {
  if (!data.earlier.length) return null;
  const name = (finding) => finding.subjects.length > 0 && h('span', { class: 'soft small' },
    ` ${subjectName(finding.subjects[0])}${finding.subjects.length > 1 ? ` +${finding.subjects.length - 1}` : ''}`);
  const last = (finding) => finding.evidence.map((place) => place.time).filter(Boolean).sort().pop();
  return section('bygone', h('ul', { class: 'also' }, data.earlier.map((finding) => h('li', null, read(finding.title), name(finding),
    last(finding) && h('span', { class: 'soft small' }, ` · ${when(last(finding))}`)))));
}

// What a finding's steps would have the reader look for in a log, where that log is at hand.
function logOf(index) {
  const list = data.finding_logs[index];
  if (!list.length) return null;
  return [h('p', null, h('strong', null, say('log_of'))), logLines(list, `finding-${index}-log`)];
}

function findingCard(finding, key, log) {
  const kind = finding.verdict === 'need_more' ? 'warn' : severityClass(finding.severity);
  return h('article', { class: 'card', id: key, 'aria-labelledby': `${key}-title` },
    h('div', { class: 'head' }, h('h3', { id: `${key}-title` }, read(finding.title)),
      badge(kind, say(finding.verdict)), badge(severityClass(finding.severity), say(finding.severity))),
    h('p', { class: 'soft small' }, `${finding.case} · ${finding.section}`),
    finding.waits_for && h('p', null, h('strong', null, say('consequence', place(finding.waits_for.subject), finding.waits_for.state))),
    paragraphs(read(finding.conclusion)),
    finding.subjects.length > 0 && [h('h4', null, say('concerns')), subjects(finding.subjects, key)],
    log,
    finding.fix.length > 0 && [h('h4', null, say('steps')), h('ol', null, finding.fix.map(step))],
    finding.caution && h('p', null, prose(say('caution', read(finding.caution)))),
    finding.asks.length > 0 && [h('h4', null, say(finding.verdict === 'need_more' ? 'asks_more' : 'asks_sure')), finding.asks.map(ask)],
    finding.evidence.length > 0 && [h('h4', null, say('evidence')), some(finding.evidence, 6, `${key}-evidence`, evidence)],
    finding.chain.length > 1 && [h('h4', null, say('chain')), graph(chainEdges(finding.chain), chainStates(finding.chain), say('chain'))],
    finding.explains.length > 0 && [h('h4', null, say('explains')),
      finding.explains.map((inner, index) => unfold(`${key}-explains-${index}`, read(inner.title), () => findingCard(inner, `${key}-inner-${index}`)))],
    finding.references.length > 0 && [h('h4', null, say('references')), h('ul', null, finding.references.map((link) => h('li', null, reference(link))))]);
}

// The first of a list, the rest folded away.
function some(list, most, key, draw) {
  const drawn = (items, from) => items.map((item, index) => draw(item, `${key}-${from + index}`));
  if (list.length <= most + 1) return drawn(list, 0);
  return [drawn(list.slice(0, most), 0), unfold(`${key}-rest`, say('more', list.length - most), () => h('div', null, drawn(list.slice(most), most)))];
}

function step(fix) {
  return h('li', { class: fix.destructive ? 'step destructive' : 'step' }, prose(read(fix.text)), ' ',
    fix.destructive && badge('bad', say('destructive')),
    fix.loses && h('p', { class: 'small' }, prose(say('loses', read(fix.loses)))),
    fix.commands.length > 0 && command(fix.commands.join('\n')));
}

function ask(item) { return h('div', null, paragraphs(read(item.text)), item.command && command(item.command)); }

function evidence(item, key) {
  const hits = [];
  for (let line = item.line; line <= Math.min(item.end_line, item.line + 20); line += 1) hits.push(line);
  return unfold(key, [h('code', null, `${item.path}:${item.line}`),
    item.time && h('span', { class: 'soft small' }, ` ${when(item.time)}`),
    item.count > 1 && h('span', { class: 'soft small' }, ` (${say('times', item.count)})`),
    h('div', null, h('code', null, item.pointer ? within(item.excerpt) : withoutTime(item.excerpt))),
    reading(item.path, item.line, false)],
  () => h('div', null, item.pointer && h('p', { class: 'soft small' }, h('code', null, item.pointer)), lines(item.path, hits, item.pointer ? 0 : 8)));
}

// The time stands beside the line, in the zone of the reader.
function withoutTime(line) { return line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d) /, ''); }

// Only plain web addresses become links, and only from rules.
function reference(link) {
  return /^https:\/\/[^\s<>"'`]+$/.test(link) ? h('a', { href: link, rel: 'noreferrer noopener', target: '_blank' }, link) : link;
}

function unwellSection() {
  const { groups, texts } = data.triage;
  if (!groups.length && !texts.length) return null;
  const cards = groups.map((group, index) => [group, groupCard.bind(null, group, `group-${group.cause.kind}-${group.cause.name}`, data.group_findings[index])]);
  const known = cards.filter(([group]) => group.explained);
  const unknown = cards.filter(([group]) => !group.explained);
  return section('unwell', h('p', { class: 'soft' }, say('unwell_lead')),
    some(unknown, 20, 'unwell', ([, card]) => card()),
    known.length > 0 && h('article', { class: 'card' }, h('h3', null, say('known', known.length)),
      known.map(([group, card], index) => unfold(`known-${index}`, [badge(severityClass(group.severity), say(group.severity)), ' ', read(group.title)], card))),
    texts.map((text, index) => h('div', { class: 'card' },
      unfold(`text-${text.path}`, h('strong', null, say('from_text', text.path)), () => h('div', null, logLines(text.lines, `text-${text.path}`)), index < 3))));
}

function groupCard(group, key, about) {
  const states = new Map(group.problems.map((problem) => [subjectKey(problem.subject), { state: problem.state, kind: severityClass(problem.severity) }]));
  return h('article', { class: 'card', 'data-group': group.cause.kind },
    h('div', { class: 'head' }, h('h3', null, read(group.title)),
      badge(severityClass(group.severity), say(group.severity)),
      about.map((index) => h('a', { href: `#finding-${index}` }, say('see_finding', read(data.findings[index].title))))),
    alike(group.problems.filter((problem) => !problem.waits_for)).map((problems, index) => problemRow(problems, `${key}-${index}`)),
    group.command && !group.explained && [h('p', { class: 'soft small' }, say('look_first')), command(group.command)],
    waitingList(group.problems.filter((problem) => problem.waits_for), key),
    group.edges.length > 0 && unfold(`${key}-graph`, say('hangs'), () => graph(group.edges, states, read(group.title)), group.edges.length > 2 && !group.explained));
}

// What only waits for the cause of a group, and for which object of it.
function waitingList(problems, key) {
  if (!problems.length) return null;
  return h('div', { class: 'step', 'data-waiting': problems.length },
    h('p', null, say('waiting_lead')),
    alike(problems).map((same, index) => h('div', null,
      subjects(same.map((problem) => problem.subject), `${key}-waiting-${index}`),
      h('p', { class: 'small' }, h('strong', null, same[0].state), ', ', waitsFor(same[0].waits_for)))));
}

function place(subject) { return `${subject.kind} ${subject.namespace ? `${subject.namespace}/` : ''}${subject.name}`; }

function waitsFor({ on, through }) {
  return through ? say('waits_for_through', place(on), place(through)) : say('waits_for', place(on));
}

// Problems that differ only in the name of the object stand together.
function alike(problems) {
  const groups = new Map();
  for (const problem of problems) {
    const told = problem.waits_for ? JSON.stringify(problem.waits_for) : (problem.message || '').replace(/[\w-]*\d[\w-]*/g, '#');
    const shape = `${problem.subject.kind} ${problem.state} ${told}`;
    if (!groups.has(shape)) groups.set(shape, []);
    groups.get(shape).push(problem);
  }
  return [...groups.values()];
}

function problemRow(problems, key) {
  const first = problems[0];
  const restarts = Math.max(...problems.map((problem) => problem.restarts || 0));
  const since = problems.map((problem) => problem.since).filter(Boolean).sort()[0];
  const told = problems.find((problem) => problem.log.length);
  return h('div', { class: 'step' },
    h('div', null, h('strong', null, first.state), restarts > 0 && `, ${say('restarts', restarts)}`,
      since && h('span', { class: 'soft small' }, ` ${say('since', when(since))}`)),
    subjects(problems.map((problem) => problem.subject), key),
    first.message && h('p', { class: 'small' }, h('code', null, first.message)),
    told && logLines(told.log, `${key}-log`));
}

function logLines(list, key) {
  return list.map((line, index) => unfold(`${key}-${index}`,
    [h('code', null, line.text), line.count > 1 && h('strong', null, ` ×${line.count}`),
      h('div', { class: 'soft small' }, `${line.path}:${line.line}`, line.time && ` · ${when(line.time)}`),
      reading(line.path, line.line, true)],
    () => lines(line.path, [line.line])));
}

// What a line means and what the bundle knows of the names in it. A case says the first better than the lexicon.
function reading(path, line, isAlone) {
  const found = data.readings.find((one) => one.line === line && one.path === path);
  if (!found || (!isAlone && !found.names.length)) return null;
  return h('div', { class: 'reading' }, isAlone && h('p', null, prose(read(found.meaning))),
    found.names.map((named) => h('p', { class: 'small' }, h('code', null, named.name), ' → ',
      [{ subject: named.subject, state: read(named.state) }, ...named.chain.filter((link) => subjectName(link.subject) !== subjectName(named.subject))]
        .flatMap((link, index) => [index > 0 && ' → ', h('strong', null, subjectName(link.subject)), ' ', link.state]))),
    isAlone && found.command && command(found.command));
}

function undecidedSection() {
  if (!data.unresolved.length) return null;
  return section('undecided', h('p', { class: 'soft' }, say('undecided_lead')),
    table([say('case'), say('missing'), say('settle')], data.unresolved.map((item) => [
      [read(item.title), h('div', { class: 'soft small' }, item.case)],
      item.missing.map((missing) => h('div', null, missing.source, missing.outcome && ` (${say(missing.outcome)})`)),
      item.asks.map(ask)]), { label: say('undecided') }));
}
