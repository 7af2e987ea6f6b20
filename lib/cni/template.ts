import { encodeText } from './json.ts';

/** JSON that is printed once and filled in many times. */

/** Stands in a text for the value of a slot. No name, path or text of ours has a NUL in it; JSON spells it so. */
export function slot(name: string): string {
  return `\0${name}\0`;
}

const spelled = /\\u0000([^\\]+)\\u0000/;

/** What stands in a template for a text that is not known yet. */
type Placeholder = object | number;

/** Neighbours are joined into flat strings, not into trees of their parts: they are read many times. */
function joined<Slot extends Placeholder>(pieces: readonly (string | Slot)[]): readonly (string | Slot)[] {
  const all: (string | Slot)[] = [];
  let text: string[] = [];
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      text.push(piece);
      continue;
    }
    all.push(text.join(''), piece);
    text = [];
  }
  return [...all, text.join('')];
}

export class Template<Slot extends Placeholder> {
  /** Literal text, and slots. */
  readonly #pieces: readonly (string | Slot)[];

  private constructor(pieces: readonly (string | Slot)[]) {
    this.#pieces = joined(pieces);
  }

  static of<Slot extends Placeholder>(json: string, slotOf: (name: string) => Slot): Template<Slot> {
    const pieces = json.split(spelled);
    return new Template(pieces.map((piece, index) => (index % 2 === 0 ? piece : slotOf(piece))));
  }

  /** The same, with less that is open: what is no text stays a slot. */
  with<Rest extends Placeholder>(contentOf: (slot: Slot) => string | Rest): Template<Rest> {
    const pieces = this.#pieces.map((piece) => {
      if (typeof piece === 'string') return piece;
      const content = contentOf(piece);
      return typeof content === 'string' ? encodeText(content) : content;
    });
    return new Template(pieces);
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
