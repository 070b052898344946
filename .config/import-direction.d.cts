declare const importDirection: {
  readonly files: string[];
  readonly rules: Record<'no-restricted-imports' | 'no-restricted-syntax', ['error', ...unknown[]]>;
}[];
export = importDirection;
