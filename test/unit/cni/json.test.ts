import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Encoded, encodeMap, encodeStruct } from '../../../lib/cni/json.ts';

describe('encodeMap', () => {
  it('sorts keys by byte at every depth, integers too', () => {
    const value = {
      b: { z: 1, a: [{ d: 1, c: 2 }] },
      a: null,
      9: 0,
      10: 0,
      '\u{1f600}': 1,
      '\uff5e': 2,
      B: 1,
    };
    expect(encodeMap(value)).toBe(
      '{"10":0,"9":0,"B":1,"a":null,"b":{"a":[{"c":2,"d":1}],"z":1},"\uff5e":2,"\u{1f600}":1}',
    );
  });

  it('escapes what Go escapes, in keys as in values', () => {
    expect(encodeMap({ '<k>': 'a&b\u2028\u2029"\\\n\t\u0001\u007f' })).toBe(
      '{"\\u003ck\\u003e":"a\\u0026b\\u2028\\u2029\\"\\\\\\n\\t\\u0001\u007f"}',
    );
  });

  it('leaves out what is undefined, and keeps what is encoded already', () => {
    expect(encodeMap({ b: undefined, a: new Encoded('{"z":1,"a":2}') })).toBe('{"a":{"z":1,"a":2}}');
  });

  it('is JSON of the same value, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(encodeMap(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('encodeStruct', () => {
  it('keeps the order of keys', () => {
    expect(encodeStruct({ z: 1, a: { c: '<', b: 2 } })).toBe('{"z":1,"a":{"c":"\\u003c","b":2}}');
  });
});
