// Attaches and detaches: addon, plans of both as JSON, the name in them that stands for the VM, its own prefix, rounds.
import { createRequire } from 'node:module';
import { holdSome } from './hold-some.mjs';

const [addon = '', attachText = '', detachText = '', name = '', prefix = '', rounds = '0'] =
  process.argv.slice(2);
const native = createRequire(import.meta.url)(addon);
const planOf = (text, id) => JSON.parse(text.replaceAll(name, `${prefix}${id}`));

await holdSome(
  Number(rounds),
  async (id) => (await native.attach(planOf(attachText, id))).interfaces[0].addresses[0].ip,
  async (id) => {
    const { cut, errors } = await native.detach(planOf(detachText, id));
    if (!cut || errors.length > 0) throw new AggregateError(errors, `${prefix}${id}: not detached`);
  },
);
