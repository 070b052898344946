import { describeMutants } from './mutants-suite.ts';

describeMutants(1);
