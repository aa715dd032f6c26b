'use strict';
// Words of the page in both languages: [Chinese, English]. `%` stands for a value.
const WORDS = {
  title: ['诊断报告', 'Diagnosis'],
  skip: ['跳到正文', 'Skip to the content'],
  language: ['English', '中文'],
  theme: ['外观：%', 'Theme: %'],
  theme_auto: ['自动', 'auto'],
  theme_light: ['浅色', 'light'],
  theme_dark: ['深色', 'dark'],
  sections: ['目录', 'Sections'],
  summary: ['结论', 'Summary'],
  findings: ['发现的问题', 'Findings'],
  unwell: ['所有异常', 'All that is not well'],
  unwell_lead: ['不依赖已知问题，按可能的共同原因归类。', 'Found without any known case, put together by likely common cause.'],
  board: ['Pod 一览', 'Pods'],
  timeline: ['时间线', 'Timeline'],
  nodes: ['节点', 'Nodes'],
  helm: ['Helm 历史', 'Helm histories'],
  undecided: ['无法排除的问题', 'Cannot be ruled out'],
  undecided_lead: ['没有看到迹象，但判断所需的内容没有收集到。', 'No sign was seen, but what would show them was not collected.'],
  ledger: ['没有收集到的内容', 'What was not collected'],
  no_case: ['没有匹配到已知问题', 'No known case matches'],
  well: ['没有发现异常', 'Nothing looks wrong'],
  nothing_wrong: ['在已收集的内容里没有发现异常，也没有匹配到已知问题。', 'Nothing in what was collected looks wrong, and no known case matches.'],
  nothing_read: ['输入里没有可以分析的内容。', 'The input holds nothing that can be analysed.'],
  see_unwell: ['下面列出 % 组异常和最能说明问题的日志。', '% groups of things that are not well are listed below, with the log lines that tell most.'],
  confirmed: ['已确认', 'confirmed'], likely: ['很可能', 'likely'], need_more: ['待确认', 'need more information'],
  critical: ['严重', 'critical'], error: ['错误', 'error'], warning: ['警告', 'warning'], info: ['提示', 'info'],
  collected_at: ['收集时间', 'Collected'], cluster: ['集群', 'Cluster'], pods: ['Pod', 'Pods'], releases: ['Helm release', 'Helm releases'],
  input: ['输入', 'Input'], text_read: ['读取文本', 'Text read'], stopped: ['提前结束：%', 'stopped early: %'],
  concerns: ['对象', 'Concerns'], more: ['另有 % 个', '% more'],
  also: ['其他发现', 'Also found'],
  steps: ['处理步骤', 'What to do'], destructive: ['有破坏性，无法撤销', 'destructive, cannot be undone'], loses: ['会丢失：%', 'You lose: %'],
  caution: ['注意：%', 'Caution: %'], asks_more: ['还需要知道', 'Still to be known'], asks_sure: ['要完全确认，还可以查看', 'To be fully sure'],
  evidence: ['依据', 'Evidence'], chain: ['从现象到原因', 'From sign to cause'], explains: ['由此引起', 'It also explains'], references: ['参考', 'See also'],
  bygone: ['曾经出现、现已恢复的问题', 'Earlier, over by now'],
  times: ['% 次', '% times'], copy: ['复制', 'Copy'], copied: ['已复制', 'Copied'], no_lines: ['这一行的上下文不在页面中。', 'The lines around it are not in this page.'],
  restarts: ['重启 % 次', '% restarts'], since: ['自 %', 'since %'], see_finding: ['见：%', 'see: %'], known: ['上面的问题已经解释的异常（% 组）', 'Explained by the findings above (% groups)'], objects: ['% 个对象', '% objects'],
  telling: ['最能说明问题的日志', 'Log lines that tell most'], from_text: ['% 中最能说明问题的行', 'Most telling lines of %'],
  log_of: ['日志中最能说明问题的行', 'Log lines that tell most'], whole: ['全部步骤和依据', 'All steps and the evidence'],
  look_first: ['先看：', 'Look here first:'],
  waiting_lead: ['下面这些在等上面的对象，上面的恢复后多半也会恢复：', 'These wait for it and should end when it is mended:'],
  waits_for: ['在等 %', 'waits for %'], waits_for_through: ['在等 %（经由 %）', 'waits for % (through %)'],
  consequence: ['它在等 %（%）；后者恢复后，它多半也会恢复。', 'It waits for % (%) and should end when that is mended.'],
  hangs: ['对象之间的关系', 'How they hang together'],
  filter: ['按名称、命名空间、节点或状态过滤', 'Filter by name, namespace, node or state'],
  bad: ['异常', 'in trouble'], warn: ['警告', 'warning'], ok: ['正常', 'well'], done: ['已完成', 'done'],
  shown: ['显示 % / % 个', '% of % shown'], left_out: ['另有 % 个未列出', '% more are not listed'],
  state: ['状态', 'State'], node: ['节点', 'Node'], created: ['创建时间', 'Created'], close: ['关闭', 'Close'], none: ['无', 'none'],
  zoom_in: ['放大', 'Zoom in'], zoom_out: ['缩小', 'Zoom out'], earlier: ['更早', 'Earlier'], later: ['更晚', 'Later'], all: ['全部', 'All'],
  last_hour: ['最后 1 小时', 'Last hour'], last_day: ['最后 1 天', 'Last day'], all_rows: ['显示全部 % 行', 'Show all % rows'], fewer_rows: ['收起', 'Fewer rows'],
  finding: ['发现', 'Findings'], restart: ['容器结束', 'Container endings'], log: ['日志报错', 'Log complaints'], event: ['事件', 'Events'],
  corrected: ['各节点的时间已按测得的时钟偏差修正。', 'Times are corrected by the measured clock skew of each node.'],
  as_table: ['以表格显示当前范围', 'This range as a table'], time: ['时间', 'Time'], what: ['内容', 'What'], row: ['对象', 'Object'],
  chart_label: ['时间线：用加减号缩放，用左右方向键移动', 'Timeline: plus and minus zoom, left and right arrows move'],
  pick_mark: ['选择一个标记查看内容；红色是异常，虚线是收集时刻。', 'Choose a mark to read what it is; red is trouble, the dashed line is when it was collected.'], collected_here: ['收集时刻', 'collected'],
  ready: ['就绪', 'Ready'], not_ready: ['未就绪', 'Not ready'], cpu: ['CPU 请求', 'CPU requests'], memory: ['内存请求', 'Memory requests'],
  version: ['版本', 'Version'], notes: ['状况', 'Conditions'], skew: ['时钟', 'Clock'], ahead: ['快 %', 'ahead by %'], behind: ['慢 %', 'behind by %'],
  of: ['% / %（%）', '% of % (%)'], revision: ['版本', 'Revision'], updated: ['更新时间', 'Updated'], status: ['状态', 'Status'], chart: ['Chart', 'Chart'],
  app_version: ['应用版本', 'App version'], description: ['说明', 'Description'], case: ['问题', 'Case'], missing: ['缺少', 'Missing'], settle: ['如何判断', 'What would settle it'],
  no_ledger: ['输入没有收集记录，无法知道缺少什么。', 'The input has no ledger, so that nothing is known of what is missing.'],
  all_there: ['需要的内容都收集到了，共 % 项。', 'Everything that was wanted was collected, % items in all.'],
  ledger_counts: ['共 % 项', '% items in all'], masked: ['遮盖的敏感值', 'Values masked'],
  forbidden: ['没有权限', 'permission denied'], timed_out: ['超时', 'timed out'], truncated: ['不完整', 'incomplete'], unknown: ['未知', 'unknown'],
  failed: ['失败', 'failed'], skipped: ['未收集', 'left out'], not_found: ['不存在', 'does not exist'], empty: ['为空', 'empty'], collected: ['已收集', 'collected'],
  day: ['天', 'd'], hour: ['小时', 'h'], minute: ['分钟', 'min'], second: ['秒', 's'], ago: ['%前', '% ago'],
  nothing_fits: ['没有符合条件的内容。', 'Nothing fits.'],
};

