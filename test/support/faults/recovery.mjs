/** What is done after a crash, and what must be true then. */

/** @typedef {import('./subject.mjs').Subject} Subject */

/**
 * A manager that is opened removes what is partial. What is complete is there with its configuration, and works; what a
 * teardown has begun to undo may be incomplete, and can be torn down again; the same VM can be set up.
 *
 * @param {Subject} subject a manager of the network; of `open`, none yet
 * @param {string} operation @param {object} options @param {string} id
 */
export async function recover(subject, operation, options, id) {
  if (operation !== 'open') await subject.must('close');
  await subject.must('open', options);
  const attachments = await subject.must('list');
  for (const { vmId } of attachments.filter((each) => each.vmId === id || each.vmId?.startsWith(`${id}-`))) {
    const { ok, differences } = await subject.must('check', vmId);
    if (!ok && operation === 'setup') {
      throw new Error(`${vmId} is incomplete: ${JSON.stringify(differences)}`);
    }
    await subject.must('teardown', vmId);
  }
  await subject.must('setup', id);
  await subject.must('teardown', id);
  if (operation !== 'open') return;
  await subject.must('removeNetwork');
  await subject.must('close');
}
