import { existsSync } from 'node:fs';
import eslint from '@eslint/js';
import perfectionist from 'eslint-plugin-perfectionist';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const absentInSandbox = [
  'Buffer',
  'atob',
  'btoa',
  'crypto',
  'fetch',
  'performance',
  'process',
  'queueMicrotask',
  'setInterval',
  'structuredClone',
];

const noEnum = { selector: 'TSEnumDeclaration', message: 'Use a union of strings.' };
const noDefaultExport = { selector: 'ExportDefaultDeclaration', message: 'Use a named export.' };
const noClock = {
  selector: "NewExpression[callee.name='Date'][arguments.length=0]",
  message: 'Take the time as an argument: core has no clock.',
};

export default defineConfig(
  globalIgnores(['**/dist/', 'docs/api/', 'reports/', '.stryker-tmp/', 'test/packaging/consumers/']),
  // Its types are those of the peers, which are installed for a benchmark only.
  existsSync('bench/node_modules') ? [] : globalIgnores(['bench/']),
  eslint.configs.recommended,
  {
    plugins: { perfectionist },
    rules: {
      // A body without braces stays on the line of its condition.
      curly: ['error', 'multi-line', 'consistent'],
      'no-duplicate-imports': 'error',
      'perfectionist/sort-imports': [
        'error',
        { groups: ['builtin', 'external', ['parent', 'sibling', 'index']], newlinesBetween: 0 },
      ],
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      // The public functions check what callers without TypeScript give them.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-useless-default-assignment': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      // An `async` method without `await` is how a synchronous implementation keeps the promise of its
      // interface: what it throws becomes a rejection.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'no-restricted-syntax': ['error', noEnum, noDefaultExport],
    },
  },
  {
    // By the sources of the package, as their tsconfig.json, which is for a copy of the folder, doesn't.
    files: ['examples/**/*.ts'],
    languageOptions: { parserOptions: { projectService: false, project: './tsconfig.json' } },
  },
  {
    files: ['src/core/**', 'src/temporal/shared/**', 'src/temporal/workflow/**', 'src/temporal/workflows/**'],
    rules: { 'no-restricted-globals': ['error', ...absentInSandbox] },
  },
  {
    files: ['src/core/**'],
    rules: {
      'no-restricted-syntax': ['error', noEnum, noDefaultExport, noClock],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Core has no clock.' },
        { object: 'Math', property: 'random', message: 'Core has no randomness.' },
      ],
    },
  },
  {
    files: ['test/{temporal,postgres,examples,faults,support}/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [{ group: ['**/src/**'], message: 'Tests of the built package import it by its name.' }],
        },
      ],
    },
  },
  {
    // A test framework's functions are destructured.
    files: ['src/testing/**', 'test/**'],
    rules: { '@typescript-eslint/unbound-method': 'off' },
  },
  {
    files: ['test/**', 'bench/**'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['**/*.config.ts', 'test/support/*-global-setup.ts'],
    rules: { 'no-restricted-syntax': ['error', noEnum] },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: {
        TextDecoder: 'readonly',
        TextEncoder: 'readonly',
        console: 'readonly',
        module: 'writable',
        process: 'readonly',
      },
    },
  },
);
