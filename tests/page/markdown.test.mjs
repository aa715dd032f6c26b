// The Markdown report through two engines of different families: one that follows CommonMark and lets HTML through,
// as careless forums do, and one that grew out of the first Markdown.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, open, require } from './browser.mjs';

const MarkdownIt = require('markdown-it');
const showdown = require('showdown');

const engines = {
  'markdown-it': (text) => new MarkdownIt({ html: true, linkify: true }).render(text),
  showdown: (text) => new showdown.Converter({ tables: true, ghCodeBlocks: true, strikethrough: true, simplifiedAutoLink: true }).makeHtml(text),
};
const read = (name) => readFileSync(`${process.env[name]}.md`, 'utf8');
let browser;

before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

// What the browser makes of the HTML: names of elements, links, and the text of some.
async function seen(html) {
  const { page, close } = await open(browser, `${process.env.SAMPLE}.html`, { javaScriptEnabled: true });
  try {
    return await page.evaluate((source) => {
      const parsed = new DOMParser().parseFromString(source, 'text/html').body;
      const all = (selector) => [...parsed.querySelectorAll(selector)];
      return {
        elements: [...new Set(all('*').map((element) => element.localName))].sort(),
        links: all('a').map((link) => link.getAttribute('href')),
        handlers: all('*').filter((element) => [...element.attributes].some((a) => a.name.startsWith('on'))).length,
        headings: all('h1,h2,h3').map((heading) => heading.textContent),
        blocks: all('pre code').map((block) => block.textContent.trim()),
        code: all('code').map((code) => code.textContent),
        rows: all('tbody tr').map((row) => row.children.length),
        text: parsed.textContent,
      };
    }, html);
  } finally {
    await close();
  }
}

const MEANT = ['a', 'code', 'em', 'h2', 'h3', 'li', 'p', 'pre', 'strong', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul'];

for (const [name, render] of Object.entries(engines)) {
  test(`${name} shows the sample as it is meant`, async () => {
    const text = read('SAMPLE');
    const { elements, headings, blocks, rows, text: words } = await seen(render(text));
    assert.deepEqual(elements.filter((element) => !MEANT.includes(element)), []);
    assert.match(headings[0], /^诊断结果（/);
    assert.equal(headings.length, text.split('\n').filter((line) => /^#{2,3} /.test(line)).length);
    assert.ok(blocks.some((block) => /^(kubectl|helm|systemctl|journalctl) /.test(block)), blocks.join('\n'));
    assert.ok(rows.length > 3 && rows.every((cells) => cells === 2), 'a table of two columns');
    assert.ok(!words.includes('**') && !words.includes('```'), 'no mark is left as text');
  });

  test(`${name} shows hostile text as text`, async () => {
    const { elements, links, handlers, code, rows } = await seen(render(read('HOSTILE')));
    assert.deepEqual(elements.filter((element) => !MEANT.includes(element)), []);
    assert.equal(handlers, 0);
    assert.deepEqual(links.filter((link) => !link.startsWith('https://')), []);
    assert.ok(code.some((text) => text.includes('<script>window.hit=1</script>')), 'it is quoted as it is');
    assert.ok(rows.every((cells) => cells === 2), 'no cell breaks');
  });
}
