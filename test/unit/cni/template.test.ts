import { describe, expect, it } from 'vitest';
import { encodeStruct } from '../../../lib/cni/json.ts';
import { slot, Template } from '../../../lib/cni/template.ts';

describe('a template', () => {
  const template = new Template(encodeStruct({ id: slot('id'), path: `/run/${slot('id')}/${slot('0')}` }));

  it('is what it was printed from, with values in its slots', () => {
    const filled = template.fill((name) => (name === 'id' ? 'vm-1' : 'x'));
    expect(filled.join('')).toBe('{"id":"vm-1","path":"/run/vm-1/x"}');
  });

  it('escapes what it is filled with, as the whole would be', () => {
    const value = 'a"b\\c<é>\u2028';
    const filled = template.fill(() => value).join('');
    expect(filled).toBe(encodeStruct({ id: value, path: `/run/${value}/${value}` }));
  });

  it('leaves numbers between its pieces', () => {
    expect(template.fill((name) => (name === 'id' ? 'vm-1' : 0))).toEqual([
      '{"id":"vm-1","path":"/run/vm-1/',
      0,
      '"}',
    ]);
  });

  it('has no slot in text that only looks like one', () => {
    const text = encodeStruct({ text: '\\u0000id\\u0000' });
    expect(new Template(text).fill(() => 'no')).toEqual([text]);
  });
});
