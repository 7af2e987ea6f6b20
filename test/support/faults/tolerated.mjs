/** Faults after which an operation rightly succeeds, each with the reason. */

/** @typedef {import('./points.mjs').Point} Point */

/** @type {readonly { reason: string, matches: (point: Point, errno: string) => boolean }[]} */
const tolerated = [
  {
    reason: 'a call that was interrupted is made again',
    matches: (_point, errno) => errno === 'EINTR',
  },
  {
    reason: 'a thread that could not wait looks again',
    matches: ({ key }) => key.endsWith('/wait'),
  },
  {
    reason: 'what the kernel dropped, or was too busy for, is asked for again, a bounded number of times',
    matches: ({ call }, errno) => errno === 'ENOBUFS' || (call === 'message' && errno === 'EBUSY'),
  },
  {
    reason: 'the kernel closes a descriptor whatever it says; what was written is in memory',
    matches: ({ call }) => ['close', 'closedir', 'fclose'].includes(call),
  },
  {
    reason: 'a thread that cannot return to its namespace ends, and another takes its place',
    matches: ({ key, call }) => key === 'unshare' && call === 'setns',
  },
  {
    reason: 'a namespace that could not be made ahead is made when it is needed',
    matches: ({ key, subject }) =>
      key === 'unshare' || (key === 'control' && subject === '/proc/thread-self/ns/net'),
  },
  {
    reason: 'the link of a VM that is off the network is freed behind the caller; gc finds what stays',
    matches: ({ label }) => label.split(',').includes('linkDelete'),
  },
  {
    reason:
      'a link that does not say whose it is yet is known by its name; the next open, or repair, writes it',
    matches: ({ label }) => label.split(',').includes('linkLabel'),
  },
  {
    reason: 'larger buffers and extended answers are improvements that older kernels lack as well',
    matches: ({ call }) => call === 'setsockopt',
  },
  {
    reason:
      'what cannot be looked at is no plugin, as for libcni; whether one is executable shows when it is run',
    matches: ({ call, label }) => label === 'fileFind' && ['fstatat', 'faccessat'].includes(call),
  },
  {
    reason: 'the kernel itself refuses to make a TAP of a name that is taken',
    matches: ({ call }) => call === 'if_nametoindex',
  },
  {
    reason: 'who cannot announce that he waits for a lock waits all the same, behind those who share it',
    matches: ({ call, subject }) => call === 'fcntl' && /\/locks\/(?!\.network-)[^/]+$/.test(subject),
  },
  {
    reason: 'whoever wants the lock next takes an empty file over, and gc removes it',
    matches: ({ label, call }) =>
      label === 'lockRelease' && ['flock', 'fstat', 'fstatat', 'unlinkat'].includes(call),
  },
  {
    reason:
      'where the list of mounts may not be read, names are taken to be private: nothing is cleared, and verify says so',
    matches: ({ label, subject }, errno) =>
      label === 'mountState' && subject.endsWith('mountinfo') && errno === 'EPERM',
  },
  {
    reason: 'who may not read what managers with another state directory have recorded goes without',
    matches: ({ label, call, subject }, errno) =>
      label === 'fileList' && call === 'opendir' && subject.endsWith('/cni/results') && errno === 'EPERM',
  },
  {
    reason: 'verify reports a privilege that lacks by itself, not by all that cannot be looked at without it',
    matches: ({ label }, errno) =>
      ['firewallCheck', 'guardCheck'].includes(label) && ['EPERM', 'EACCES'].includes(errno),
  },
  {
    reason: 'verify reports what cannot be proven to work',
    matches: ({ label }) =>
      /^(probe|foreignChains|legacyForeignChains|fileFind|exec .* VERSION)$/.test(label),
  },
];

/** `null`: the operation must fail. @param {Point} point @param {string} errno @returns {string | null} */
export function reasonToTolerate(point, errno) {
  return tolerated.find(({ matches }) => matches(point, errno))?.reason ?? null;
}
