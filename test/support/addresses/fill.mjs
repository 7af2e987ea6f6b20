// Takes every address of a /16 but some: directory, its first two bytes, those that stay free.
import { closeSync, openSync, writeFileSync } from 'node:fs';

const [directory = '', network = '', ...free] = process.argv.slice(2);
for (let number = 1; number < 0xffff; number++) {
  const ip = `${network}.${number >> 8}.${number & 0xff}`;
  if (!free.includes(ip)) closeSync(openSync(`${directory}/${ip}`, 'wx'));
}
writeFileSync(`${directory}/last_reserved_ip.0`, `${network}.0.1`);
