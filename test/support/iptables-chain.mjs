// Whether chain FORWARD drops after each command: iptables-chain.mjs ADDON PROGRAM COMMANDS
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';

const [addon, program, commands] = process.argv.slice(2);
const native = createRequire(import.meta.url)(addon);
const drops = [];
for (const command of JSON.parse(commands)) {
  execFileSync(program, command.split(' '));
  const found = [...(await native.foreignChains({})), ...(await native.legacyForeignChains({}))];
  const chain = found.find((candidate) => candidate.chain === 'FORWARD');
  drops.push([command, chain?.drops]);
}
console.log(JSON.stringify(drops));
