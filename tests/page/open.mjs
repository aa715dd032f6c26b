// open.mjs FILE RUNS: opens a page so many times, each in a fresh browser context, and prints one line of JSON: milliseconds
// from asking for the file until it was drawn, until its first picture was on the screen, and elements in it.

import { launch, open } from './browser.mjs';

const [file, runs] = [process.argv[2], Number(process.argv[3])];
const browser = await launch();
const times = [];
for (let run = 0; run < runs; run += 1) {
  const { page, faults, close } = await open(browser, file);
  if (faults.length) throw new Error(faults.join('\n'));
  // The paint is noted a moment after it happened.
  await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
  times.push(await page.evaluate(() => ({
    drawn: performance.getEntriesByType('navigation')[0].loadEventEnd,
    painted: performance.getEntriesByName('first-contentful-paint')[0].startTime,
    elements: document.querySelectorAll('*').length,
  })));
  await close();
}
await browser.close();
const median = (name) => times.map((time) => time[name]).sort((a, b) => a - b)[Math.floor(runs / 2)];
console.log(JSON.stringify({ drawn: median('drawn'), painted: median('painted'), elements: median('elements') }));
