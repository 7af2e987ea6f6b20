import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const link = /\]\(([^)\s]+)\)/g;

/** The paths of the files that a Markdown text leads to. @param {string} text @param {string} file its path */
export function linksOf(text, file) {
  return [...text.matchAll(link)]
    .map(([, target]) => target.replace(/#.*/, ''))
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
    .map((target) => join(dirname(file), target));
}

/** Links of Markdown files to files that are not there. @param {readonly string[]} files */
export function brokenLinks(files) {
  return files.flatMap((file) =>
    linksOf(readFileSync(file, 'utf8'), file)
      .filter((target) => !existsSync(target))
      .map((target) => `${file}: there is no ${target}`),
  );
}
