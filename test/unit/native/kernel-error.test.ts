import { describe, expect, it } from 'vitest';
import type { NativeError } from '../../../lib/native/error.ts';
import { kernelError } from '../../../lib/native/kernel-error.ts';

const refused = (fields: Partial<NativeError>): NativeError =>
  Object.assign(new Error('refused'), { code: 'EIO', errno: -5, syscall: 'open', ...fields });

describe('what the kernel refuses', () => {
  it.each([
    ['unshare', 'ERR_KERNEL', /user\.max_net_namespaces.*fs\.mount-max/],
    ['mount', 'ERR_KERNEL', /user\.max_net_namespaces.*fs\.mount-max/],
    ['mount(MS_SHARED)', 'ERR_KERNEL', /user\.max_net_namespaces.*fs\.mount-max/],
    ['write', 'ERR_RECORD_WRITE', /free space/],
  ])('with ENOSPC at %s is %s, and the message says what to do', (syscall, code, says) => {
    const error = kernelError('anchor', refused({ code: 'ENOSPC', errno: -28, syscall }));
    expect(error).toMatchObject({ code, syscall, message: expect.stringMatching(says) });
  });

  it('says so where something of it could not be undone', () => {
    const undoErrors = [refused({ code: 'EBUSY', syscall: 'unlink' })];
    expect(kernelError('anchor', refused({ undoErrors }))).toMatchObject({
      rolledBack: false,
      errors: undoErrors,
    });
    expect(kernelError('anchor', refused({ code: 'ECANCELED', undoErrors }))).toMatchObject({
      name: 'AbortError',
      rolledBack: false,
    });
    expect(kernelError('anchor', refused({}))).not.toHaveProperty('rolledBack');
  });
});
