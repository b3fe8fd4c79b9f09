import type { ObjectType } from './fields';

/** What an act is about, by a part of its name: the first that fits. */
const ABOUT: readonly (readonly [RegExp, ObjectType])[] = [
  [/ApiToken/, 'API_TOKEN'],
  [/ResourceType/, 'RESOURCE_TYPE'],
  [/Resource|Access|Upload|Download/, 'RESOURCE'],
  [/Role$/, 'ROLE'],
  [/Group/, 'GROUP'],
  [/Org/, 'ORG'],
];

/** Return the kind of object that an act is about: `createResource` is about a resource. */
const typeOf = (action: string): ObjectType => ABOUT.find(([part]) => part.test(action))?.[1] ?? 'USER';

/** Return changed objects, those first that the act is about: a new resource before its organization and its owner. */
export function mainFirst<Item extends { readonly objectType: ObjectType }>(
  action: string,
  objects: readonly Item[],
): readonly Item[] {
  const type = typeOf(action);
  return [
    ...objects.filter(({ objectType }) => objectType === type),
    ...objects.filter(({ objectType }) => objectType !== type),
  ];
}
