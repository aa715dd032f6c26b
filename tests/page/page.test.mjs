// What a reader does with the page.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, open, require } from './browser.mjs';

const sample = `${process.env.SAMPLE}.html`;
const hostile = `${process.env.HOSTILE}.html`;
const healthy = `${process.env.HEALTHY}.html`;
let browser;

before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

// A test on a page, which must not complain, ask or fetch.
function pageTest(name, act, file = sample, options = {}, expected = []) {
  test(name, async () => {
    const { page, faults, close } = await open(browser, file, options);
    try {
      await act(page);
      assert.deepEqual(faults.filter((fault) => !expected.some((part) => fault.includes(part))), []);
    } finally {
      await close();
    }
  });
}

// Opens everything that is folded below a selector, and what is folded in that, which appears a moment later.
async function unfoldAll(page, selector) {
  const folded = page.locator(`${selector} details:not([open]) > summary`);
  for (let left = 500; left > 0; left -= 1) {
    if (await folded.count() === 0) {
      await page.waitForTimeout(150);
      if (await folded.count() === 0) return;
    }
    await folded.first().click();
  }
  assert.fail('it never ends');
}

const shown = (page, selector) => page.locator(`${selector}:visible`).count();

pageTest('the answer stands at the top with its certainty and its command', async (page) => {
  const answer = page.locator('#summary .answer');
  assert.match(await answer.locator('.badge').first().textContent(), /已确认|很可能|待确认/);
  const title = await answer.locator('.title').textContent();
  assert.equal(title, await page.locator('#finding-0 h3').textContent());
  const box = await answer.boundingBox();
  assert.ok(box.y + box.height < 900, 'the answer needs no scrolling');
});

pageTest('evidence unfolds to the lines around it, the hit marked', async (page) => {
  const evidence = page.locator('#finding-0 details[data-key^="finding-0-evidence"]').first();
  const line = Number((await evidence.locator('summary code').first().textContent()).split(':').pop());
  assert.equal(await evidence.locator('table.lines').count(), 0);
  await evidence.locator('summary').click();
  const hits = evidence.locator('table.lines tr.hit td:first-child');
  assert.equal(Number(await hits.first().textContent()), line);
  assert.ok(await evidence.locator('table.lines tr').count() > 1, 'neighbours are shown');
});

pageTest('search and state buttons filter the pods', async (page) => {
  const all = await shown(page, '#board button.chip, #board button.square');
  const chips = await shown(page, '#board .chip');
  assert.ok(chips > 0, 'the sample has troubled pods');
  const name = (await page.locator('#board .chip').first().textContent()).split(' · ')[0];
  await page.locator('#board input').fill(name);
  assert.equal(await shown(page, '#board .chip'), await page.locator('#board .chip', { hasText: name }).count());
  assert.match(await page.locator('#board [role="status"]').textContent(), new RegExp(` / ${all} `));
  await page.locator('#board input').fill('no such pod');
  assert.equal(await shown(page, '#board .space'), 0);
  await page.locator('#board input').fill('');
  const bad = page.locator('#board button[data-class="bad"]');
  await bad.click();
  assert.equal(await bad.getAttribute('aria-pressed'), 'false');
  assert.equal(await shown(page, '#board .chip.bad'), 0);
});

pageTest('a pod opens by keyboard and closes with Escape', async (page) => {
  await page.locator('#board .chip').first().focus();
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('dialog[open]').count(), 1);
  assert.ok(await page.locator('dialog .step').count() > 0, 'it says what is wrong with it');
  await page.keyboard.press('Escape');
  // The browser tells that it closed a moment later.
  await page.locator('dialog').waitFor({ state: 'detached', timeout: 5000 });
});

pageTest('squares are one stop of the tab key, and arrows move among them', async (page) => {
  const row = page.locator('#board .squares').filter({ has: page.locator('button:nth-child(2)') }).first();
  await row.locator('button').first().focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(await row.locator('button').nth(1).evaluate((cell) => cell === document.activeElement), true);
  assert.equal(await row.locator('button[tabindex="0"]').count(), 1);
}, healthy);

pageTest('of an installation that is well it says so', async (page) => {
  assert.equal(await page.locator('#summary .answer.ok .title').textContent(), '没有发现异常');
  assert.equal(await page.locator('#findings, #unwell').count(), 0);
}, healthy);

