import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** A piece of code that users are shown. */
export interface Example {
  /** Where it stands: `README.md, line 10`. */
  readonly place: string;
  readonly code: string;
  /** As it is for the oldest Node that the package supports; else in TypeScript. */
  readonly isPlain: boolean;
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** The `js` and `ts` blocks of a Markdown file. */
export function markdownExamples(file: string): readonly Example[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^```(js|ts)\n(.*?)^```$/gms)].map((block) => ({
    place: `${file}, line ${lineOf(text, block.index)}`,
    code: block[2] ?? '',
    isPlain: block[1] === 'js',
  }));
}

/** The `@example` blocks of a source file's docstrings. */
function docstringExamples(file: string): readonly Example[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^\s*\* @example\n((?:\s*\*(?!\/| @).*\n)*)/gm)].map((block) => ({
    place: `${file}, line ${lineOf(text, block.index)}`,
    code: (block[1] ?? '').replace(/^\s*\* ?(```(ts)?$)?/gm, ''),
    isPlain: false,
  }));
}

export function sourceExamples(directory: string): readonly Example[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .flatMap((name) => docstringExamples(join(directory, name)));
}

/** For the oldest Node that the package supports, which lacks `await using`. */
export function runnable({ code, isPlain }: Example): string {
  if (isPlain) return code;
  const { ModuleKind, ScriptTarget } = ts;
  const compilerOptions = { target: ScriptTarget.ES2022, module: ModuleKind.ESNext };
  return ts.transpileModule(code, { compilerOptions }).outputText;
}
