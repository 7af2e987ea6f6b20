/** JSON as Go's encoding/json writes it, so that what plugins and other runtimes read from us is what libcni writes. */

/** Text that is JSON already and is kept as it stands. */
export class Encoded {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const escaped = /[<>&\u2028\u2029]/g;

function encodeScalar(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return text.replace(escaped, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const surrogate = /[\ud800-\udfff]/;

/** Only surrogates are ordered otherwise in UTF-16 than in UTF-8. */
function compareBytes(first: string, second: string): number {
  if (surrogate.test(first + second)) return Buffer.compare(Buffer.from(first), Buffer.from(second));
  if (first === second) return 0;
  return first < second ? -1 : 1;
}

function encode(value: unknown, sorted: boolean): string {
  if (value instanceof Encoded) return value.text;
  if (Array.isArray(value)) return `[${value.map((item) => encode(item, sorted)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return encodeScalar(value);
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  if (sorted) entries.sort(([first], [second]) => compareBytes(first, second));
  return `{${entries.map(([key, inner]) => `${encodeScalar(key)}:${encode(inner, sorted)}`).join(',')}}`;
}

/** As Go writes a map: keys sorted by byte, at every depth. */
export function encodeMap(value: unknown): string {
  return encode(value, true);
}

/** As Go writes a struct: keys in the order in which they stand. */
export function encodeStruct(value: unknown): string {
  return encode(value, false);
}

export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
