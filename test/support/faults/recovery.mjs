/** What is done after a crash, and what must be true then. */

import { withoutPool } from './pool-operations.mjs';

/** @typedef {import('./subject.mjs').Subject} Subject */

/**
 * A manager that is opened removes what is partial. What is complete is there with its configuration, and works; what a
 * teardown has begun to undo may be incomplete, and can be torn down again; the same VM can be set up.
 *
 * @param {Subject} subject of any manager, or none yet
 * @param {import('./operations.mjs').Operation} operation @param {object} options @param {string} id
 */
export async function recover(subject, { verb, recovered }, options, id) {
  await subject.must('close');
  await subject.must('open', withoutPool(options));
  const attachments = await subject.must('list');
  const isOfVerb = (/** @type {string | null} */ vmId) => vmId === id || vmId?.startsWith(`${id}-`);
  for (const { vmId, alive } of attachments.filter((/** @type {any} */ each) => isOfVerb(each.vmId))) {
    // A teardown cuts before it takes the name: none is left that talks without one.
    if (!alive) throw new Error(`${vmId} is left without its name`);
    const { ok, differences } = await subject.must('check', vmId);
    if (!ok && verb === 'setup') throw new Error(`${vmId} is incomplete: ${JSON.stringify(differences)}`);
    await subject.must('teardown', vmId);
  }
  await subject.must('setup', id);
  await subject.must('teardown', id);
  await recovered(subject);
}
