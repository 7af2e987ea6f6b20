// Prints the sources of the floors it is given, for binding.gyp: a new file needs no entry anywhere.
const { readdirSync } = require('node:fs');
const { join } = require('node:path');

for (const floor of process.argv.slice(2)) {
  const names = readdirSync(join(__dirname, floor)).filter((name) => name.endsWith('.cc'));
  for (const name of names.sort()) console.log(`native/${floor}/${name}`);
}
