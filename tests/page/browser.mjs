// The system's Chromium, and pages in it that note everything they should not do.

import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const require = createRequire(join(process.env.MODULES, 'node_modules', 'x.js'));
const { chromium } = require('playwright-core');

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

export async function launch() {
  if (!CHROMIUM) throw new Error('there is no Chromium; apt-get install chromium');
  // The tests may run as root, where Chromium's own sandbox refuses to work; the pages are our own.
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
}

// Opens a report. `faults` gathers console errors, exceptions, dialogs and every request but that for the file.
export async function open(browser, file, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, timezoneId: 'Asia/Shanghai', ...options });
  const page = await context.newPage();
  const faults = [];
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) faults.push(`console: ${message.text()}`); });
  page.on('pageerror', (error) => faults.push(`exception: ${error.message}`));
  page.on('dialog', (dialog) => { faults.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('request', (request) => { if (request.url() !== `file://${file}`) faults.push(`request: ${request.url()}`); });
  await page.goto(`file://${file}`);
  return { page, faults, close: () => context.close() };
}
