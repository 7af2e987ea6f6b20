/** The file by which test/native/shim is told what is to happen: its offsets are those of `Control` in control.h. */
import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';

const size = 1216;
const at = {
  armed: 0,
  action: 4,
  error: 8,
  hits: 12,
  ordinal: 16,
  manager: 20,
  flags: 24,
  key: 32,
  label: 64,
  counters: 192,
};
const keyBytes = 32;
const labelBytes = 128;

const actions = { none: 0, fail: 1, die: 2, crash: 3 };
export const traceFlag = 1;
export const markEndsFlag = 2;

/** @param {string} text @param {number} length */
function fixed(text, length) {
  const bytes = Buffer.alloc(length);
  bytes.write(text.slice(0, length - 1), 'latin1');
  return bytes;
}

/**
 * What is to happen, and where: at the `ordinal`-th point of `key`. `fail` has an `error`, a positive errno.
 *
 * @typedef {{ key: string, ordinal: number, action: 'fail' | 'die' | 'crash', error?: number }} Fault
 */

export class Control {
  /** @param {string} path @param {number} fd */
  constructor(path, fd) {
    this.path = path;
    this.traceFile = `${path}.trace`;
    this.fd = fd;
  }

  /** @param {string} path */
  static create(path) {
    const control = new Control(path, openSync(path, 'w+', 0o600));
    ftruncateSync(control.fd, size);
    writeFileSync(control.traceFile, '');
    return control;
  }

  /** For a process that was started with it. @param {string} path */
  static attach(path) {
    return new Control(path, openSync(path, 'r+'));
  }

  /** From now on points are counted, from 1. @param {Fault | null} fault @param {number} flags */
  arm(fault, flags = 0) {
    this.#number(at.armed, 0);
    writeSync(this.fd, Buffer.alloc(size - at.counters), 0, size - at.counters, at.counters);
    this.#number(at.hits, 0);
    this.#number(at.error, fault?.error ?? 0);
    this.#number(at.ordinal, fault?.ordinal ?? 0);
    this.#number(at.manager, process.pid);
    this.#number(at.flags, flags);
    writeSync(this.fd, fixed(fault?.key ?? '', keyBytes), 0, keyBytes, at.key);
    this.#number(at.action, fault === null ? actions.none : actions[fault.action]);
    this.label('start');
    this.#number(at.armed, 1);
  }

  /** How often the point was reached. @returns {number} */
  disarm() {
    this.#number(at.armed, 0);
    return this.hits();
  }

  /** @returns {number} */
  hits() {
    const bytes = Buffer.alloc(4);
    readSync(this.fd, bytes, 0, 4, at.hits);
    return bytes.readUInt32LE();
  }

  /** What the points that come belong to. @param {string} text */
  label(text) {
    writeSync(this.fd, fixed(text, labelBytes), 0, labelBytes, at.label);
  }

  /** The lines that were traced since the last time. @returns {string[]} */
  takeTrace() {
    const text = readFileSync(this.traceFile, 'latin1');
    truncateSync(this.traceFile);
    return text.split('\n').slice(0, -1);
  }

  close() {
    closeSync(this.fd);
  }

  /** @param {number} offset @param {number} value */
  #number(offset, value) {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    writeSync(this.fd, bytes, 0, 4, offset);
  }
}
