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
    let isSlot = true;
    for (const piece of this.#pieces) {
      isSlot = !isSlot;
      const value = isSlot ? contentOf(piece) : piece;
      if (typeof value === 'string') {
        text += isSlot ? encodeScalar(value).slice(1, -1) : value;
      } else {
        filled.push(text, value);
        text = '';
      }
    }
    filled.push(text);
    return filled;
  }
}
