import a11y from 'eslint-plugin-jsx-a11y';
import hooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

const FEATURES = [
  'access',
  'account',
  'audit',
  'graphiql',
  'groups',
  'home',
  'licenses',
  'locks',
  'orgs',
  'resources',
  'roles',
  'storage',
  'tokens',
  'users',
];

/** Another feature is imported through its index.ts alone: `../users` or `../users/index`. */
const othersOf = (names) => ({
  regex: `^(\\.\\./)+(${names.join('|')})/(?!index$)`,
  message: 'Import what the feature gives out in its index.ts.',
});
const anyFeature = {
  regex: `^(\\.\\./)+(${[...FEATURES, 'frame', 'session'].join('|')})(/|$)`,
  message: 'shared/ and api/ know no feature.',
};

/** Features navigate after changes, while the dialog still holds what was typed: no question may come in between. */
const afterChange = {
  selector: 'CallExpression[callee.name="navigate"]:not(:has(SpreadElement[argument.name="leaving"]))',
  message: 'Leave after a change that is done, with `...leaving` of shared/.',
};

const SYNTAX = [
  { selector: 'ExportDefaultDeclaration', message: 'Use named exports.' },
  { selector: 'JSXAttribute[name.name="dangerouslySetInnerHTML"]', message: 'Data never becomes HTML.' },
  {
    selector: 'MemberExpression[property.name=/^(innerHTML|outerHTML|insertAdjacentHTML)$/]',
    message: 'Data never becomes HTML.',
  },
];

/** A name from right to left would turn the words beside it. */
const names = {
  selector: ':not(TaggedTemplateExpression) > TemplateLiteral[expressions.length>0]',
  message: 'Write phrase`…` of shared/: it isolates names.',
};
const storage = (name) => ({
  name,
  message: 'Storage has theme, density and column widths alone: use shared/preferences.ts.',
});

const sizes = (perFunction) => ({
  'max-lines': ['error', { max: 200 }],
  'max-lines-per-function': ['error', { max: perFunction, skipComments: true }],
});

export const config = tseslint.config(
  { ignores: ['dist', 'node_modules', '**/*.generated.d.ts'] },
  ...tseslint.configs.strict,
  hooks.configs.flat['recommended-latest'] ?? {},
  a11y.flatConfigs.strict,
  {
    files: ['**/*.{ts,tsx,js}'],
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-restricted-globals': ['error', storage('localStorage'), storage('sessionStorage')],
      'no-restricted-syntax': ['error', ...SYNTAX],
      ...sizes(40),
    },
  },
  { files: ['**/*.tsx'], rules: sizes(80) },
  { files: ['**/*.test.ts', 'tests/**'], rules: { 'max-lines-per-function': 'off' } },
  {
    files: ['public/**'],
    rules: { 'no-restricted-globals': 'off', 'no-restricted-syntax': 'off', 'no-var': 'off' },
  },
  {
    files: ['src/shared/**', 'src/api/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: [anyFeature] }] },
  },
  ...FEATURES.map((feature) => ({
    files: [`src/${feature}/**`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [othersOf([...FEATURES, 'session', 'frame'].filter((other) => other !== feature))],
        },
      ],
      'no-restricted-syntax': ['error', ...SYNTAX, afterChange],
    },
  })),
  {
    files: ['**/words.ts', '**/*Words.ts'],
    rules: { 'no-restricted-syntax': ['error', ...SYNTAX, names] },
  },
);

export { config as default };
