// firewall-churn.mjs ADDON PLAN ROUNDS remove|keep
import { createRequire } from 'node:module';

const [addon, json, rounds, remove] = process.argv.slice(2);
const native = createRequire(import.meta.url)(addon);
const plan = JSON.parse(json);

for (let round = 0; round < Number(rounds); round++) {
  await native.firewallEnsure({ ...plan, hostAccess: [{ protocol: 6, port: 1 + round }] });
  if (remove === 'remove') await native.firewallRemove({ network: plan.network });
}
await native.firewallEnsure(plan);
