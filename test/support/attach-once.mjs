// Attaches, again if asked to, and takes away again what it attached: addon, plan of attach, plan of detach, how often; prints what happened as JSON.
import { createRequire } from 'node:module';

const [addon = '', attachPlan = '', detachPlan = '', times = '1'] = process.argv.slice(2);
const native = createRequire(import.meta.url)(addon);
const failureOf = ({ code, step, syscall, undoErrors }) => ({ code, step, syscall, undoErrors });
const outcomes = [];
for (let i = 0; i < Number(times); i++) {
  const outcome = await native.attach(JSON.parse(attachPlan)).then(
    () => null,
    (error) => failureOf(error),
  );
  outcomes.push(outcome);
}
process.stdout.write(JSON.stringify(outcomes));
