import { fileURLToPath } from 'node:url';

/** A manager in a process of its own. It runs the built package. */
export const managerChild = fileURLToPath(new URL('manager-child.mjs', import.meta.url));
