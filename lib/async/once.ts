/** What is asked for by many is made when it is first asked for, and once. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** The same for each subject, of those of one key for the first. */
export function onceEach<S, T>(keyOf: (subject: S) => string, make: (subject: S) => T): (subject: S) => T {
  const ofKey = new Map<string, () => T>();
  return (subject) => {
    const key = keyOf(subject);
    const made = ofKey.get(key) ?? once(() => make(subject));
    ofKey.set(key, made);
    return made();
  };
}
