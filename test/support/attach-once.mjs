// Attaches: addon, plan; prints what was wrong as JSON, or null.
import { createRequire } from 'node:module';

const [addon = '', plan = ''] = process.argv.slice(2);
const native = createRequire(import.meta.url)(addon);
const outcome = await native.attach(JSON.parse(plan)).then(
  () => null,
  ({ code, step, undoErrors = [] }) => ({ code, step, undoErrors: undoErrors.length }),
);
process.stdout.write(JSON.stringify(outcome));