pageTest('the language switches everything and keeps what is open', async (page) => {
  await page.locator('#finding-0 details summary').first().click();
  const chinese = await page.locator('#finding-0 h3').textContent();
  await page.locator('#language').click();
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  assert.notEqual(await page.locator('#finding-0 h3').textContent(), chinese);
  assert.equal(await page.locator('#finding-0 details').first().getAttribute('open'), '');
  for (const heading of await page.locator('h2').allTextContents()) assert.doesNotMatch(heading, /\p{Script=Han}/u);
  await page.locator('#language').click();
  assert.equal(await page.locator('#finding-0 h3').textContent(), chinese);
});

pageTest('the appearance follows the system and can be chosen', async (page) => {
  const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await back();
  await page.locator('#theme').click();
  const light = await back();
  assert.notEqual(light, dark);
  await page.locator('#theme').click();
  assert.equal(await back(), dark);
}, sample, { colorScheme: 'dark' });

pageTest('the timeline zooms by button and by key, moves, and tells what a mark is', async (page) => {
  const chart = page.locator('.chart');
  await chart.scrollIntoViewIfNeeded();
  const axis = () => chart.locator('svg > text').allTextContents();
  const range = () => page.evaluate(() => state.range.to - state.range.from);
  await page.locator('[data-zoom="all"]').click();
  const whole = await range();
  await page.locator('[data-zoom="zoom_in"]').click();
  assert.equal(Math.round(whole / await range()), 2);
  await chart.focus();
  await page.keyboard.press('+');
  assert.equal(Math.round(whole / await range()), 4);
  const before = await axis();
  await page.keyboard.press('ArrowRight');
  assert.notDeepEqual(await axis(), before);
  await page.locator('[data-zoom="all"]').click();
  const mark = chart.locator('.mark.bad').first();
  const title = await mark.locator('title').textContent();
  await mark.click();
  assert.equal(await chart.locator('.chosen').count(), 1);
  const said = await page.locator('#timeline .said').textContent();
  assert.ok(said.includes('UTC+08') && said.includes('UTC)'), 'in the zone of the reader and in UTC');
  assert.ok(title.length > 10);
});

pageTest('dragging moves the timeline and a plain wheel scrolls the page', async (page) => {
  const chart = page.locator('.chart');
  await chart.scrollIntoViewIfNeeded();
  await page.locator('[data-zoom="zoom_in"]').click();
  const from = () => page.evaluate(() => state.range.from);
  // Below the header, which stays at the top.
  await page.evaluate(() => document.querySelector('#timeline').scrollIntoView({ behavior: 'instant' }));
  const box = await chart.boundingBox();
  const start = await from();
  // To the right, since the opening range may already end where the evidence does.
  await page.mouse.move(box.x + box.width * 0.5, box.y + 8);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.8, box.y + 8, { steps: 5 });
  await page.mouse.up();
  assert.notEqual(await from(), start);
  const size = await page.evaluate(() => state.range.to - state.range.from);
  await page.mouse.wheel(0, 200);
  assert.equal(await page.evaluate(() => state.range.to - state.range.from), size);
});

pageTest('what hangs on what is drawn', async (page) => {
  await unfoldAll(page, '#unwell article');
  const drawings = page.locator('.graph svg');
  assert.ok(await drawings.count() > 0);
  for (const drawing of await drawings.all()) {
    assert.ok(await drawing.locator('.box').count() >= 2);
    assert.ok(await drawing.locator('.edge').count() >= 1);
  }
  const over = await page.locator('.graph svg').evaluateAll((all) => all.flatMap((drawing) => {
    const boxes = [...drawing.querySelectorAll('.box')].map((box) => box.parentNode);
    return boxes.flatMap((group) => [...group.querySelectorAll('text')].filter((text) => {
      const [inner, outer] = [text.getBBox(), group.querySelector('.box').getBBox()];
      return inner.x + inner.width > outer.x + outer.width;
    }).map((text) => text.textContent));
  }));
  assert.deepEqual(over, [], 'words stay within their box');
});