// What the reader has chosen.
const state = { lang: 'zh', theme: 'auto', search: '', classes: new Set(['bad', 'warn', 'ok', 'done']), open: new Set(), range: null, rows: new Set() };

function say(key, ...values) {
  const words = WORDS[key];
  if (!words) return key;
  return values.reduce((text, value) => text.replace('%', () => String(value)), words[state.lang === 'zh' ? 0 : 1]);
}

// A text of the report, which is in both languages.
function read(text) { return text ? within(text[state.lang] || text.zh || text.en || '') : ''; }

// A sentence made of the cluster's values, with its moments in the reader's zone and long milliseconds in words.
function within(text) {
  return text.replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)/g, when)
    .replace(/\b(\d{4,15}) (?:ms\b|毫秒)/g, (_, millis) => lasting(Number(millis)));
}

const two = (n) => String(n).padStart(2, '0');

// A moment in the reader's zone, with UTC beside it where that differs.
function when(value) {
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) return String(value ?? '');
  const clock = (h, m, s) => `${two(h)}:${two(m)}:${two(s)}`;
  const utc = clock(date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds());
  const utcDay = date.toISOString().slice(0, 10);
  const offset = -date.getTimezoneOffset();
  if (offset === 0) return `${utcDay} ${utc} UTC`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const size = Math.abs(offset);
  const zone = `UTC${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${size % 60 ? `:${two(size % 60)}` : ''}`;
  return `${day} ${clock(date.getHours(), date.getMinutes(), date.getSeconds())} ${zone} (${day === utcDay ? '' : `${utcDay} `}${utc} UTC)`;
}

// A length of time in its two largest units.
function lasting(millis) {
  let seconds = Math.floor(Math.abs(millis) / 1000);
  if (seconds === 0) return `${Math.abs(millis)} ms`;
  const parts = [];
  for (const [size, unit] of [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']]) {
    if (seconds >= size && parts.length < 2) {
      parts.push(`${Math.floor(seconds / size)} ${say(unit)}`);
      seconds %= size;
    } else if (parts.length) break;
  }
  return parts.join(' ');
}

function bytes(count) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (count >= 999.5 && unit + 1 < units.length) { count /= 1000; unit += 1; }
  return `${unit === 0 || count >= 99.5 ? Math.round(count) : count.toFixed(1)} ${units[unit]}`;
}

function gibibytes(count) { return `${(count / 2 ** 30).toFixed(1)} GiB`; }

function severityClass(severity) {
  return { critical: 'bad', error: 'bad', warning: 'warn', info: 'info' }[severity] || 'info';
}
