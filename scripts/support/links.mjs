import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const link = /\]\(([^)\s]+)\)/g;

/** Links of Markdown files to files that are not there. @param {readonly string[]} files */
export function brokenLinks(files) {
  return files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(link)]
      .map(([, target]) => target.replace(/#.*/, ''))
      .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(join(dirname(file), target)))
      .map((target) => `${file}: there is no ${target}`),
  );
}
