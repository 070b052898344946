import { describe, expect, test } from '@jest/globals';
import { parseArguments } from '../../../local/args.ts';

const SHAPE = { valued: new Set(['port', 'data', 'param']), switches: new Set(['json', 'help']) };

function parse(...argv: string[]): object {
  const { positionals, flags, switches, params } = parseArguments(argv, SHAPE);
  return { positionals, flags: Object.fromEntries(flags), switches: [...switches], params: Object.fromEntries(params) };
}

describe('takes a command line apart', () => {
  test.each([
    [['dev', 'p.ts'], { positionals: ['dev', 'p.ts'], flags: {}, switches: [], params: {} }],
    [['--port', '1', 'dev', '--json', 'p.ts'], { positionals: ['dev', 'p.ts'], flags: { port: '1' }, switches: ['json'] }],
    [['--port=1', '--data=a=b'], { flags: { port: '1', data: 'a=b' } }],
    [['--port', '1', '--port', '2'], { flags: { port: '2' } }],
    [['--port='], { flags: { port: '' } }],
    [['--param', 'a=1', '--param=b=x=y', '--param', 'c='], { params: { a: '1', b: 'x=y', c: '' } }],
    [['--repeat', '10', '--topic=t'], { params: { repeat: '10', topic: 't' } }],
    [['--port', '-1'], { flags: { port: '-1' } }],
    [['a', '--', '-b', '--port', '--'], { positionals: ['a', '-b', '--port', '--'], flags: {} }],
    [['-h'], { switches: ['help'] }],
  ])('%j', (argv, expected) => {
    expect(parse(...argv)).toMatchObject(expected);
  });
});

describe('refuses', () => {
  test.each([
    [['-p', '1'], 'unknown flag -p; flags begin with two dashes. See millrace help'],
    [['--port'], '--port needs a value: --port VALUE'],
    [['--json=1'], "--json takes no value, given '1'"],
    [['--param', 'a'], "--param is 'a'; give --param NAME=VALUE"],
    [['--param', '=a'], "--param is '=a'; give --param NAME=VALUE"],
    [['--prot'], 'unknown flag --prot; did you mean --port?'],
    [['--ports'], 'unknown flag --ports; did you mean --port?'],
    [['--jso'], 'unknown flag --jso; did you mean --json?'],
    [['--dota'], 'unknown flag --dota; did you mean --data?'],
    [['--quiet'], /^unknown flag --quiet; if it is a parameter of the pipeline, it needs a value: --quiet VALUE/],
  ])('%j', (argv, message) => {
    expect(() => parse(...argv)).toThrow(
      expect.objectContaining({
        code: 'MILLRACE_FLAG_INVALID',
        message: typeof message === 'string' ? message : expect.stringMatching(message),
      }),
    );
  });
});
