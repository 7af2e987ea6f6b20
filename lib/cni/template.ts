import { encodeText } from './json.ts';

/** JSON that is printed once and filled in many times. */

/** Stands in a text for the value of a slot. No name, path or text of ours has a NUL in it; JSON spells it so. */
export function slot(name: string): string {
  return `\0${name}\0`;
}

/** A backslash before it would be one that is escaped. */
const spelled = /(?<=(?<!\\)(?:\\\\)*)\\u0000([^\\]+)\\u0000/;

/** What stands in a template for a text that is not known yet. */
type Placeholder = object | number;

export class Template<Slot extends Placeholder> {
  /** Literal text, and slots. */
  readonly #pieces: readonly (string | Slot)[];

  private constructor(pieces: readonly (string | Slot)[]) {
    this.#pieces = pieces;
  }

  static of<Slot extends Placeholder>(json: string, slotOf: (name: string) => Slot): Template<Slot> {
    const pieces = json.split(spelled);
    return new Template(pieces.map((piece, index) => (index % 2 === 0 ? piece : slotOf(piece))));
  }

  /** Pieces of text, and what is no text between them. */
  pieces<Rest extends Placeholder>(contentOf: (slot: Slot) => string | Rest): readonly (string | Rest)[] {
    const pieces: (string | Rest)[] = [];
    let text = '';
    for (const piece of this.#pieces) {
      if (typeof piece === 'string') {
        text += piece;
        continue;
      }
      const content = contentOf(piece);
      if (typeof content === 'string') {
        text += encodeText(content);
      } else {
        pieces.push(text, content);
        text = '';
      }
    }
    pieces.push(text);
    return pieces;
  }

  /** All of it. */
  text(contentOf: (slot: Slot) => string): string {
    let text = '';
    for (const piece of this.#pieces) {
      text += typeof piece === 'string' ? piece : encodeText(contentOf(piece));
    }
    return text;
  }
}
