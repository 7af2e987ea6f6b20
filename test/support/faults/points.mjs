/** The points of an operation, as the shim traces them, and what can go wrong at each. */
import { constants } from 'node:os';

const { errno } = constants;

/**
 * One system call, netlink message, or step of a plugin: the `ordinal`-th of its thread or plugin.
 *
 * @typedef {{ key: string, ordinal: number, call: string, subject: string, label: string }} Point
 */

/** @param {readonly string[]} lines @returns {Point[]} */
export function parsePoints(lines) {
  return lines
    .filter((line) => line !== 'end')
    .map((line) => {
      const [key = '', ordinal, call = '', subject = '', label = ''] = line.split('\t');
      return { key, ordinal: Number(ordinal), call, subject, label };
    });
}

/**
 * What each of some runs has: how many messages a dump takes hangs on the links that are about to go.
 *
 * @param {readonly Point[]} points of one of the runs @param {readonly (readonly Point[])[]} others
 */
export function commonPoints(points, others) {
  const idOf = (/** @type {Point} */ { key, ordinal }) => `${key}\t${ordinal}`;
  const ids = others.map((other) => new Set(other.map(idOf)));
  return points.filter((point) => ids.every((each) => each.has(idOf(point))));
}

/** Whether it is chance how many of them there are. @param {Point} point */
export const isChance = ({ key }) => /\/(wait|receive|processes)$/.test(key);

/** @param {Point} point */
export function describe({ key, ordinal, call, subject, label }) {
  return `${key} ${ordinal}: ${call} ${subject} (${label})`;
}

const opening = ['ENOMEM', 'EPERM', 'ENOSPC'];
const looking = ['ENOMEM', 'EPERM'];

/** What each call may fail with, the likeliest first. */
const errnosByCall = {
  open: opening,
  openat: opening,
  fopen: opening,
  opendir: looking,
  fdopendir: ['ENOMEM'],
  readdir: ['ENOMEM'],
  read: ['ENOMEM', 'EINTR'],
  pread: ['ENOMEM', 'EINTR'],
  write: ['ENOSPC', 'ENOMEM', 'EPERM', 'EINTR'],
  pwrite: ['ENOSPC', 'ENOMEM', 'EPERM', 'EINTR'],
  close: ['EINTR', 'ENOSPC'],
  closedir: ['EINTR'],
  fclose: ['EINTR'],
  fstat: looking,
  fstatat: looking,
  fstatfs: looking,
  stat: looking,
  statfs: looking,
  statx: looking,
  access: looking,
  faccessat: looking,
  readlink: looking,
  lseek: ['EPERM'],
  ftruncate: ['ENOSPC', 'EPERM', 'EINTR'],
  fchmod: looking,
  chmod: looking,
  fcntl: ['ENOMEM', 'EPERM'],
  flock: ['ENOMEM', 'EINTR'],
  ioctl: ['ENOMEM', 'EPERM', 'EBUSY'],
  eventfd: ['ENOMEM'],
  pipe2: ['ENOMEM'],
  memfd_create: ['ENOMEM'],
  getrandom: ['EPERM'],
  mkdir: ['ENOSPC', 'ENOMEM', 'EPERM'],
  linkat: ['ENOSPC', 'ENOMEM', 'EPERM'],
  renameat: ['ENOSPC', 'ENOMEM', 'EPERM', 'EBUSY'],
  renameat2: ['ENOSPC', 'ENOMEM', 'EPERM', 'EBUSY'],
  unlinkat: ['EPERM', 'ENOMEM', 'EBUSY'],
  mount: ['ENOMEM', 'EPERM', 'ENOSPC', 'EBUSY'],
  umount2: ['EBUSY', 'ENOMEM', 'EPERM'],
  unshare: ['ENOSPC', 'ENOMEM', 'EPERM'],
  setns: ['EPERM', 'ENOMEM'],
  if_nametoindex: ['ENOMEM'],
  socket: ['ENOMEM', 'EPERM'],
  bind: ['ENOMEM', 'EPERM'],
  getsockname: ['ENOMEM'],
  getsockopt: ['ENOMEM'],
  setsockopt: ['ENOMEM', 'EPERM'],
  sendto: ['ENOMEM', 'EPERM', 'EINTR', 'ENOBUFS'],
  sendmsg: ['ENOMEM', 'EPERM', 'EINTR', 'ENOBUFS'],
  recv: ['ENOMEM', 'EINTR', 'ENOBUFS'],
  recvfrom: ['ENOMEM', 'EINTR', 'ENOBUFS'],
  recvmsg: ['ENOMEM', 'EINTR', 'ENOBUFS'],
  message: ['ENOMEM', 'EPERM', 'ENOSPC', 'EBUSY'],
  pthread_create: ['EAGAIN'],
  posix_spawn: ['ENOMEM', 'EPERM'],
  syscall: ['ENOMEM', 'EPERM'],
  waitid: ['EINTR'],
  waitpid: ['EINTR'],
  kill: ['EPERM'],
  nanosleep: ['EINTR'],
  poll: ['EINTR', 'ENOMEM'],
  plugin: ['EPERM'],
};

/** @param {Point} point @returns {readonly string[]} */
export function errnosOf({ call }) {
  const names = errnosByCall[/** @type {keyof typeof errnosByCall} */ (call)];
  if (names === undefined)
    throw new Error(`what can ${call} fail with? test/support/faults/points.mjs lacks it`);
  return names;
}

/** @param {string} name */
export function errnoNumber(name) {
  return errno[/** @type {keyof typeof errno} */ (name)];
}

const plugins = ['tc-redirect-tap', 'bridge', 'host-local'];

/** Whether a plugin reaches it, not the manager's own process. @param {Point} point */
export const isPlugins = ({ key }) => plugins.some((name) => key.startsWith(`${name} `));

/**
 * What an operation held is closed behind its result, so that it is chance how often the next tries its lock, and the next
 * namespace made beside it.
 *
 * @param {Point} point
 */
export function mayBeMissed(point) {
  const triesLock = point.label.split(',').includes('linkLabel');
  return isChance(point) || triesLock || point.call === 'close' || point.key === 'unshare';
}
