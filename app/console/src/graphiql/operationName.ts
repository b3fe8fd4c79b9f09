import { Kind, parse } from 'graphql';

/** Return the names of the operations; null if the text cannot be parsed. */
function operationNames(query: string): readonly (string | undefined)[] | null {
  try {
    const { definitions } = parse(query, { noLocation: true });
    return definitions.flatMap((each) => (each.kind === Kind.OPERATION_DEFINITION ? [each.name?.value] : []));
  } catch {
    return null;
  }
}

/**
 * Return the name of the operation to run. GraphiQL learns the names 0.1 s after an edit: a press before then comes with
 * a name of the text before. It is left out if the text has one operation, of another name.
 */
export function operationNameOf(query: string, name: string | null | undefined): string | undefined {
  const names = operationNames(query);
  const isOld = names?.length === 1 && names[0] !== name;
  return isOld ? undefined : (name ?? undefined);
}
