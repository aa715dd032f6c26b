// Drawing the page, and what the reader may choose: language and appearance.

let data;

function remembered(name, fallback) {
  try { return localStorage.getItem(`casebook-${name}`) || fallback; } catch { return fallback; }
}

function remember(name, value) {
  // Pages opened from a file may have no store; the choice then lasts as long as the page.
  try { localStorage.setItem(`casebook-${name}`, value); } catch { /* as said */ }
}

function dress() {
  if (state.theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = state.theme;
}

function draw() {
  const scrolled = scrollY;
  document.documentElement.lang = state.lang === 'zh' ? 'zh-CN' : 'en';
  const name = data.bundle.cluster?.name;
  document.title = `${say('title')}${name ? ` · ${name}` : ''}`;
  dress();
  const sections = [answer(), findingsSection(), unwellSection(), earlierSection(), boardSection(), timelineSection(), nodesSection(), helmSection(), undecidedSection(), ledgerSection()].filter(Boolean);
  document.querySelector('#root')?.remove();
  document.body.append(h('div', { id: 'root' },
    h('a', { class: 'skip', href: '#main' }, say('skip')),
    h('header', null,
      h('div', { class: 'bar' }, h('h1', null, document.title),
        h('button', { type: 'button', id: 'language', lang: state.lang === 'zh' ? 'en' : 'zh-CN', onclick: () => {
          state.lang = state.lang === 'zh' ? 'en' : 'zh';
          remember('lang', state.lang);
          draw();
          document.querySelector('#language').focus();
        } }, say('language')),
        h('button', { type: 'button', id: 'theme', onclick: (event) => {
          state.theme = { auto: 'light', light: 'dark', dark: 'auto' }[state.theme];
          remember('theme', state.theme);
          dress();
          event.currentTarget.textContent = themeName();
        } }, themeName())),
      h('nav', { 'aria-label': say('sections') }, sections.map((part) => h('a', { href: `#${part.id}` }, say(part.id))))),
    h('main', { id: 'main', tabindex: '-1' }, sections, h('p', { class: 'soft small' }, `casebook-analyze ${data.version}`))));
  scrollTo(0, scrolled);
}

function themeName() { return say('theme', say(`theme_${state.theme}`)); }

// Paper shows what is folded away.
addEventListener('beforeprint', () => {
  const folded = () => [...document.querySelectorAll('article.card details:not([open])')];
  // What opens may hold more that is folded.
  for (let parts = folded(); parts.length; parts = folded()) {
    for (const part of parts) { part.dataset.printed = ''; part.show(); part.open = true; }
  }
});
addEventListener('afterprint', () => {
  for (const part of document.querySelectorAll('details[data-printed]')) { delete part.dataset.printed; part.open = false; }
});

document.addEventListener('DOMContentLoaded', () => {
  data = JSON.parse(document.querySelector('#data').textContent);
  state.lang = remembered('lang', data.lang);
  state.theme = remembered('theme', 'auto');
  draw();
});
