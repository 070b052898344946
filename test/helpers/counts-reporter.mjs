/**
 * Jest reporter whose last line is `N passed, N failed`, for scripts that read our output. A suite that could not run counts as one failure.
 * Printed on exit, since jest puts its own summary behind every other reporter.
 */
export default class CountsReporter {
  #line = '';

  constructor() {
    process.on('exit', () => process.stdout.write(this.#line));
  }

  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    this.#line = `${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`;
  }
}
