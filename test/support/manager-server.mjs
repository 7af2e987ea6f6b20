// A manager that does what it is told, line by line, until it is killed:
//   {"id":1,"verb":"open","argument":OPTIONS}   {"id":2,"verb":"setup","argument":"vm-1"}
// Each is answered as soon as it is done: {"id":2,"value":...} or {"id":2,"code":...,"message":...}
import process from 'node:process';
import { createInterface } from 'node:readline';
import { NetworkManager } from '../../dist/index.js';
import { managerVerbs } from './manager-verbs.mjs';

let manager;

async function perform(verb, argument) {
  if (verb !== 'open') return managerVerbs[verb](manager, argument);
  await manager?.close();
  manager = await NetworkManager.open(argument);
  return manager.recovery.failed.map(({ error }) => error.message);
}

for await (const line of createInterface(process.stdin)) {
  const { id, verb, argument } = JSON.parse(line);
  perform(verb, argument).then(
    (value) => console.log(JSON.stringify({ id, value })),
    ({ code, message }) => console.log(JSON.stringify({ id, code: `${code}`, message })),
  );
}
