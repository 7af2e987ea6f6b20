/** JSON as Go's encoding/json writes it, so that what plugins and other runtimes read from us is what libcni writes. */

/** Text that is JSON already and is kept as it stands. */
export class Encoded {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const escaped = /[<>&\u2028\u2029]/g;
/** Needs no escape in any JSON. */
const plain = /^[\w .,:;/=+-]*$/;
const surrogate = /[\ud800-\udfff]/;

export function encodeScalar(value: unknown): string {
  if (typeof value === 'string' && plain.test(value)) return `"${value}"`;
  return escapedScalar(value);
}

/** Text as it stands between quotes. */
export function encodeText(value: string): string {
  return plain.test(value) ? value : escapedScalar(value).slice(1, -1);
}

function escapedScalar(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return text.replace(escaped, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const byBytes = (first: string, second: string) => Buffer.compare(Buffer.from(first), Buffer.from(second));

/** Only surrogates are ordered otherwise in UTF-16 than in UTF-8. */
function keysOf(value: object, sorted: boolean): string[] {
  const keys = Object.keys(value);
  if (!sorted) return keys;
  return keys.some((key) => surrogate.test(key)) ? keys.sort(byBytes) : keys.sort();
}

function encodeObject(value: Record<string, unknown>, sorted: boolean): string {
  let text = '';
  for (const key of keysOf(value, sorted)) {
    const inner = value[key];
    if (inner === undefined) continue;
    text += `${text === '' ? '' : ','}${encodeScalar(key)}:${encode(inner, sorted)}`;
  }
  return `{${text}}`;
}

function encode(value: unknown, sorted: boolean): string {
  if (value instanceof Encoded) return value.text;
  if (Array.isArray(value)) return `[${value.map((item) => encode(item, sorted)).join(',')}]`;
  return isJsonObject(value) ? encodeObject(value, sorted) : encodeScalar(value);
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
