/** Objects of the kernel's slab caches: what it keeps, of every kind, for the whole machine. */
import { readFile, writeFile } from 'node:fs/promises';

/**
 * Of vmalloc areas, such as the stacks of processes that have ended, the kernel lets so many pages gather before it frees them
 * (lazy_max_pages() in mm/vmalloc.c: 64 MiB on two processors, which is 3,276 stacks).
 */
const lazilyFreed = new Set(['vmap_area']);

/** Objects in use by the name of their cache, without those that the kernel gives back when it is asked. */
export async function slabObjects() {
  await writeFile('/proc/sys/vm/drop_caches', '2');
  const lines = (await readFile('/proc/slabinfo', 'utf8')).split('\n').slice(2, -1);
  return new Map(
    lines.map((line) => {
      const [name, active] = line.split(/\s+/);
      return [name, Number(active)];
    }),
  );
}

/** The caches that hold so many objects more than before. */
export function grownCaches(before, after, objects) {
  return [...after]
    .map(([name, active]) => ({ name, grown: active - (before.get(name) ?? 0) }))
    .filter(({ name, grown }) => grown >= objects && !lazilyFreed.has(name))
    .map(({ name, grown }) => `${name} +${grown}`);
}
