/** The whole contract suite under other versions of Node. */
import { runToEnd, vitestOf } from '../support/run-to-end.mjs';

export async function prove({ quick, log }) {
  log('the contract suite, under the newest LTS and the current Node');
  const [node, ...args] = vitestOf('package');
  await runToEnd(node, [...args, 'node-versions'], quick ? {} : { VULCAN_NODES: 'all' });
  return quick ? 'all that is no matter of the host alone' : 'all of it';
}
