/**
 * Compares what dist exports with the reports in test/api/, which reviewers read; `--update` writes the reports instead. A type that is reachable but
 * not exported (ae-forgotten-export) is an error.
 */
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const update = process.argv.includes('--update');

/** Whether the report of one entry point is as committed and free of errors. */
function check(entry) {
  const config = ExtractorConfig.loadFileAndPrepare(resolve(`.config/api-extractor.${entry}.json`));
  if (!existsSync(config.mainEntryPointFilePath)) {
    console.error(`${entry}: ${config.mainEntryPointFilePath} is missing; run \`npm run build\``);
    return false;
  }
  const result = Extractor.invoke(config, { localBuild: update, messageCallback: (message) => report(entry, message) });
  if (result.apiReportChanged && !update)
    console.error(`${entry}: the API is not the one in ${config.reportFilePath}; see \`npm run api:update\``);
  return result.errorCount === 0 && (update || !result.apiReportChanged);
}

function report(entry, message) {
  message.handled = true;
  if (message.logLevel !== 'error') return;
  const place = message.sourceFilePath ? `${message.sourceFilePath}:${message.sourceFileLine} ` : '';
  console.error(`${entry}: ${place}${message.messageId}: ${message.text}`);
}

const sound = ['millrace', 'runtime', 'testing'].map(check);
process.exit(sound.includes(false) ? 1 : 0);
