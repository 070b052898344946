/** Characters shown on either side of the place. */
const SHOWN = 12;

/** Sticky patterns of JSON's parts (RFC 8259). */
const SPACE = /[ \t\n\r]*/y;
const STRING = /"[ -!#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})[ -!#-[\]-\uffff]*)*"/y;
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/**
 * Says where a text stops being JSON, with a few characters around the place and never more: the text may be long, or secret. V8's own
 * message has no position in most cases.
 */
export function findJsonError(text: string): string {
  if (text.trim() === '') return 'it is empty';
  const position = new Scanner(text).firstError();
  const shown = text.slice(Math.max(0, position - SHOWN), position + SHOWN);
  return `${describe(text[position])} at position ${position} of ${text.length}, near ${JSON.stringify(shown)}`;
}

function describe(char: string | undefined): string {
  if (char === undefined) return 'it ends too early';
  return char === '"' ? 'a string that does not belong here, does not end or has a bad character,' : 'unexpected character';
}

/** Walks through the text with a stack of its own, so that no depth of nesting is a problem. */
class Scanner {
  private readonly text: string;
  private position = 0;
  private readonly closings: ('}' | ']')[] = [];

  constructor(text: string) {
    this.text = text;
  }

  firstError(): number {
    let expectsValue = true;
    for (;;) {
      this.skip(SPACE);
      const goesOn: boolean | undefined = expectsValue ? this.value() : this.afterValue();
      if (goesOn === undefined) return this.position;
      expectsValue = goesOn;
    }
  }

  /** A scalar, or the beginning of a container: whether a value follows, undefined if there is neither. */
  private value(): boolean | undefined {
    const closing = this.take('{') ? '}' : this.take('[') ? ']' : undefined;
    if (!closing) return this.skip(STRING) || this.skip(SCALAR) ? false : undefined;
    this.skip(SPACE);
    if (this.take(closing)) return false;
    this.closings.push(closing);
    return this.beforeItem(closing);
  }

  /** A comma and what comes before the next value, or the end of a container. */
  private afterValue(): boolean | undefined {
    const closing = this.closings.at(-1);
    if (!closing) return undefined;
    if (this.take(closing)) {
      this.closings.pop();
      return false;
    }
    if (!this.take(',')) return undefined;
    this.skip(SPACE);
    return this.beforeItem(closing);
  }

  private beforeItem(closing: '}' | ']'): true | undefined {
    if (closing === ']') return true;
    if (!this.skip(STRING)) return undefined;
    this.skip(SPACE);
    return this.take(':') ? true : undefined;
  }

  private take(char: string): boolean {
    if (this.text[this.position] !== char) return false;
    this.position++;
    return true;
  }

  private skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.position;
    if (!pattern.test(this.text)) return false;
    this.position = pattern.lastIndex;
    return true;
  }
}
