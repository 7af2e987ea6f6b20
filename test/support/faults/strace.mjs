/** What strace has seen beside the points: each system call of a watched thread must stand within one. */

/** Memory, threads and signals are the C library's, and who asks for limits and ids is never refused; the rest is the shim's own, or Node's waking its main thread. */
const notThePoints =
  /^(mmap|munmap|mprotect|mremap|brk|madvise|futex|rt_sig\w+|gettid|getpid|rseq|set_robust_list|sched_\w+|exit|clock_\w+|prlimit64|gete?[ug]id)\(|^prctl\(PR_(GET|SET)_NAME|^readlinkat\(AT_FDCWD, "\/proc\/self\/fd\/|^write\(\d+, "\\1\\0\\0\\0\\0\\0\\0\\0", 8/;

const armed = /^pwrite64\(\d+, "\\1\\0\\0\\0", 4, 0\)/;
const disarmed = /^pwrite64\(\d+, "\\0\\0\\0\\0", 4, 0\)/;
/** The trace's descriptor is above all others. */
const marked = /^write\(9\d\d, "(.*)"/;

/** @typedef {{ call: string, mark: string | null }} Seen */

/** The calls of each thread while points were counted, in order. @param {string} text @returns {Map<string, Seen[]>} */
function callsByThread(text) {
  /** @type {Map<string, Seen[]>} */
  const threads = new Map();
  let counting = false;
  for (const line of text.split('\n')) {
    const [, thread, call] = /^(\d+)\s+(\w+\(.*)$/.exec(line) ?? [];
    if (thread === undefined || call === undefined) continue;
    if (armed.test(call)) counting = true;
    if (disarmed.test(call)) counting = false;
    const mark = marked.exec(call)?.[1] ?? null;
    // Of two threads that stop at once strace may tell in either order: a mark was made while points were counted.
    if (!counting && mark === null) continue;
    threads.set(thread, [...(threads.get(thread) ?? []), { call, mark }]);
  }
  return threads;
}

/** Between the first point and the last: before is the dynamic linker. @param {readonly Seen[]} calls */
function strays(calls) {
  const last = calls.findLastIndex(({ mark }) => mark !== null);
  let within = false;
  return calls
    .slice(
      calls.findIndex(({ mark }) => mark !== null),
      last,
    )
    .flatMap(({ call, mark }) => {
      if (mark !== null) within = !mark.startsWith('end');
      return mark !== null || within || notThePoints.test(call) ? [] : [call];
    });
}

/**
 * How many calls were within points, and those that were not.
 *
 * @param {string} text strace's output, made with `-f`
 */
export function callsBesidePoints(text) {
  const watched = [...callsByThread(text).values()].filter((calls) =>
    calls.some(({ mark }) => mark !== null && !/^(bridge|host-local) /.test(mark)),
  );
  return {
    threads: watched.length,
    marks: watched.flat().filter(({ mark }) => mark !== null && !mark.startsWith('end')).length,
    beside: watched.flatMap(strays),
  };
}
