import { readFileSync } from 'node:fs';

/** One command of a session that users are shown, and what it prints. */
export interface ConsoleStep {
  readonly command: string;
  /** `...` stands for anything within a line. */
  readonly shown: string;
}

/** The `console` blocks of a Markdown file: `$ ` before a command, `> ` before its further lines, then its output. */
export function consoleSteps(file: string): readonly ConsoleStep[] {
  const blocks = readFileSync(file, 'utf8').matchAll(/^```console\n(.*?)^```$/gms);
  return [...blocks].flatMap(([, block = '']) =>
    [...block.matchAll(/^\$ (.*\n(?:> .*\n)*)((?:(?!\$ ).*\n)*)/gm)].map(([, command = '', shown = '']) => ({
      command: command.replaceAll(/^> /gm, '').trimEnd(),
      shown: shown.trimEnd(),
    })),
  );
}

const separator = '\x1e';

/** One script for one shell, which ends at the first command that fails. */
export function sessionScript(steps: readonly ConsoleStep[]): string {
  const commands = steps.map(({ command }) => `printf '\\x1e'\n${command}\n`);
  return `set -e -o pipefail\nexec 2>&1\n${commands.join('')}`;
}

/** What each command printed, in order; those that never ran are missing. */
export function sessionOutputs(stdout: string): readonly string[] {
  return stdout
    .split(separator)
    .slice(1)
    .map((output) => output.trimEnd());
}

export function shownPattern(shown: string): RegExp {
  const literal = shown.split('...').map((text) => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&'));
  return new RegExp(`^${literal.join('.*')}$`);
}
