import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import importDirection from './import-direction.cjs';

/** Missing awaits break the order of commits, so these are correctness rules here. */
const promises = {
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-misused-promises': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
};

const size = {
  'max-lines': ['error', { max: 400 }],
  'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
};

const style = {
  eqeqeq: 'error',
  'object-shorthand': 'error',
  'prefer-const': 'error',
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
  '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true }],
  '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
  // Ports return promises; an implementation in memory has nothing to await.
  '@typescript-eslint/require-await': 'off',
  // `array[i]!` in a counted loop, where noUncheckedIndexedAccess asks for it.
  '@typescript-eslint/no-non-null-assertion': 'off',
  '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
};

const nodeGlobals = [
  'console',
  'process',
  'performance',
  'Buffer',
  'URL',
  'module',
  'require',
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
];

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'temp/', 'cdk.out/', '**/node_modules/', 'test/fixtures/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: `${import.meta.dirname}/..` } },
    rules: { ...promises, ...size, ...style },
  },
  { files: ['functions/**/*.ts'], rules: { 'no-console': 'error' } },
  ...importDirection,
  {
    files: ['test/**/*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      // JSON and mocks are read as `any` where an expectation follows at once.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // Lines that must not compile need no effect.
    files: ['test/types/*.test-d.ts'],
    rules: { '@typescript-eslint/no-unused-expressions': 'off', '@typescript-eslint/restrict-plus-operands': 'off' },
  },
  {
    files: ['**/*.mjs', '**/*.cjs'],
    languageOptions: { globals: Object.fromEntries(nodeGlobals.map((name) => [name, 'readonly'])) },
    rules: size,
  },
);
