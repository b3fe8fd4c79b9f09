// Checks the sizes of a build: what the first page loads, what each further page adds, and the whole.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const DIST = new URL('../dist/', import.meta.url).pathname;
const KB = 1024;
const FIRST_LOAD = 250 * KB;
const FURTHER_PAGE = 60 * KB;
const WHOLE = 8 * KB * KB;

const manifest = JSON.parse(readFileSync(join(DIST, '.vite/manifest.json'), 'utf8'));

const packedSize = (file) => gzipSync(readFileSync(join(DIST, file))).length;

/** Collect the files that a chunk loads at once. */
function filesOf(key, found = new Set()) {
  const chunk = manifest[key];
  if (!found.has(chunk.file)) {
    found.add(chunk.file);
    (chunk.css ?? []).forEach((file) => found.add(file));
    (chunk.imports ?? []).forEach((each) => filesOf(each, found));
  }
  return found;
}

const sizeOf = (files) => [...files].reduce((sum, file) => sum + packedSize(file), 0);

// `scripts.console` adds a compressed copy of each file, which takes no part in the limit.
const whole = readdirSync(DIST, { recursive: true })
  .filter((name) => !name.endsWith('.gz'))
  .map((name) => statSync(join(DIST, name)))
  .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);

const first = filesOf('index.html');
const pages = manifest['index.html'].dynamicImports ?? [];
const checks = [
  ['first load', sizeOf(first) + packedSize('scheme.js'), FIRST_LOAD],
  ...pages.map((key) => [key, sizeOf([...filesOf(key)].filter((file) => !first.has(file))), FURTHER_PAGE]),
  ['whole build', whole, WHOLE],
];

let isOver = false;
for (const [name, size, limit] of checks) {
  isOver ||= size > limit;
  console.log(`${size > limit ? 'OVER ' : 'ok   '}${name}: ${(size / KB).toFixed(1)} of ${limit / KB} KB`);
}
process.exitCode = isOver ? 1 : 0;
