// Reads this namespace's links again and again and says how often, and whether each answer was whole:
//   node dump-loop.mjs ADDON TIMES LINK...
import { createRequire } from 'node:module';

const [addon, times, ...stable] = process.argv.slice(2);
const native = createRequire(import.meta.url)(addon);

for (let i = 0; i < Number(times); i++) {
  const { links } = await native.dump({ kinds: ['links'] });
  const names = new Set(links.map(({ name }) => name));
  if (names.size !== links.length) throw new Error('a link was told twice');
  for (const name of stable) if (!names.has(name)) throw new Error(`${name} was left out`);
}
