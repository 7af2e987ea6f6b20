/** Hundreds of random sequences of verbs, crashes, reboots and interference, against a model of what must exist. */
import { runToEnd, vitestOf } from '../support/run-to-end.mjs';

export async function prove({ quick, seed, log }) {
  const runs = quick ? { native: 10, cni: 2 } : { native: 1_000, cni: 200 };
  log(`${runs.native} sequences by native, ${runs.cni} by cni, seed ${seed}`);
  const [node, ...vitest] = vitestOf('model');
  const env = { MODEL_RUNS: `${runs.native}`, MODEL_CNI_RUNS: `${runs.cni}`, MODEL_SEED: `${seed}` };
  const output = await runToEnd(node, vitest, env);
  const [, count] = /Tests\s+(\d+ passed.*)/.exec(output) ?? [];
  if (count === undefined) throw new Error(`no test of model/ ran:\n${output}`);
  return `${runs.native + runs.cni} sequences, each brought back to what the model says`;
}
