import { encodeScalar } from './json.ts';

/** JSON that is printed once and filled in many times. */

/** Stands in a text for the value of a slot. No name, path or text of ours has a NUL in it; JSON spells it so. */
export function slot(name: string): string {
  return `\0${name}\0`;
}

const spelled = /\\u0000([^\\]+)\\u0000/;

export class Template {
  /** Literal text, and the name of a slot between two pieces of it. */
  readonly #pieces: readonly string[];

  constructor(json: string) {
    this.#pieces = json.split(spelled);
  }

  /** Neighbouring pieces are joined; a slot whose value is no text stays what it is. */
  fill<Value>(contentOf: (slot: string) => string | Value): readonly (string | Value)[] {
    const filled: (string | Value)[] = [];
    let text = '';
    for (const [index, piece] of this.#pieces.entries()) {
      const value = index % 2 === 0 ? piece : contentOf(piece);
      if (typeof value === 'string') {
        text += index % 2 === 0 ? value : encodeScalar(value).slice(1, -1);
      } else {
        filled.push(text, value);
        text = '';
      }
    }
    filled.push(text);
    return filled;
  }
}
