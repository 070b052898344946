import fc from 'fast-check';

/** Property tests draw the same values in every run, so that a change is judged by what it changes; MILLRACE_SEED explores others. */
fc.configureGlobal({ seed: Number(process.env['MILLRACE_SEED'] ?? 20_261_120) });
