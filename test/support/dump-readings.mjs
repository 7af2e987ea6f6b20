/**
 * What `ip`, `tc` and `nft` say, of any number of namespaces by one shell: to start a process takes one with as much memory as a
 * test's longer than what is started takes.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/** @typedef {Record<string, any>} Json */

/**
 * Of one namespace; `filters` by the links that have a qdisc for them.
 *
 * @typedef {{ links: Json[], addresses: Json[], routes: Json[], qdiscs: Json[], ruleset: Json, filters: [string, Json[]][] }} Reading
 */

const [betweenParts, betweenNamespaces] = ['\x1d', '\x1e'];

/** A line of JSON for each question; of `tc filter` one for each link with an ingress qdisc, after its name. */
const readOne = `set -e
ip -d -j link show
printf 'address show\\nroute show table all\\n' | ip -j -batch -
nft -j list ruleset
qdiscs=$(tc -j qdisc show)
printf '%s\\n' "$qdiscs"
set -f; IFS='{'
for each in $qdiscs; do
  case $each in *'"kind":"ingress"'* | *'"kind":"clsact"'*) ;; *) continue ;; esac
  link=\${each#*'"dev":"'}; link=\${link%%'"'*}
  printf '${betweenParts}%s\\n' "$link"
  tc -j filter show dev "$link" ingress
done`;

/** Of namespaces at paths; without one, of this. One that can't be read is told by an empty answer, but for this. */
const readAll = `set -e
for path in "$@"; do
  printf '${betweenNamespaces}'
  if [ -z "$path" ]; then sh -c "$READ_ONE"; continue; fi
  nsenter --net="$path" -- sh -c "$READ_ONE" 2>/dev/null || printf '${betweenParts}failed'
done`;

/** @param {string} line */
const parsed = (line = '') => (line.trim() === '' ? [] : JSON.parse(line));

/** @param {string} text @returns {Reading | null} */
function readingOf(text) {
  const [answers = '', ...others] = text.split(betweenParts);
  if (others.at(-1) === 'failed') return null;
  const [links, addresses, routes, ruleset, qdiscs] = answers.split('\n').map(parsed);
  const filters = others.map((part) => {
    const [link = '', answer] = part.split('\n');
    return /** @type {[string, Json[]]} */ ([link, parsed(answer)]);
  });
  return { links, addresses, routes, ruleset, qdiscs, filters };
}

/**
 * Of namespaces by their paths, or of this (`''`); null of another that can't be read, or is no more.
 *
 * @param {readonly string[]} paths
 * @returns {Promise<(Reading | null)[]>}
 */
export async function readNamespaces(paths) {
  if (paths.length === 0) return [];
  const { stdout } = await execFileAsync('sh', ['-c', readAll, 'sh', ...paths], {
    env: { ...process.env, READ_ONE: readOne },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.split(betweenNamespaces).slice(1).map(readingOf);
}