pageTest('what a finding explains is folded away and leads to that very finding', async (page) => {
  const known = page.locator('#unwell > article').last();
  assert.equal(await known.locator('article').count(), 0);
  await unfoldAll(page, '#unwell article');
  const groups = known.locator('article');
  assert.ok(await groups.count() > 1);
  // Two findings of one case: each group must lead to the one about its own object.
  const release = await page.evaluate(() => data.findings.filter((one) => one.case === 'helm-another-operation')
    .map((one) => one.subjects[0].name));
  assert.equal(release.length, 2);
  for (const name of release) {
    const group = groups.filter({ has: page.locator('.subjects', { hasText: `HelmRelease` }) }).filter({ hasText: name }).first();
    const target = await group.locator('.head a').first().getAttribute('href');
    assert.ok((await page.locator(target).locator('.subjects').first().textContent()).includes(name), target);
  }
});

pageTest('a pod that is not ready is not drawn as one that is well', async (page) => {
  const states = await page.locator('#board .square.ok').evaluateAll((all) => all.map((one) => one.title));
  assert.ok(states.length > 0);
  assert.deepEqual(states.filter((title) => !title.endsWith(' Ready')), []);
});

pageTest('a command can be copied', async (page) => {
  const block = page.locator('.command').first();
  await block.locator('button').click();
  await page.waitForFunction(() => document.querySelector('.command button').textContent === '已复制');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await block.locator('pre').textContent());
}, sample, { permissions: ['clipboard-read', 'clipboard-write'] });

pageTest('every section can be reached from the top', async (page) => {
  const links = await page.locator('nav a').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
  assert.ok(links.length >= 6, links.join());
  for (const link of links) assert.equal(await page.locator(link).count(), 1, link);
});

pageTest('on paper everything is unfolded', async (page) => {
  await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
  assert.equal(await page.locator('article.card details:not([open])').count(), 0);
  await page.evaluate(() => dispatchEvent(new Event('afterprint')));
  assert.ok(await page.locator('article.card details:not([open])').count() > 0);
});

for (const width of [390, 768, 1280]) {
  pageTest(`at ${width} pixels nothing runs over the edge`, async (page) => {
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `${over} pixels too wide`);
  }, sample, { viewport: { width, height: 900 } });

  for (const colorScheme of ['light', 'dark']) {
    pageTest(`no serious fault of accessibility at ${width} pixels, ${colorScheme}`, async (page) => {
      await unfoldAll(page, '#finding-0');
      // axe brings its own script, which the page's policy rightly refuses; it is put in by the debugger.
      await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
      const { violations } = await page.evaluate(() => axe.run({ resultTypes: ['violations'] }));
      const bad = violations.filter((v) => ['serious', 'critical'].includes(v.impact));
      assert.deepEqual(bad.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')}`), []);
    }, sample, { viewport: { width, height: 900 }, colorScheme });
  }
}

pageTest('hostile text stays text', async (page) => {
  await unfoldAll(page, 'main');
  await page.locator('#board .chip').first().click();
  await page.keyboard.press('Escape');
  await page.locator('#language').click();
  assert.equal(await page.evaluate(() => window.hit), undefined);
  assert.equal(await page.locator('img').count(), 0);
  assert.equal(await page.locator('script').count(), 2);
  const text = await page.locator('main').innerText();
  assert.ok(text.includes('<script>window.hit=1</script>'), 'it is shown as it is');
  assert.ok(text.includes('\\u{202e}') && !text.includes('\u202e'));
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(over <= 0, `${over} pixels too wide`);
}, hostile, { viewport: { width: 390, height: 900 } });

pageTest('the policy refuses a script that is put into the page', async (page) => {
  const refused = await page.evaluate(() => new Promise((resolve) => {
    document.addEventListener('securitypolicyviolation', (event) => resolve(event.violatedDirective));
    const script = document.createElement('script');
    script.textContent = 'window.hit = 1';
    document.body.append(script);
    setTimeout(() => resolve('none'), 500);
  }));
  assert.match(refused, /^script-src/);
  assert.equal(await page.evaluate(() => window.hit), undefined);
}, sample, {}, ['Content Security Policy']);

pageTest('without scripts the plain report is there', async (page) => {
  assert.match(await page.locator('pre').textContent(), /^## 诊断结果/);
}, sample, { javaScriptEnabled: false });
