import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const SOURCES = import.meta.dirname;
const STYLES = join(SOURCES, '../node_modules/@mantine/core/styles');
const IMPORT = /import \{([^}]*)\} from '@mantine\/core'/g;

function usedComponents(): Set<string> {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.tsx'),
  );
  const texts = files.map((name) => readFileSync(join(SOURCES, name), 'utf8'));
  const lists = texts.flatMap((text) => [...text.matchAll(IMPORT)].map(([, list = '']) => list.split(',')));
  return new Set(lists.flat().map((name) => name.trim().split(' ')[0] ?? ''));
}

/** Styles that other components rely on: of the page, and of parts that several components have. */
const PARTS = new Set([
  'baseline',
  'default-css-variables',
  'global',
  'FloatingIndicator',
  'InlineInput',
  'Input',
  'ModalBase',
  'Overlay',
  'Pill',
  'PillsInput',
  'Popover',
]);

it('has the styles of every component in use', () => {
  const imported = readFileSync(join(SOURCES, 'mantine.css'), 'utf8');
  const missing = [...usedComponents()].filter(
    (name) => existsSync(join(STYLES, `${name}.css`)) && !imported.includes(`/${name}.css'`),
  );
  expect(missing).toEqual([]);
});

it('has the styles of no other component', () => {
  const imported = readFileSync(join(SOURCES, 'mantine.css'), 'utf8').matchAll(/styles\/([\w-]+)\.css/g);
  const used = usedComponents();
  const idle = [...imported]
    .map(([, name = '']) => name)
    .filter((name) => !used.has(name) && !PARTS.has(name));
  expect(idle).toEqual([]);
});
