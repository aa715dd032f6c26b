// The formats for programs, judged by what such programs judge with: JSON Schemas, and an XML parser.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, open, require } from './browser.mjs';

const Ajv = require('ajv/dist/2020').default;
const Ajv04 = require('ajv-draft-04').default;
const read = (name, ending) => readFileSync(`${process.env[name]}.${ending}`, 'utf8');
const json = (name, ending) => JSON.parse(read(name, ending));
let browser;

before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

// What a schema has against a document; none when it fits. Formats such as `int64` are no rules of JSON Schema.
function faults(ajv, schema, document) {
  const fits = ajv.compile(schema);
  return fits(document) ? [] : fits.errors.map((error) => `${error.instancePath} ${error.message}`);
}

// The pattern of languages in SARIF's schema is none to a strict reader of regular expressions.
const options = { strict: false, allErrors: true, validateFormats: false, unicodeRegExp: false };
const sarif = () => JSON.parse(readFileSync(require.resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json'), 'utf8'));

for (const name of ['SAMPLE', 'HOSTILE']) {
  test(`${name}: SARIF fits the schema of its standard`, () => {
    const log = json(name, 'sarif');
    assert.deepEqual(faults(new Ajv04(options), sarif(), log), []);
    assert.ok(log.runs[0].results.length > 0, 'it has results');
    // The check can fail: a level that the standard does not know.
    log.runs[0].results[0].level = 'catastrophe';
    assert.notDeepEqual(faults(new Ajv04(options), sarif(), log), []);
  });

  test(`${name}: JUnit is XML to a browser, and its sums are right`, async () => {
    const { page, close } = await open(browser, `${process.env.SAMPLE}.html`);
    try {
      const seen = await page.evaluate((source) => {
        const parsed = new DOMParser().parseFromString(source, 'application/xml');
        const count = (selector) => parsed.querySelectorAll(selector).length;
        const sum = (name) => Number(parsed.documentElement.getAttribute(name));
        return {
          errors: count('parsererror'),
          said: [sum('tests'), sum('failures'), sum('skipped')],
          counted: [count('testcase'), count('failure'), count('skipped')],
          elements: [...new Set([...parsed.querySelectorAll('*')].map((element) => element.localName))].sort(),
        };
      }, read(name, 'xml'));
      assert.equal(seen.errors, 0);
      assert.deepEqual(seen.said, seen.counted);
      assert.ok(seen.counted[0] > 100 && seen.counted[1] > 0, `${seen.counted}`);
      const meant = ['failure', 'skipped', 'system-out', 'testcase', 'testsuite', 'testsuites'];
      assert.deepEqual(seen.elements.filter((element) => !meant.includes(element)), []);
    } finally {
      await close();
    }
  });

  test(`${name}: the JSON report fits its schema`, () => {
    const schema = JSON.parse(readFileSync(process.env.REPORT_SCHEMA, 'utf8'));
    assert.deepEqual(faults(new Ajv(options), schema, json(name, 'json')), []);
  });
}

test('the JSON comparison fits its schema and tells bundles apart', () => {
  const schema = JSON.parse(readFileSync(process.env.COMPARISON_SCHEMA, 'utf8'));
  const comparison = json('COMPARISON', 'json');
  assert.deepEqual(faults(new Ajv(options), schema, comparison), []);
  assert.ok(comparison.new.length > 5 && comparison.resolved.length === 0);
});
