import { describe, expect, it } from 'vitest';
import { encodeStruct } from '../../../lib/cni/json.ts';
import { slot, Template } from '../../../lib/cni/template.ts';

const printed = encodeStruct({ id: slot('id'), path: `/run/${slot('id')}/${slot('0')}` });
/** An address by its number, anything else by its name. */
const slotOf = (name: string) => (name === '0' ? 0 : { name });

describe('a template', () => {
  const template = Template.of(printed, slotOf);

  it('is what it was printed from, with values in its slots', () => {
    const text = template.text((each) => (each === 0 ? 'x' : 'vm-1'));
    expect(text).toBe('{"id":"vm-1","path":"/run/vm-1/x"}');
  });

  it('escapes what it is filled with, as the whole would be', () => {
    const value = 'a"b\\c<é>\u2028';
    const whole = encodeStruct({ id: value, path: `/run/${value}/${value}` });
    expect(template.text(() => value)).toBe(whole);
    expect(template.pieces(() => value).join('')).toBe(whole);
  });

  it('leaves what is no text between its pieces', () => {
    const pieces = template.pieces((each) => (each === 0 ? each : 'vm-1'));
    expect(pieces).toEqual(['{"id":"vm-1","path":"/run/vm-1/', 0, '"}']);
  });

  it('keeps those of its slots that are not filled in', () => {
    const pieces = template.pieces((each) => (each === 0 ? 'x' : each));
    expect(pieces).toEqual(['{"id":"', { name: 'id' }, '","path":"/run/', { name: 'id' }, '/x"}']);
  });

  it('has no slot in text that only looks like one', () => {
    const text = encodeStruct({ text: '\\u0000id\\u0000' });
    expect(Template.of(text, slotOf).text(() => 'no')).toBe(text);
    for (const before of ['/a\\u0000', '/a\\', '/a\\\\u0000/b']) {
      const path = encodeStruct({ path: `${before}/vm-${slot('id')}` });
      const whole = encodeStruct({ path: `${before}/vm-x` });
      expect(Template.of(path, slotOf).text(() => 'x')).toBe(whole);
    }
  });
});
