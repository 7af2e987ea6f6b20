// Reserves once: addon, plan; prints the address, or the code of what was wrong.
import { createRequire } from 'node:module';

// What a write beyond RLIMIT_FSIZE raises; the write itself fails, too.
process.on('SIGXFSZ', () => {});
const [addon = '', plan = '{}'] = process.argv.slice(2);
const native = createRequire(import.meta.url)(addon);
process.stdout.write(
  await native.addressReserve(JSON.parse(plan)).then(
    ([{ ip }]) => ip,
    ({ code }) => code,
  ),
);
