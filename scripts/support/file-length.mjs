import { readFileSync } from 'node:fs';

const limit = 400;
const sources = /\.(ts|mjs|cjs|cc|h|sh|go)$|^scripts\/[^.]+$/;

/** A source longer than this has more than one idea in it. @param {readonly string[]} files */
export function longFiles(files) {
  return files
    .filter((file) => sources.test(file))
    .map((file) => ({ file, lines: readFileSync(file, 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > limit)
    .map(({ file, lines }) => `${file}: ${lines} lines, more than ${limit}`);
}
