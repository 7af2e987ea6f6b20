import { execFile, execFileSync } from 'node:child_process';

/** What the command printed; fails with all of it. @param {string} file @param {readonly string[]} args */
export function run(file, args) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: '1' };
    const child = execFile(file, args, { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const printed = `${stdout}${stderr}`.trim();
      if (error) reject(new Error(printed === '' ? error.message : printed));
      else resolve(printed);
    });
    child.stdin?.end();
  });
}

/** Files under the folders that git knows, or would if they were added. @param {readonly string[]} folders */
export function trackedFiles(folders) {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate', '--', ...folders];
  const listed = execFileSync('git', args, { encoding: 'utf8' }).split('\n').filter(Boolean);
  const gone = new Set(
    execFileSync('git', ['ls-files', '--deleted', '--', ...folders], { encoding: 'utf8' }).split('\n'),
  );
  return listed.filter((file) => !gone.has(file));
}
