import ts from 'typescript';

/** Which error codes a test file asserts: literals inside assertions, and in the tables that feed them. */

const matchers = new Set([
  'expectRefusal',
  'toMatchObject',
  'toThrow',
  'toThrowError',
  'toEqual',
  'toBe',
  'toContainEqual',
]);

function nameOf(callee: ts.Expression): string {
  if (ts.isIdentifier(callee)) return callee.text;
  return ts.isPropertyAccessExpression(callee) ? callee.name.text : '';
}

function some(node: ts.Node, wanted: (node: ts.Node) => boolean): boolean {
  return wanted(node) || ts.forEachChild(node, (child) => some(child, wanted) || undefined) === true;
}

function isSkipped(call: ts.CallExpression): boolean {
  const names = new Set(['skip', 'todo', 'skipIf', 'runIf', 'fails']);
  return some(call.expression, (node) => ts.isIdentifier(node) && names.has(node.text));
}

const isMatcher = (node: ts.Node): node is ts.CallExpression =>
  ts.isCallExpression(node) && matchers.has(nameOf(node.expression));

/** The table of `it.each(table)(title, test)`, when the test's assertions are of a parameter named `code`. */
function tableOf(call: ts.CallExpression): ts.Expression | null {
  const [, test] = call.arguments;
  const each = call.expression;
  if (test === undefined || !ts.isCallExpression(each) || nameOf(each.expression) !== 'each') return null;
  const asserted = some(
    test,
    (node) =>
      isMatcher(node) &&
      node.arguments.some((argument) => some(argument, (n) => ts.isIdentifier(n) && n.text === 'code')),
  );
  return asserted ? (each.arguments[0] ?? null) : null;
}

/** Constants of the file, so that a table may stand apart from its test, or be made of another. */
function constantsOf(file: ts.SourceFile): ReadonlyMap<string, ts.Expression> {
  const constants = new Map<string, ts.Expression>();
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined) {
      constants.set(node.name.text, node.initializer);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return constants;
}

export function assertedCodes(source: string): ReadonlySet<string> {
  const file = ts.createSourceFile('test.ts', source, ts.ScriptTarget.Latest, true);
  const constants = constantsOf(file);
  const found = new Set<string>();

  /** `known`: constants to look into, less those that were looked into already. */
  const collect = (node: ts.Node, known: ReadonlyMap<string, ts.Expression>): void => {
    if (ts.isStringLiteral(node) && /^ERR_[A-Z0-9_]+$/.test(node.text)) found.add(node.text);
    const constant = ts.isIdentifier(node) ? known.get(node.text) : undefined;
    if (constant !== undefined) {
      collect(constant, new Map([...known].filter(([, expression]) => expression !== constant)));
    }
    ts.forEachChild(node, (child) => collect(child, known));
  };
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      if (isSkipped(node)) return;
      if (isMatcher(node)) for (const argument of node.arguments) collect(argument, new Map());
      const table = tableOf(node);
      if (table !== null) collect(table, constants);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}
